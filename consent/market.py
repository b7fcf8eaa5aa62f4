"""What each market asks beyond the strictest common reading: dated data with sources, for :attr:`Site.market`.

Part of the domain: standard library only. Every profile asks before it allows; none of them ever grants by where a
visitor is. Engineering material and not legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

BROWSER_CAP: Final = 400
"""Days after which browsers drop any cookie, whatever it says (RFC 6265bis section 5.6.1)."""
HALF_YEAR: Final = 184
"""Days in the longest six calendar months."""
SIGNAL_READ_ON: Final = date(2026, 11, 24)
"""The day whose reading of Global Privacy Control this version follows: ``lastUpdate`` of the support resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The rules of one market. ``as_of`` is the day they were read, ``sources`` what was read.

    ``longest_days`` is how long a choice may be kept and ``longest_reason`` why. ``close_control`` adds the visible
    way to continue without accepting. ``signal_settles`` lets a Global Privacy Control signal answer for its
    services, so that nothing more is asked about them. ``shows_signal`` states on every page that the signal is
    followed, and ``choices_link`` calls the settings link what that market's law calls it. ``measurement`` names the
    text that can exempt first-party measurement; empty where there is none.
    """

    key: str
    name: str
    as_of: date
    sources: tuple[str, ...]
    longest_days: int = 366
    longest_reason: str = "longer than a year is not considered current any more"
    close_control: bool = False
    signal_settles: bool = False
    shows_signal: bool = False
    choices_link: bool = False
    measurement: str = ""


_EUROPE: Final = ("ePrivacy Directive 2002/58/EC Art. 5(3)", "GDPR Art. 4(11), 7 and 13", "EDPB Guidelines 05/2020")

PROFILES: Final = {
    profile.key: profile
    for profile in (
        Profile(key="eu", name="European Union", as_of=date(2026, 11, 24), sources=_EUROPE),
        Profile(
            key="de",
            name="Germany",
            as_of=date(2026, 11, 24),
            sources=(*_EUROPE, "TDDDG § 25", "DSK, Orientierungshilfe Digitale Dienste"),
        ),
        Profile(
            key="fr",
            name="France",
            as_of=date(2026, 11, 24),
            sources=(*_EUROPE, "Loi Informatique et Libertés Art. 82", "CNIL, délibérations 2020-091 and 2020-092"),
            longest_days=HALF_YEAR,
            longest_reason="the French authority considers six months good practice",
            measurement="CNIL, 4 July 2025",
        ),
        Profile(
            key="it",
            name="Italy",
            as_of=date(2026, 11, 24),
            sources=(*_EUROPE, "Garante, Linee guida cookie, 10 June 2021, no. 231, sections 6 and 7.2"),
            close_control=True,
            measurement="Garante, 2021",
        ),
        Profile(
            key="es",
            name="Spain",
            as_of=date(2026, 11, 24),
            sources=(*_EUROPE, "LSSI Art. 22.2", "AEPD, Guía sobre el uso de las cookies, July 2023"),
            longest_days=BROWSER_CAP,
            longest_reason="the Spanish authority accepts 24 months, but browsers drop a cookie after 400 days",
        ),
        Profile(
            key="uk",
            name="United Kingdom",
            as_of=date(2026, 11, 24),
            sources=("PECR reg. 6 and Schedule A1", "UK GDPR Art. 4(11) and 7"),
            measurement="PECR Sch. A1 para 5",
        ),
        Profile(
            key="us-ca",
            name="California",
            as_of=date(2026, 11, 24),
            sources=("CCPA, Civ. Code § 1798.135", "11 CCR §§ 7004, 7025 and 7026 (operative 1 January 2026)"),
            signal_settles=True,
            shows_signal=True,
            choices_link=True,
        ),
    )
}
"""The profiles by the word that ``market`` takes; ``eu`` is the strictest and the default."""


def profile(market: str) -> Profile:
    """The profile of a market; the strictest for one that has none of its own."""
    return PROFILES.get(market, PROFILES["eu"])
