"""How the documentation is built: `make docs`, or sphinx-build -W --keep-going -b html docs docs/_build."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

from consent._version import __version__ as release  # noqa: E402

project = "consentry"
author = "the consentry authors"
copyright = "2026, the consentry authors"  # noqa: A001 — Sphinx reads it by this name
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "consent_reference"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

autodoc_typehints = "signature"
python_maximum_signature_line_length = 90
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = f"consentry {release}"
html_static_path: list[str] = []
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
