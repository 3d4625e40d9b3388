"""Sphinx: MyST pages, Furo, and reference pages written from the code before the build."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import docs.generate

docs.generate.write(HERE / "reference")

project = "Weft"
author = "The Weft authors"
copyright = "The Weft authors, Apache-2.0"  # noqa: A001 # Sphinx's name
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Weft"
html_static_path = ["_static"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
