"""The process that posts webhooks, away from what is measured."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import uvloop

from qa.benchmarks import cores
from qa.benchmarks.posting import Load, Run, post
from qa.benchmarks.webhooks import prepared


class Loader:
    """The loader, as others see it."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def post(self, load: Load) -> Run:
        """Post *load* and return what came of it; what is posted is made before the start."""
        return self._pool.submit(_post, load).result()


@contextmanager
def open_loader() -> Iterator[Loader]:
    """Keep the loader's process while the block runs."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, cores.pin, (cores.MEASURING,)) as pool:
        yield Loader(pool)


def _post(load: Load) -> Run:
    requests = prepared(load.messages)
    gc.freeze()  # they are many, and none of them is garbage
    return uvloop.run(post(load, requests))
