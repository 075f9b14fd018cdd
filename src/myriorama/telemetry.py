"""Signals: what every process tells of itself in logs, numbers and traces.

Logs are JSON lines (coloured text on a terminal) with the request and the trace that they belong
to. Numbers are for Prometheus. Traces are sent only where an endpoint is set; else no span is made.
"""

import logging
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager

import msgspec
import structlog
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector  # pyright: ignore[reportUnknownVariableType]  # untyped
from structlog.typing import EventDict, Processor, WrappedLogger

REQUESTS = Counter("myriorama_http_requests", "Requests answered", ["method", "route", "status"])
LATENCY = Histogram(
    "myriorama_http_request_seconds",
    "From the request to the first byte of its answer",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

_PROPAGATOR = TraceContextTextMapPropagator()
_ENCODER = msgspec.json.Encoder(enc_hook=repr)


def start_logs(level: int = logging.INFO) -> None:
    """Send the logs of this process to its standard output, one object a line."""
    terminal = sys.stdout.isatty()
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if terminal:
        # Not the default formatter, which shows local variables, and so secrets.
        plain = structlog.dev.plain_traceback
        processors.append(structlog.dev.ConsoleRenderer(exception_formatter=plain))
    else:
        processors += [structlog.processors.format_exc_info, _rendered]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=(
            structlog.PrintLoggerFactory() if terminal else structlog.BytesLoggerFactory()
        ),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("psycopg").addFilter(_is_news)


def metrics() -> bytes:
    """Return what is counted, in the text format of Prometheus; of all server processes as one.

    That they add up needs `PROMETHEUS_MULTIPROC_DIR` to be set before they start.
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # untyped library
    return generate_latest(together)


def serve_metrics(address: str) -> None:
    """Answer `/metrics` in a thread of this process, at host:port."""
    host, _, port = address.rpartition(":")
    start_http_server(int(port), host)


def traceparent_of(span: Span) -> str:
    """Return the W3C name of a span, as it goes into headers and into the log."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def passed_on(traceparent: str) -> str | None:
    """Return the trace context of a client as it may be passed on; None if it is not valid."""
    context = _PROPAGATOR.extract({"traceparent": traceparent})
    valid = trace.get_current_span(context).get_span_context().is_valid
    return traceparent if valid else None


class Tracing:
    """Makes spans and sends them to one place. One a process."""

    def __init__(self, exporter: SpanExporter, *, service: str) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("myriorama")

    @classmethod
    def to(cls, endpoint: str, *, service: str) -> "Tracing | None":
        """Return what sends spans to `http://host:port` by OTLP; None if that is empty."""
        if not endpoint:
            return None
        return cls(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces"), service=service)

    def answering(self, name: str, traceparent: str | None) -> Span:
        """Begin the span of an answer, as part of the client's trace if it named one."""
        context = _PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {})
        return self._tracer.start_span(name, context, SpanKind.SERVER)

    def consuming(self, name: str, context: Context) -> AbstractContextManager[Span]:
        """Span the work on a message, as part of the trace that it came with."""
        return self._tracer.start_as_current_span(name, context, SpanKind.CONSUMER)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


@contextmanager
def continuing(tracing: Tracing | None, name: str, headers: Mapping[str, bytes]) -> Generator[None]:
    """Act within the trace that the headers of a message name; what is sent on from here names it.

    With `tracing` the work is a span of its own; without, the trace is handed on as it came.
    """
    carried = {key: value.decode("latin-1") for key, value in headers.items()}
    context = _PROPAGATOR.extract(carried)
    if tracing:
        with tracing.consuming(name, context):
            yield
        return
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out that a pipeline ended in an error: who began it is told, and may expect it."""
    return not record.getMessage().startswith("error ignored terminating")


def _rendered(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    return _ENCODER.encode(event)
