"""What an orchestrator and a monitoring system ask."""

from __future__ import annotations

import asyncio

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import metrics
from .errors import StoreUnavailable

READY_WITHIN = 2.0  # seconds that the store may take to answer the readiness probe


async def health(_request: Request) -> Response:
    """Answer that the process serves, for people used to Agent Kernel."""
    return JSONResponse({"status": "ok"})


async def livez(request: Request) -> Response:
    """Answer 503 if a background job has died: only a restart helps."""
    dead = request.state.jobs()
    return JSONResponse({"dead_jobs": dead}, status_code=503 if dead else 200)


async def readyz(request: Request) -> Response:
    """Answer 503 unless the store answers."""
    try:
        async with asyncio.timeout(READY_WITHIN):
            await request.state.store.ping()
    except (StoreUnavailable, TimeoutError):
        return JSONResponse({"store": "does not answer"}, status_code=503)
    return JSONResponse({"store": "ok"})


async def show_metrics(request: Request) -> Response:
    """Answer all metrics in Prometheus' format."""
    metrics.JOBS_DEAD.set(len(request.state.jobs()))
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES = (
    Route("/health", health),
    Route("/livez", livez),
    Route("/readyz", readyz),
    Route("/metrics", show_metrics),
)
