"""The hand-written reference says what the code has, all of it, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from docs_blocks import ROOT

import consent
from consent.answer import ACTIONS as FORM_ACTIONS
from consent.banner.static import TYPES
from consent.config import CHECKS, schema, storage
from consent.decision import ACTIONS, EVENTS, Decision
from consent.log.record import Draft
from consent.market import PROFILES
from consent.policy import BUILTIN_CATEGORIES, Ask, Site

REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def table(text: str) -> dict[str, str]:
    """The rows of the tables by the code words in their first cell, each with the rest of the row."""
    rows = (re.match(r"\| (`.+?`(?:, `.+?`)*) \|(.*)\|$", line) for line in text.splitlines())
    return {name: row[2] for row in rows if row for name in re.findall(r"`(.+?)`", row[1])}


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("[site]", schema.SITE),
        ("[ask]", schema.ASK),
        ("[[category]]", schema.CATEGORY),
        ("[[service]]", schema.SERVICE),
        ("storage", storage.KEYS),
    ],
)
def test_every_key_of_consent_toml_is_explained_and_no_other(title: str, keys: Mapping[str, object]) -> None:
    assert set(table(section(page("configuration"), title))) == set(keys)


@pytest.mark.parametrize(("title", "made"), [("[site]", Site(name="", controller="")), ("[ask]", Ask())])
def test_documented_defaults_are_the_real_ones(title: str, made: object) -> None:
    rows = table(section(page("configuration"), title))
    said = {name: re.fullmatch(r".*\| `([^`]+)`\s*", row) for name, row in rows.items()}
    wrong = {name: match[1] for name, match in said.items() if match and str(getattr(made, name)) != match[1]}
    assert wrong == {}
    assert sum(match is not None for match in said.values()) >= 4


def test_every_value_a_key_may_have_is_named() -> None:
    text = page("configuration")
    values = [*PROFILES, *schema.TRANSFERS, *(category.key for category in BUILTIN_CATEGORIES)]
    assert [value for value in values if f"`{value}`" not in text] == []


def test_checks_at_start_up_are_those_that_are_raised() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "consent").rglob("*.py"))
    raised = set(re.findall(r'"(E[89]\d\d)"', source))
    assert set(table(section(page("checks"), "At start-up"))) == raised
    assert not raised & set(CHECKS)


def test_the_fields_of_a_record_are_documented_and_no_other() -> None:
    decision = Decision(
        record_id="0b7c3f4e-6d8a-4c1b-9e2f-3a4b5c6d7e8f", event="refused", action="reject_all",
        occurred_at=datetime(2026, 7, 1, tzinfo=UTC), valid_until=datetime(2027, 1, 1, tzinfo=UTC),
        decisions={"video": False}, services={"youtube": False}, artefact="0" * 64, material_version="0123abcd",
        locale="en",
    )  # fmt: skip
    stored = {*Draft.of(decision).fields, "prev_record_id"}
    text = page("record")
    assert set(table(section(text, "A record's payload"))) == stored
    assert [word for word in (*EVENTS, *ACTIONS) if f"`{word}`" not in text] == []
    assert len(fields(Decision)) >= 20


def test_form_fields_and_actions_are_documented() -> None:
    text = page("endpoints")
    documented = set(table(section(text, "The form")))
    source = "\n".join((ROOT / "consent" / name).read_text("utf-8") for name in ("choosing.py", "pages.py"))
    read = set(re.findall(r'one\(form, "(\w+)"\)|form\.get\("(\w+)"', source))
    assert documented == {one or other for one, other in read}
    assert [action for action in FORM_ACTIONS if f"`{action}`" not in text] == []
    assert [name for name in TYPES if f"`{name}`" not in text] == []


def test_hooks_in_the_page_are_those_of_its_markup() -> None:
    markup = "\n".join(path.read_text("utf-8") for path in (ROOT / "consent" / "templates").glob("*.html"))
    script = (ROOT / "consent/static/notice.js").read_text("utf-8")
    gate = "\n".join(path.read_text("utf-8") for path in (ROOT / "consent" / "gate").glob("*.py"))
    for name in table(section(page("page"), "Attributes")):
        hook = name.partition("=")[0]
        made = hook in markup or hook in gate or hook.removeprefix("data-consent-") in gate
        assert made, hook
    for name in re.findall(r"window\.consent\.(\w+)", page("page")):
        assert name in script


def messages() -> Iterator[tuple[Path, str]]:
    """The first words of every message that the package logs."""
    for path in sorted((ROOT / "consent").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            logs = isinstance(node.func.value, ast.Name) and node.func.value.id == "_log"
            if not (logs or (node.func.attr == "_tell" and len(node.args) == 2)):
                continue
            first = node.args[0] if logs else node.args[1]
            if isinstance(first, ast.JoinedStr):
                first = next(part for part in first.values if isinstance(part, ast.Constant))
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                words = re.split(r"%[sr]|\{|<", first.value)[0].strip(" .:'")
                if words:
                    yield path, words


def test_every_message_that_is_logged_is_explained() -> None:
    found = list(messages())
    assert len(found) >= 8
    text = page("messages")
    assert [(str(path), words) for path, words in found if words not in text] == []


def test_everything_exported_is_in_the_python_reference() -> None:
    text = page("python")
    missing = [name for name in consent.__all__ if not re.search(rf"\b{name}\b", text)]
    assert missing == []
