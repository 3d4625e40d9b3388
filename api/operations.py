"""What operators watch: `/healthz`, `/readyz`, `/metrics`, a request id on every answer, one log line a request."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from catalog.services import health

log = structlog.get_logger("weft.request")
operations = Blueprint("operations", __name__)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
REQUESTS = Counter(
    "weft_requests",
    "Answers by endpoint, method and status",
    ("endpoint", "method", "status"),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "weft_request_seconds",
    "Wall time until the answer starts, by endpoint",
    ("endpoint",),
    registry=REGISTRY,
)
WAITING = Gauge("weft_jobs_waiting", "Jobs that wait for the worker", registry=REGISTRY)
SEARCH = Gauge("weft_search_up", "Whether the search engine answers", registry=REGISTRY)
SHUT_IN = Gauge(
    "weft_sql_shut_in",
    "Whether this means of the kernel shut in the last SQL statement of this process",
    ("means",),
    registry=REGISTRY,
)
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""A stranger may send any word; each would be a time series."""
SENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def init_app(app: Flask) -> None:
    """Add the endpoints and the accounting of every request."""
    app.register_blueprint(operations)
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if SENT_ID.fullmatch(sent) else uuid.uuid4().hex
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    endpoint = request.endpoint or "unknown"
    response.headers["X-Request-Id"] = g.get("request_id", "")
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(endpoint, method, response.status_code).inc()
    SECONDS.labels(endpoint).observe(seconds)
    if endpoint != "static":
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
    return response


@operations.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@operations.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Every engine answers; 503 and the sentences of those that do not.

    Without search the portal goes on, with pages from the database: taking it out of the balancer would help nobody.
    """
    troubles = health.troubles()
    if troubles.keys() - health.DISPENSABLE:
        return {"status": "unavailable", "troubles": troubles}, 503
    if troubles:
        return {"status": "degraded", "troubles": troubles}
    return {"status": "ok"}


@operations.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Prometheus metrics of this process and the length of the queue."""
    WAITING.set(health.jobs_waiting())
    SEARCH.set(health.search_answers())
    for means, took_effect in health.statements_shut_in().items():
        SHUT_IN.labels(means).set(took_effect)
    return Response(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
