"""
Compiled modules without their symbols: `python strip.py FOLDER`, while an image is built.

Wheels bring what only debuggers read: two thirds of the bytes of all their compiled modules. A
process loads a module by its segments (ELF-64, `man 5 elf`); what no segment holds is left out.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

# Of the header: where the tables of segments and sections are, and how many entries they have.
_SEGMENT_TABLE, _SEGMENTS = slice(0x20, 0x28), slice(0x36, 0x3A)
_SECTION_TABLE, _SECTIONS = slice(0x28, 0x30), slice(0x3C, 0x40)
_ELF_64_LITTLE = b"\x7fELF\x02\x01"


def stripped(module: bytes) -> bytes:
    """Return the segments of *module*; raise `ValueError` if it is no little-endian ELF-64 file."""
    if not module.startswith(_ELF_64_LITTLE):
        raise ValueError("no ELF file of 64 bits, little-endian")
    (table,) = struct.unpack("<Q", module[_SEGMENT_TABLE])
    size, count = struct.unpack("<HH", module[_SEGMENTS])
    end = table + size * count
    for at in range(table, end, size):
        # Type and flags, where in the file, two addresses, how much of the file.
        _, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", module, at)
        end = max(end, offset + length)
    kept = bytearray(module[:end])
    kept[_SECTION_TABLE] = bytes(8)
    kept[_SECTIONS] = bytes(4)
    return bytes(kept)


def main() -> None:
    """Strip each compiled module below the folder that is named, and say what that saved."""
    before = after = 0
    for file in sorted(Path(sys.argv[1]).rglob("*.so*")):
        module = file.read_bytes()
        before += len(module)
        after += file.write_bytes(stripped(module))
    print(f"compiled modules: {before / 1e6:.1f} MB, {after / 1e6:.1f} MB without symbols")


if __name__ == "__main__":
    main()
