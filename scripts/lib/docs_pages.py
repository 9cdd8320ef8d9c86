"""What the handbook's site has beside docs/: the page of verifier-js, which lives with its package."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGE = "verifier-js.md"
SOURCE = "verifier-js/README.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, PAGE, abs_src_path=str(ROOT / SOURCE)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the package's own page to the site's, and from there back."""
    del config, files
    if page.file.src_uri == PAGE:
        return re.sub(r"\]\(\.\./docs/", "](", markdown)
    return markdown.replace(f"](../{SOURCE})", f"]({PAGE})")
