"""Every part of ours under axe-core, and the contrast of what axe cannot see."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest
from banner_server import Running
from playwright.sync_api import Browser
from test_banner_browser import browser, site, visit  # noqa: F401 - fixtures

pytestmark = pytest.mark.browser
PATHS = ("/page?declared=1", "/page?said=1", "/consent/?")


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's source, from the npm package."""
    folder = tmp_path_factory.mktemp("axe")
    try:
        command = ["npm", "pack", "axe-core@4", "--silent"]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"axe-core could not be had from npm, so nothing was checked with it: {error}")
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return (Path(folder) / "package" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "look",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"color_scheme": "light", "forced_colors": "active"},
        {"color_scheme": "dark", "contrast": "more"},
    ],
    ids=["light", "dark", "forced", "contrast"],
)
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(browser: Browser, site: Running, axe: str, look: dict[str, str], width: int) -> None:  # noqa: F811
    for locale in ("en", "de"):
        for path in PATHS:
            if "said" in path:
                site.message = "withdrawn"
            page = visit(browser, site, width=width, path=f"{path}&lang={locale}", **look)
            page.evaluate("() => document.querySelectorAll('.cst details').forEach((d) => { d.open = true; })")
            page.evaluate(axe)
            result = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
            found = [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in result["violations"]]
            assert found == [], (path, locale)
            page.context.close()


def test_axe_would_find_a_mistake(browser: Browser, site: Running, axe: str) -> None:  # noqa: F811
    page = visit(browser, site)
    page.evaluate("() => { document.querySelector('.cst-title').removeAttribute('id'); document.title = ''; }")
    page.evaluate("() => document.querySelector('.cst-lead').style.setProperty('color', '#ddd', 'important')")
    page.evaluate(axe)
    result = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    assert {"document-title", "color-contrast"} <= {violation["id"] for violation in result["violations"]}
