"""A compiled module without its symbols is smaller and works; what is none is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import multidict
import pytest

from qa.image.strip import stripped

[MODULE] = Path(multidict.__file__).parent.glob("_multidict.*.so")


def test_a_module_without_symbols_is_smaller_and_works(tmp_path):
    copy = tmp_path / MODULE.name

    written = copy.write_bytes(stripped(MODULE.read_bytes()))
    result = subprocess.run(
        [sys.executable, "-c", "import _multidict as it; print(it.__file__, it.istr('A'))"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert written < MODULE.stat().st_size / 2
    assert result.stdout.split() == [str(tmp_path / MODULE.name), "A"]


def test_a_module_that_has_none_stays_as_it_is():
    once = stripped(MODULE.read_bytes())

    assert stripped(once) == once


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"#!/bin/sh\n", id="script"),
        pytest.param(b"\x7fELF\x01\x01" + bytes(64), id="32-bits"),
        pytest.param(b"\x7fELF\x02\x02" + bytes(64), id="big-endian"),
    ],
)
def test_what_is_no_such_module_is_refused(content):
    with pytest.raises(ValueError, match="no ELF file"):
        stripped(content)
