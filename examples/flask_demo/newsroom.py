"""The paper's contents: articles, pages and labels, read from ``content/`` once and kept."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

CONTENT: Final = Path(__file__).with_name("content")
LANGUAGES: Final = ("en", "de")
WORDS_A_MINUTE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article in one language. ``body`` is the HTML an editor wrote, third-party embeds included."""

    slug: str
    language: str
    section: str
    day: date
    title: str
    standfirst: str
    alt: str
    body: str

    @property
    def minutes(self) -> int:
        """How long it takes to read."""
        return max(1, round(len(self.body.split()) / WORDS_A_MINUTE))


class Newsroom:
    """Everything there is to read, by language; ``readdress`` goes over each text with addresses in it."""

    def __init__(self, readdress: Callable[[str], str] = str) -> None:
        index = _toml(CONTENT / "articles.toml")
        self.labels: dict[str, dict[str, Any]] = {
            language: _toml(CONTENT / language / "labels.toml") for language in LANGUAGES
        }
        self._articles = {
            language: {
                entry["slug"]: _article(language, entry, self.labels[language], readdress) for entry in index["article"]
            }
            for language in LANGUAGES
        }

    def articles(self, language: str) -> list[Article]:
        """All articles, in the order of the front page."""
        return list(self._articles[language].values())

    def article(self, language: str, slug: str) -> Article | None:
        """The article at this address, or ``None``."""
        return self._articles[language].get(slug)

    def in_words(self, day: date, language: str) -> str:
        """A date as the language writes it: ``4 March 2026``, ``4. März 2026``."""
        labels = self.labels[language]
        return str(labels["date"]).format(day=day.day, month=labels["months"][day.month - 1], year=day.year)


def _article(language: str, entry: dict[str, Any], labels: dict[str, Any], readdress: Callable[[str], str]) -> Article:
    text = _toml(CONTENT / language / f"{entry['slug']}.toml")
    return Article(
        slug=entry["slug"],
        language=language,
        section=labels["sections"][entry["section"]],
        day=entry["day"],
        title=text["title"],
        standfirst=text["standfirst"],
        alt=text["alt"],
        body=readdress(text["body"]),
    )


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
