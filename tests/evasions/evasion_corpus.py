"""The tricks and the look-alikes, read from the data files in the folders beside this one."""

from __future__ import annotations

import base64
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote_from_bytes

HERE = Path(__file__).parent
RUNS = {"c": "plain.example", "g": "gate.example", "b": "both.example"}
"""The runs (control, gate, both), by the letter that their third parties' names begin with, and each one's own host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evasion:
    """One way to reach a third party, and how it has to be served so that it works."""

    number: int
    file: str
    name: str
    html: str
    tries: str
    inner: str = ""
    encoding: str = "utf-8"
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)
    top: bool = False
    script: bool = True
    click: str = ""
    gate_alone: str = ""
    connects: str = ""
    dormant: str = ""
    """Why it does nothing in Chromium; what does nothing in the others is in :func:`silent`."""

    @property
    def domain(self) -> str:
        """Half of the third parties are a declared service, half are nobody's."""
        return "tracker" if self.number % 2 else "stranger"

    def host(self, run: str) -> str:
        return f"{run}{self.number:03}.{self.domain}.example"

    def fill(self, text: str, run: str) -> str:
        """``text`` with the name of this trick's third party, and what is ``inner`` in the coat that is asked for."""
        names = {"{h}": self.host(run), "{l}": f"{run}{self.number:03}", "{d}": self.domain, "{own}": RUNS[run]}
        inner = _filled(self.inner, names)
        return _filled(text, names | {mark: coat(inner) for mark, coat in _COATS.items()})

    def body(self, run: str) -> bytes:
        return self.fill(self.html, run).encode(self.encoding)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """What must stay as it is, byte for byte, and its ``twin``, which must not."""

    name: str
    html: str
    twin: str
    why: str
    encoding: str = "utf-8"


def _filled(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


_COATS = {
    "{inner}": str,
    "{inner|base64}": lambda text: base64.b64encode(text.encode()).decode(),
    "{inner|percent}": lambda text: quote_from_bytes(text.encode(), safe=""),
    "{inner|utf16}": lambda text: quote_from_bytes(text.encode("utf-16-le"), safe=""),
    "{inner|references}": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "{inner|amp}": lambda text: text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;"),
}


@cache
def evasions() -> tuple[Evasion, ...]:
    found: list[Evasion] = []
    for path in sorted((HERE / "corpus").glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["evasion"]:
            found.append(Evasion(number=len(found), file=path.stem, **entry))
    return tuple(found)


@cache
def silent(engine: str) -> frozenset[str]:
    """The names of the tricks that do nothing in Firefox or WebKit, whatever they do in Chromium."""
    return frozenset(tomllib.loads((HERE / "silent.toml").read_text(encoding="utf-8"))[engine])


@cache
def look_alikes() -> tuple[LookAlike, ...]:
    return tuple(
        LookAlike(**entry)
        for path in sorted((HERE / "lookalikes").glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["look_alike"]
    )
