"""
The site made of these pages: `make docs` writes it to `dist/site`.

The pages stay plain Markdown that reads well without a site. What only the site needs is here:
the menu, an `index.html`, each page as Markdown beside its HTML, and `llms.txt`.
"""

from __future__ import annotations

import re
import shutil
from itertools import starmap
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]

project = "ak-instagram"
extensions = ["myst_parser", "sphinx_copybutton"]
# The pages lie where the repository has them, so that their links hold here and there.
root_doc = "README"
include_patterns = [
    "*.md",
    "docs/**.md",
    "examples/*/README.md",
    "findings/README.md",
    "helm/ak-instagram/README.md",
    "src/instagram_simulator/README.md",
]
html_theme = "furo"
html_title = "ak-instagram"
html_show_sphinx = False
html_copy_source = False
myst_heading_anchors = 4  # as the pages' own links and the hosts of repositories have them
nitpicky = True
suppress_warnings = ["myst.header"]  # a page may begin a section one level deeper for its looks
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

MENU = {
    "Begin": ["docs/README", "docs/getting-started", "docs/meta-app", "docs/app-review"],
    "Deploy": [
        "docs/deploy-docker",
        "docs/deploy-compose",
        "docs/deploy-systemd",
        "docs/deploy-helm",
        "helm/ak-instagram/README",
        "docs/sizing",
    ],
    "Run": [
        "docs/operations",
        "docs/admin",
        "docs/troubleshooting",
        "docs/upgrade-and-backup",
        "docs/security",
        "docs/privacy",
        "SECURITY",
        "CHANGELOG",
    ],
    "Agents": ["docs/agents", "docs/agent-servers"],
    "Look up": ["docs/configuration", "docs/commands", "docs/doctor", "docs/meta", "docs/pains"],
    "Simulator": ["docs/simulator", "src/instagram_simulator/README"],
    "How it is built": [
        "docs/architecture",
        "docs/adr/README",
        "docs/reliability",
        "docs/benchmarks",
        "CONTRIBUTING",
    ],
}
"""The pages below each heading of the menu; the decisions are below their own list."""

_FENCE = "```"
_LINK = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<target>[^)#\s:]+)\)")


def adapt(app: Sphinx, page: str, source: list[str]) -> None:
    """Take links to folders away, of which there are no pages, and add the menus."""
    folder = (ROOT / page).parent
    source[0] = _LINK.sub(
        lambda it: it["words"] if (folder / it["target"]).is_dir() else it[0], source[0]
    )
    decisions = sorted(it for it in app.env.found_docs if it.startswith("docs/adr/0"))
    if page == "docs/adr/README":
        source[0] += _menu("", decisions)
    if page == app.config.root_doc:
        listed = {page, *decisions, *(each for pages in MENU.values() for each in pages)}
        more = {"More": sorted(app.env.found_docs - listed)}
        source[0] += "".join(starmap(_menu, (MENU | more).items()))


def _menu(caption: str, pages: list[str]) -> str:
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    lines = [f"{_FENCE}{{toctree}}", *options, "", *(f"/{page}" for page in pages), _FENCE]
    return "\n\n" + "\n".join(lines) + "\n"


def add_files(app: Sphinx, failure: Exception | None) -> None:
    """Write `index.html`, every page's Markdown, and the list of them for language models."""
    if failure is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    shutil.copyfile(site / "README.html", site / "index.html")
    lines = [f"# {project}", "", f"> {_first_sentence(ROOT / 'README.md')}", ""]
    for page in sorted(app.env.found_docs):
        path = ROOT / f"{page}.md"
        shutil.copyfile(path, site / f"{page}.md")
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        lines.append(f"- [{title}]({page}.md): {_first_sentence(path)}")
    (site / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _first_sentence(page: Path) -> str:
    """Return the first sentence of prose on *page*, without its links' addresses."""
    text = page.read_text(encoding="utf-8")
    blocks = (" ".join(block.split()) for block in text.split("\n\n"))
    prose = next((it for it in blocks if re.match(r"\w|\[|`(?!``)", it)), "")
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", prose)
    return re.split(r"(?<=[.!?])\s", plain, maxsplit=1)[0]


def setup(app: Sphinx) -> None:
    """Have both done at their time."""
    app.connect("source-read", adapt)
    app.connect("build-finished", add_files)
