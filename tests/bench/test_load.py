"""The load generator counts what is answered, and takes nothing else for an answer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from myriorama.bench.load import AnswerUnexpected, Plan, drive, request
from myriorama.bench.outcome import Outcome, median, percentile, table

BODY = b"x" * 300_000


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200 if self.headers["Authorization"] == "Bearer good" else 401)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library has it
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("rate", [None, 50.0])
def test_every_request_is_answered_and_timed(port: int, rate: float | None) -> None:
    requests = [request("/", "good")]

    found = drive(Plan(port, requests, 4, 0.5, rate, seed=1, in_order=False))

    assert found.latencies_ms
    assert found.per_s > 0
    assert all(latency > 0 for latency in found.latencies_ms)


def test_an_answer_that_is_not_200_ends_the_measurement(port: int) -> None:
    requests = [request("/", "bad")]

    with pytest.raises(AnswerUnexpected, match="401"):
        drive(Plan(port, requests, 1, 0.5, None, seed=1, in_order=True))


def test_a_share_of_the_values_lies_below_its_percentile() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert median(values) == 51
    assert percentile(values, 0.99) == 100
    assert percentile([7.0], 0.99) == 7


def test_a_table_tells_the_ratios_first() -> None:
    lines = table(Outcome("http", {"feed_per_s": 1464.2}, {"feed_over_bare": 0.205})).splitlines()

    assert [line.split() for line in lines] == [
        ["http", "feed_over_bare", "0.205"],
        ["http", "feed_per_s", "1,464.200"],
    ]
