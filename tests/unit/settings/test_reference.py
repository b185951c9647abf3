"""The reference, the example file and the example variables say what the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ak_instagram.settings import explain
from ak_instagram.settings.keys import Key, path_of, plain, variable
from ak_instagram.settings.table import ACCOUNT_KEYS, KEYS

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.yaml").read_text(encoding="utf-8")
VARIABLES = (ROOT / ".env.example").read_text(encoding="utf-8")


def row(key: Key, parent: str = "") -> str:
    """Return the row of the reference for *key*; paste it there when this test wants it."""
    name = f"`{key.name}`<br>`{variable(parent + key.name)}`"
    default = "required" if key.required else f"`{plain(key.default)}`"
    default = "" if key.default in (None, (), {}, "") and not key.required else default
    example = key.example or plain(key.default)
    return f"| {name} | {key.kind.name} | {default} | {key.help} | `{example}` |"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_reference_has_the_keys_row(key):
    assert row(key) in REFERENCE.splitlines()


@pytest.mark.parametrize("key", ACCOUNT_KEYS, ids=lambda key: key.name)
def test_the_reference_has_the_account_keys_row(key):
    assert row(key, "instagram.accounts[0].") in REFERENCE.splitlines()


def test_the_reference_has_no_key_that_does_not_exist():
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


def test_the_example_file_is_a_start_that_changes_no_default(environ):
    with_file = {found.path: found.value for found in explain(environ, ROOT / "config.yaml")}
    without = {found.path: found.value for found in explain(environ)}

    assert with_file == without


def test_the_example_file_holds_no_secret():
    secrets = [key.last for key in KEYS if key.secret and key.default is None]

    assert not re.search(rf"^  ({'|'.join(secrets)}):", EXAMPLE, re.MULTILINE)


def test_every_variable_that_the_example_names_is_a_key():
    named = re.findall(r"^#? ?(AK_\w+?)(?:_FILE)?=", VARIABLES, re.MULTILINE)

    assert {path_of(name) for name in named} <= {key.name for key in KEYS} | {"config"}


@pytest.mark.parametrize("key", [key.name for key in KEYS])
def test_path_and_variable_name_each_other(key):
    assert path_of(variable(key)) == key
