"""Documentation, example file, example variables and chart say what the settings declare."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ak_instagram.settings.keys import path_of, variable
from ak_instagram.settings.model import ACCOUNT_KEYS, KEYS
from qa.reference import FILES
from tests.support.settings import explain

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.yaml").read_text(encoding="utf-8")
VARIABLES = (ROOT / ".env.example").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_the_settings_declare(name):
    """If it does not: `make reference`."""
    text = (ROOT / name).read_text(encoding="utf-8")

    assert FILES[name](text) == text


def test_the_reference_has_every_key_and_no_other():
    told = re.findall(r"^\| `([a-z_.]+)`<br>", REFERENCE, re.MULTILINE)

    assert sorted(told) == sorted(key.name for key in (*KEYS, *ACCOUNT_KEYS))


def test_the_example_file_has_every_key_in_the_tables_order():
    """A key that has a default is written out, another is there as a comment."""
    section, keys = "", []
    for line in EXAMPLE.splitlines():
        if found := re.match(r"([a-z]+):$", line):
            section = found[1]
        elif found := re.match(r"  (?:# )?([a-z_]+):(?: |$)", line):
            keys.append(f"{section}.{found[1]}")

    assert keys == [key.name for key in KEYS]


def test_the_example_file_changes_no_default_but_those_that_are_shipped_otherwise(environ):
    with_file = {found.path: found.value for found in explain(environ, ROOT / "config.yaml")}
    without = {found.path: found.value for found in explain(environ)}

    assert with_file == without | {key.name: key.shipped for key in KEYS if key.shipped}


def test_the_example_file_holds_no_secret():
    secrets = [key.last for key in KEYS if key.secret and key.default is None]

    assert not re.search(rf"^  ({'|'.join(secrets)}):", EXAMPLE, re.MULTILINE)


def test_the_example_names_the_variable_of_every_key_and_no_other():
    named = re.findall(r"^#? ?(AK_\w+?)(?:_FILE)?=", VARIABLES, re.MULTILINE)

    assert {path_of(name) for name in named} == {key.name for key in KEYS}


@pytest.mark.parametrize("key", [key.name for key in KEYS])
def test_path_and_variable_name_each_other(key):
    assert path_of(variable(key)) == key
