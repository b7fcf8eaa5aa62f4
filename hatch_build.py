"""What building a wheel takes: the gettext catalogues compiled, and the gate's compiler told how."""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Wheel(BuildHookInterface):  # type: ignore[type-arg]
    """Puts a ``.mo`` beside each ``.po``, so that a site reads none; an editable one compiles them itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        if sys.platform != "win32":
            # For the hook that compiles the gate, after this one: functions may be put into their callers though
            # others could replace them from outside, which nobody does. It gains 6 to 9 %. Some versions of setuptools
            # take this instead of Python's own flags, so those are said again.
            usual = os.environ.get("CFLAGS") or sysconfig.get_config_var("CFLAGS") or ""
            os.environ["CFLAGS"] = f"{usual} -fno-semantic-interposition"
        sys.path.insert(0, self.root)
        from consent.locale.catalogue import compiled

        folder = Path(self.root) / "consent" / "locales"
        made = Path(tempfile.mkdtemp(prefix="consentry-"))
        for path in (*folder.glob("*.po"), *folder.glob("*.pot")):
            target = made / f"{path.stem}.mo"
            target.write_bytes(compiled(path, path.stem.partition("-informal")[0]))
            build_data["force_include"][str(target)] = f"consent/locales/{target.name}"
