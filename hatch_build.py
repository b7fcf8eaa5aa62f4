"""Compiles the gettext catalogues into the wheel, so that an installed site reads no ``.po`` files."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Catalogues(BuildHookInterface):  # type: ignore[type-arg]
    """Puts a ``.mo`` beside each ``.po``; an editable installation compiles at first use instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from consent.locale.catalogue import compiled

        folder = Path(self.root) / "consent" / "locales"
        made = Path(tempfile.mkdtemp(prefix="consentry-"))
        for path in (*folder.glob("*.po"), *folder.glob("*.pot")):
            target = made / f"{path.stem}.mo"
            target.write_bytes(compiled(path, path.stem.partition("-informal")[0]))
            build_data["force_include"][str(target)] = f"consent/locales/{target.name}"
