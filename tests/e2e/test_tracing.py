"""One trace tells of a generation from the click through the log and Kafka to the worker."""

import time

import httpx

from tests.collector import Collector, collecting
from tests.e2e.conftest import House, running_house
from tests.people import application_form

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLICK = f"00-{TRACE}-00f067aa0ba902b7-01"
_PATIENCE_S = 60
_WISH = {"prompt": "a fox", "seconds": 2, "orientation": "square", "resolution": "480p"}


def test_a_generation_is_one_trace_from_the_api_to_the_worker_and_back() -> None:
    with (
        collecting() as collector,
        running_house("--empty", MYRIORAMA_OTLP_ENDPOINT=collector.endpoint) as house,
        httpx.Client(base_url=house.url, timeout=30) as api,
    ):
        tokens = api.post("/v1/accounts", json=application_form("alice", house.invitation()))
        api.headers["Authorization"] = f"Bearer {tokens.json()['access_token']}"

        asked = api.post("/v1/generations", json=_WISH, headers={"traceparent": CLICK})

        assert asked.status_code == 201, asked.text
        seen = collect(collector, house, last="POST /v1/work/{generation_id}/complete")
        assert {
            ("myriorama-api", "POST /v1/generations"),
            ("myriorama-worker", "generation"),
            ("myriorama-api", "POST /v1/work/{generation_id}/claim"),
        } <= seen


def collect(collector: Collector, house: House, *, last: str) -> set[tuple[str, str]]:
    """Return service and name of the spans of the trace, once the last and the worker's came."""
    deadline = time.monotonic() + _PATIENCE_S
    seen: set[tuple[str, str]] = set()
    wanted = {("myriorama-api", last), ("myriorama-worker", "generation")}
    while not wanted <= seen:
        assert time.monotonic() < deadline, f"{seen}\n{house.logs()}"
        service, span = collector.spans.get(timeout=_PATIENCE_S)
        if span.trace_id.hex() == TRACE:
            seen.add((service, span.name))
    return seen
