"""The documentation becomes a site without a warning, complete, and with nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Return the folder of the site, made as `make docs` makes it."""
    folder: Path = tmp_path_factory.mktemp("site")
    command = ["sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", "docs", ".", str(folder)]
    made = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stderr) == (0, "")
    return folder


def test_every_page_is_there_as_html_and_as_markdown_and_listed(site):
    pages = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "docs").rglob("*.md")]

    for page in pages:
        assert (site / f"{page}.html").is_file()
        assert (site / f"{page}.md").read_text() == (ROOT / f"{page}.md").read_text()
    listed = re.findall(r"^- \[.+\]\(docs/(\S+)\.md\): \S", (site / "llms.txt").read_text(), re.M)
    assert sorted(listed) == sorted(str(page.relative_to("docs")) for page in pages)


def test_every_page_can_be_reached_from_the_menu(site):
    menu = (site / "index.html").read_text().partition('class="sidebar-tree"')[2]

    linked = set(re.findall(r'href="([^"#:]+)\.html"', menu.partition("</aside>")[0]))

    expected = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert {name.removeprefix("docs/") for name in linked} >= expected


def test_nothing_is_loaded_from_elsewhere(site):
    loading = re.compile(r'(?:src|<link[^>]+href)="(?:https?:)?//[^"]*"|@import|url\(["\']?https?:')

    found = [
        path.name
        for kind in ("*.html", "*.css")
        for path in site.rglob(kind)
        if loading.search(path.read_text())
    ]

    assert found == []
