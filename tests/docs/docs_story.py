"""Runs the Python of one page from top to bottom, as a reader would who follows it: ``docs_story.py STORY.json``.

The story is a list of ``{"file", "line", "code"}``; line numbers in a traceback are those of the page.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path


def main() -> None:
    story = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    sys.path.insert(0, str(Path.cwd()))
    module = types.ModuleType("page")
    module.__file__ = str(Path.cwd() / "page.py")  # Flask looks beside it for consent.toml
    sys.modules["page"] = module
    for part in story:
        code = compile("\n" * (part["line"] - 1) + part["code"], part["file"], "exec", dont_inherit=True)
        exec(code, module.__dict__)


if __name__ == "__main__":
    main()
