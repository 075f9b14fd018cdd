"""What receives traces: an OTLP endpoint over HTTP that keeps the spans it was sent."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Collector:
    """Where to send spans, and those that came, each with the name of its service."""

    endpoint: str
    spans: Queue[tuple[str, Span]]


@contextmanager
def collecting() -> Generator[Collector]:
    """Receive spans for as long as the context is open."""
    spans = Queue[tuple[str, Span]]()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            sent = ExportTraceServiceRequest.FromString(self.rfile.read(length))
            for resource in sent.resource_spans:
                named = {a.key: a.value.string_value for a in resource.resource.attributes}
                for part in resource.scope_spans:
                    for span in part.spans:
                        spans.put((named["service.name"], span))
            self.send_response(200)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Collector(f"http://127.0.0.1:{server.server_port}", spans)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
