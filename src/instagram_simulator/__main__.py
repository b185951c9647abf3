"""`python -m instagram_simulator`."""

from __future__ import annotations

from .standalone import main

if __name__ == "__main__":
    main(prog_name="python -m instagram_simulator")
