"""Those who run the house see whether it works, and can follow one request through all of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from myriorama.bootstrap.api import create_api
from myriorama.processes import invite
from myriorama.settings import Settings
from myriorama.telemetry import Tracing, continuing, passed_on
from tests.collector import Collector, collecting
from tests.conftest import NOON
from tests.people import Person

TRACE = "0af7651916cd43dd8448eb211c80319c"
CLIENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def test_a_house_in_order_is_alive_and_ready(api: TestClient[Litestar]) -> None:
    assert api.get("/health").json() == {"status": "alive"}
    assert api.get("/ready").json() == {
        "ready": True,
        "postgres": "reachable",
        "migrations_missing": [],
        "projections_lag_s": 0.0,
    }


def test_an_old_schema_is_not_ready(api: TestClient[Litestar], settings: Settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as database:
        database.execute("DELETE FROM migrations WHERE name = '0003_accounts.sql'")

    answer = api.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["migrations_missing"] == ["0003_accounts.sql"]
    assert api.get("/health").status_code == 200


def test_projections_that_stand_still_are_not_ready(settings: Settings) -> None:
    invite(settings, at=NOON)
    with psycopg.connect(settings.database_url, autocommit=True) as database:
        database.execute("ALTER TABLE events DISABLE TRIGGER events_are_facts")
        database.execute("UPDATE events SET recorded_at = recorded_at - interval '1 minute'")
    with TestClient(create_api(settings)) as api:
        answer = api.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["projections_lag_s"] >= 60


def test_requests_are_counted_by_route_and_not_by_path(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    person("alice")
    route = "/v1/accounts/{handle}"

    before = counted(api, route)
    for handle in ("alice", "nobody", "nobody-else"):
        api.get(f"/v1/accounts/{handle}")
    after = counted(api, route)

    assert after.get("200", 0) - before.get("200", 0) == 1
    assert after.get("404", 0) - before.get("404", 0) == 2


def counted(api: TestClient[Litestar], route: str) -> dict[str, float]:
    page = api.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        sample.labels["status"]: sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
        if sample.name == "myriorama_http_requests_total" and sample.labels["route"] == route
    }


def test_a_long_path_does_not_fill_the_log(
    settings: Settings, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with TestClient(create_api(settings)) as api:
        answer = api.get(f"/v1/accounts/{'a' * 20_000}", headers={"traceparent": CLIENT})

    lines = capsysbinary.readouterr().out.splitlines()
    (entry,) = (msgspec.json.decode(line) for line in lines if b'"event":"request"' in line)
    assert entry["path"].startswith("/v1/accounts/aaa")
    assert len(entry["path"]) == 500
    assert (entry["status"], entry["problem"]) == (answer.status_code, answer.json()["code"])
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert entry["trace"] == CLIENT


def test_methods_that_clients_make_up_are_counted_as_one(api: TestClient[Litestar]) -> None:
    for number in range(3):
        api.request(f"BREW{number}", "/v1/feed")

    counts = api.get("/metrics").text

    assert 'method="other"' in counts
    assert "BREW" not in counts


def test_answers_name_no_software_and_let_no_page_run_what_we_do_not_serve(
    api: TestClient[Litestar],
) -> None:
    headers = api.get("/health").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"]
    assert headers["server"] == "myriorama"


def test_pages_of_other_sites_may_call_only_where_they_are_let(settings: Settings) -> None:
    ask = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key",
    }
    friend, stranger = {"Origin": "https://app.example"}, {"Origin": "https://evil.example"}
    with TestClient(
        create_api(replace(settings, cors_origins="https://app.example, https://b.example"))
    ) as api:
        asked = api.options("/v1/sessions", headers=friend | ask)
        refused = api.options("/v1/sessions", headers=stranger | ask)
        read = api.get("/health", headers=friend)
        unread = api.get("/health", headers=stranger)

    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "https://app.example"
    assert "x-request-id" in read.headers["access-control-expose-headers"].lower()
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in unread.headers
    assert "access-control-allow-credentials" not in read.headers


def test_a_trace_goes_through_the_answer_into_the_log_and_on_to_kafka(
    settings: Settings, collector: Collector
) -> None:
    endpoint, spans = collector.endpoint, collector.spans
    traced = replace(settings, otlp_endpoint=endpoint, sign_up="open")
    form = {"handle": "alice", "email": "alice@example.org", "password": "correct horse battery"}

    with TestClient(create_api(traced)) as api:
        answer = api.post(
            "/v1/accounts", json=form | {"age_band": "18+"}, headers={"traceparent": CLIENT}
        )
    _, answered = spans.get(timeout=120)
    with psycopg.connect(settings.database_url) as database:
        (recorded,) = database.execute("SELECT DISTINCT traceparent FROM events").fetchall()
    worker = Tracing.to(endpoint, service="worker")
    assert worker
    with continuing(worker, "render", {"traceparent": recorded[0].encode()}):
        pass
    worker.close()
    _, rendered = spans.get(timeout=120)

    assert answer.status_code == 201
    assert answered.name == "POST /v1/accounts"
    assert answered.trace_id.hex() == rendered.trace_id.hex() == TRACE
    assert answered.parent_span_id.hex() == "b7ad6b7169203331"
    assert recorded == (f"00-{TRACE}-{answered.span_id.hex()}-01",)
    assert rendered.parent_span_id == answered.span_id


def test_a_trace_of_a_client_is_passed_on_though_nothing_is_traced_here(
    settings: Settings, person: Callable[[str], Person]
) -> None:
    alice = person("alice")

    alice.patch("/v1/me", json={"bio": "Foxes."}, headers={"traceparent": CLIENT})
    alice.patch("/v1/me", json={"bio": "Owls."}, headers={"traceparent": "made up"})

    with psycopg.connect(settings.database_url) as database:
        rows = database.execute(
            "SELECT traceparent FROM events ORDER BY position DESC LIMIT 2"
        ).fetchall()
    assert rows == [(None,), (CLIENT,)]
    assert Tracing.to("", service="api") is None
    assert passed_on("made up") is None
