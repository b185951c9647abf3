"""
`python -m ak_instagram.probe`: a health check for images without curl.

Every argument is a URL, or a path of the service in this container; the exit code is
1 unless all of them answer 200.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import urlopen

WITHIN = 4.0  # seconds for one answer


def main(targets: Sequence[str]) -> int:
    """Ask each of *targets*; return 0 if all answer 200, else 1 after saying which does not."""
    here = f"http://127.0.0.1:{os.environ.get('AK_SERVER__PORT') or 8000}"
    for target in targets:
        url = urljoin(here, target)
        try:
            with urlopen(url, timeout=WITHIN) as answer:  # noqa: S310 - who starts it names the URL
                answer.read()
        except (URLError, OSError) as exc:
            print(f"{url}: {exc}", file=sys.stderr)  # noqa: T201 - the engine keeps what is printed
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
