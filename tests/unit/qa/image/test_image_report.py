"""The layers' table says the same of either builder's image."""

from __future__ import annotations

import json

from qa.image.report import Layer, read_history, table

CLASSIC = [
    (0, "/bin/sh -c #(nop)  USER 10001:10001"),
    (1_400_000, f"/bin/sh -c #(nop) COPY dir:{'a1' * 32} in /opt/venv "),
    (10_600_000, "/bin/sh -c python -m compileall  \\\n  /usr"),
    (177_200_000, ""),
]
BUILDKIT = [
    (0, "USER 10001:10001"),
    (1_400_000, "COPY /opt/package /opt/venv # buildkit"),
    (10_600_000, "RUN |1 REVISION=c0ffee /bin/sh -c python -m compileall /usr # buildkit"),
]


def printed(history: list[tuple[int, str]]) -> str:
    return "\n".join(f"{size}\t{json.dumps(created_by)}" for size, created_by in history)


def test_the_classic_builders_layers_are_read():
    assert read_history(printed(CLASSIC)) == [
        Layer(177_200_000, "(no instruction)"),
        Layer(10_600_000, "RUN python -m compileall \\ /usr"),
        Layer(1_400_000, "COPY /opt/venv"),
        Layer(0, "USER 10001:10001"),
    ]


def test_those_of_buildkit_are_read():
    assert read_history(printed(BUILDKIT)) == [
        Layer(10_600_000, "RUN python -m compileall /usr"),
        Layer(1_400_000, "COPY /opt/package /opt/venv"),
        Layer(0, "USER 10001:10001"),
    ]


def test_the_table_has_what_holds_something_and_the_sum():
    assert table(read_history(printed(BUILDKIT)), 1_212_000_000).splitlines() == [
        "|      MB | layer |",
        "|--------:|---|",
        "|    10.6 | RUN python -m compileall /usr |",
        "|     1.4 | COPY /opt/package /opt/venv |",
        "| 1,212.0 | **all** |",
    ]


def test_long_instructions_are_cut():
    [layer] = read_history(printed([(1, "RUN " + "x" * 200)]))

    assert len(layer.instruction) == 76
    assert layer.instruction.endswith(" …")
