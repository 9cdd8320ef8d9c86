"""The handbook's site: made without a warning, it loads nothing from elsewhere, and no link leads nowhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def made(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    done = made(ROOT, site)
    assert done.returncode == 0, done.stderr
    return site


def test_every_page_of_the_handbook_is_there(site: Path) -> None:
    sources = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    pages = {path.relative_to(site) for path in site.rglob("*.html")}
    wanted = {
        path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html")
        for path in sources
    }
    assert wanted <= pages
    assert Path("verifier-js.html") in pages


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|link|iframe)\b[^>]*(?:src|href)=\"([^\"]+)\"", text)
        assert [address for address in loaded if re.match(r"(?:https?:)?//", address)] == [], page.name


def test_link_to_nowhere_fails(tmp_path: Path) -> None:
    for name in ("docs", "verifier-js"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "scripts" / "lib").mkdir(parents=True)
    for name in ("mkdocs.yml", "scripts/lib/docs_pages.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert made(tmp_path, tmp_path / "site").returncode == 0
    with (tmp_path / "docs" / "pages.md").open("a", encoding="utf-8") as file:
        file.write("\n[nowhere](nowhere.md)\n")
    done = made(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr
