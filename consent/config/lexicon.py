"""Words that a purpose must not use: it says what is done, and neither promises nor plays down."""

from __future__ import annotations

import re
from typing import Final

from consent.config.checks import Spot

_BENEFITS: Final = re.compile(
    r"\b(?:"
    r"better|best|improv\w+|enhanc\w+|enjoy\w*|optimi[sz]\w+|seamless\w*|relevant|tailored|personali[sz]ed|"
    r"great|smooth\w*|convenien\w+|help us|miss out|your experience|user experience|we value|we care|for free|"
    r"besser\w*|beste[nrsm]?|verbesser\w+|optimier\w+|optimal\w*|komfort\w*|genießen|Nutzererlebnis\w*|Erlebnis\w*|"
    r"maßgeschneidert\w*|relevante[nrsm]?|helfen Sie uns"
    r")\b",
    re.IGNORECASE,
)
_PLAYED_DOWN: Final = re.compile(
    r"\b(?:anonym\w*|harmless|only technical|no personal data|just|merely|completely safe|"
    r"unbedenklich\w*|harmlos\w*|lediglich)\b",
    re.IGNORECASE,
)
_LEGITIMATE_INTEREST: Final = re.compile(
    r"legitimate[\s_-]*interest|interesse\s+legittimo|berechtigte[sn]?\s+interesse|int[eé]r[eê]t\s+l[eé]gitime|"
    r"inter[eé]s\s+leg[ií]timo|6\s*\(1\)\s*\(?f\)?",
    re.IGNORECASE,
)


def promise(sentence: str) -> str | None:
    """The first word that promises the visitor something or plays something down, or ``None``."""
    found = _BENEFITS.search(sentence) or _PLAYED_DOWN.search(sentence)
    return found[0] if found else None


def claims_legitimate_interest(sentence: str) -> bool:
    """Whether legitimate interest is given as a basis, in one of several languages (Taskforce report, type H)."""
    return bool(_LEGITIMATE_INTEREST.search(sentence))


def judge(sentence: str, spot: Spot) -> None:
    """Report what a purpose must not say (EDPB 03/2022: emotional steering; Taskforce report, type H)."""
    word = promise(sentence)
    if word is not None:
        spot.add(
            "W001",
            f'The purpose of {spot.name} says "{word}".',
            "Say what is done with which data, and promise or play down nothing.",
        )
    if claims_legitimate_interest(sentence):
        legitimate_interest(spot)


def legitimate_interest(spot: Spot) -> None:
    """Report legitimate interest where a basis is named."""
    spot.add(
        "E046",
        f"Legitimate interest is no basis for storing on or reading from a device, as {spot.name} has it.",
        'Write legal_basis = "consent", or "necessary" with an exempt_reason (ePrivacy Directive Art. 5(3)).',
    )
