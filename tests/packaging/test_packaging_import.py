"""``import consent`` is cheap: what it doesn't need isn't loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("flask", "sqlalchemy", "alembic", "cryptography", "babel", "jinja2", "click")


def loaded(statement: str) -> set[str]:
    """Which of the heavy libraries are loaded after this statement, in an interpreter of its own."""
    program = f"import sys\n{statement}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import consent", "from consent import Policy", "from consent.choice import decide"]
)
def test_importing_consent_loads_nothing_heavy(statement: str) -> None:
    assert loaded(statement) == set()


def test_importing_the_flask_extension_does_load_flask() -> None:
    assert "flask" in loaded("import consent.flask")


@pytest.mark.parametrize("statement", ["import consent.wsgi", "import consent.asgi", "import consent.flask"])
def test_an_adapter_loads_the_log_only_when_it_opens_one(statement: str) -> None:
    assert not loaded(statement) & {"sqlalchemy", "alembic", "cryptography"}


def test_opening_a_log_does_load_sqlalchemy() -> None:
    assert "sqlalchemy" in loaded("from consent.log import open_recorder; open_recorder('memory://')")


def test_recording_loads_no_alembic() -> None:
    assert "alembic" not in loaded(
        "from consent.log import open_recorder; open_recorder('memory://').artefact('0' * 64)"
    )
