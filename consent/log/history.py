"""What is recorded under one receipt, answer by answer, beside what was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SERVICE: Final = {
    "category": "", "name": "", "purpose": "", "provider": "", "country": "", "privacy_policy": "",
    "provider_retention": "", "recipients": (), "processing_countries": (), "storage": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One record of the receipt: its payload, and the notice that it was an answer to (empty where that is gone)."""

    payload: Mapping[str, Any]
    leaf: bytes
    shown: Mapping[str, Any]

    @property
    def at(self) -> str:
        """When this was answered, as the record says it."""
        return str(self.payload["occurred_at"])

    @property
    def site(self) -> Mapping[str, Any]:
        """The site as it called itself then; empty where the notice is gone."""
        found = self.shown.get("policy", {}).get("site", {})
        return found if isinstance(found, dict) else {}

    def service(self, key: str) -> dict[str, Any]:
        """The service as it was declared when this was answered; its key where the notice is gone."""
        declared = self.shown.get("policy", {}).get("services", ())
        found: dict[str, Any] = next((each for each in declared if each.get("key") == key), {})
        return _SERVICE | {"key": key, "name": key} | {name: found[name] for name in _SERVICE if found.get(name)}

    def keys(self, answer: str) -> list[str]:
        """The services that were ``granted`` or ``denied``."""
        return sorted(key for key, given in self.payload["vendor_grants"].items() if given == answer)
