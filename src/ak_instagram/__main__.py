"""`python -m ak_instagram` is the command `ak-instagram`."""

from __future__ import annotations

from .cli import main

main(prog_name="ak-instagram")
