"""
What a release takes from the files: `python .github/release.py --help`.

On the standard library alone: a release installs nothing that it does not release.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "src/ak_instagram/__init__.py"
SIMULATOR = "src/instagram_simulator/__init__.py"
CHART = "helm/ak-instagram/Chart.yaml"
VALUES = "helm/ak-instagram/values.yaml"
CHANGELOG = "CHANGELOG.md"

_TAG = re.compile(r"v\d+\.\d+\.\d+")
_SECTION = re.compile(
    r"^## \[(?P<version>[^\]]+)\] - (?P<date>\S+)\n(?P<text>.*?)(?=^## |\Z)", re.M | re.S
)
_IMAGE = re.compile(r"^image:\n(?: .*\n)+", re.M)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def versions(root: Path = ROOT) -> dict[str, str]:
    """Return the version that each place names which has to name one."""
    project = tomllib.loads(_read(root, "pyproject.toml"))["project"]
    packages = {
        package: re.findall(r"^__version__ = \"(.*)\"$", _read(root, package), re.M)[0]
        for package in (PACKAGE, SIMULATOR)
    }
    chart = dict(re.findall(r"^(version|appVersion): \"?([^\s\"]+)", _read(root, CHART), re.M))
    return {
        "pyproject.toml": project["version"],
        **packages,
        f"{CHART}, version": chart["version"],
        f"{CHART}, appVersion": chart["appVersion"],
        CHANGELOG: _newest(root)["version"],
    }


def objections(tag: str, root: Path = ROOT) -> Iterator[str]:
    """Yield why *tag* can't be released from the files as they are."""
    if not _TAG.fullmatch(tag):
        yield f"{tag} is not a tag of the form v1.2.3"
    for place, version in versions(root).items():
        if version != tag.removeprefix("v"):
            yield f"{place} says {version}, the tag is {tag}"
    if not _DATE.fullmatch(date := _newest(root)["date"]):
        yield f"{CHANGELOG} says {date!r} where the day of the release belongs"


def notes(root: Path = ROOT) -> str:
    """Return what the changelog says of its newest version."""
    return _newest(root)["text"].strip()


def with_image(values: str, registry: str, digest: str) -> str:
    """Return a chart's *values*, naming the image that the chart is released with."""
    if (found := _IMAGE.search(values)) is None:
        raise ValueError("the chart's values have no image")
    image = found[0]
    for key, value in (("registry", registry), ("digest", digest)):
        image, times = re.subn(rf'^  {key}: ""$', f'  {key}: "{value}"', image, flags=re.M)
        if times != 1:
            raise ValueError(f"the chart's values have no empty image.{key}")
    return values.replace(found[0], image)


def main() -> int:
    """Do as the command line says; return 0, or 1 after a line for each objection."""
    options = _options()
    if options.command == "notes":
        found = list(objections(options.tag))
        print("\n".join(found) if found else notes(), file=sys.stderr if found else sys.stdout)
        return 1 if found else 0
    values = with_image(_read(ROOT, VALUES), options.registry, options.digest)
    (ROOT / VALUES).write_text(values, encoding="utf-8")
    return 0


def _read(root: Path, file: str) -> str:
    return (root / file).read_text(encoding="utf-8")


def _newest(root: Path) -> re.Match[str]:
    return next(_SECTION.finditer(_read(root, CHANGELOG)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="release.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    told = commands.add_parser("notes", help="print the notes, if files and tag agree")
    told.add_argument("tag", help="for example v1.2.3")
    named = commands.add_parser("chart", help="let the chart name the image it is released with")
    named.add_argument("registry", help="for example registry.example/owner")
    named.add_argument("digest", help="sha256:…")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
