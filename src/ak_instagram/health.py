"""The probes of an orchestrator and the metrics of a monitoring system."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import metrics
from .errors import StoreUnavailable

READY_WITHIN = 2.0  # seconds that the store may take to answer the readiness probe


class Pingable(Protocol):
    """The part of the store that tells whether its database takes writes."""

    async def ping(self) -> object:
        """Return if the database takes writes; raise `errors.StoreUnavailable` if it refuses."""
        ...


@dataclass(frozen=True, slots=True)
class Probes:
    """The endpoints about the service itself; *dead_jobs* returns the names of those that died."""

    store: Pingable
    dead_jobs: Callable[[], list[str]]

    def routes(self) -> list[Route]:
        """Return where they are."""
        return [
            Route("/health", self.health),
            Route("/livez", self.livez),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        ]

    async def health(self, _request: Request) -> Response:
        """Answer that the process serves, for people used to Agent Kernel."""
        return JSONResponse({"status": "ok"})

    async def livez(self, _request: Request) -> Response:
        """Answer 503 if a background job has died: only a restart helps."""
        dead = self.dead_jobs()
        return JSONResponse({"dead_jobs": dead}, status_code=503 if dead else 200)

    async def readyz(self, _request: Request) -> Response:
        """Answer 503 unless the store takes writes, without which no webhook is taken."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                await self.store.ping()
        except (StoreUnavailable, TimeoutError):
            return JSONResponse({"store": "takes no writes"}, status_code=503)
        return JSONResponse({"store": "ok"})

    async def metrics(self, _request: Request) -> Response:
        """Answer all metrics in Prometheus' format."""
        metrics.JOBS_DEAD.set(len(self.dead_jobs()))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
