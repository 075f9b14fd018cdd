"""Whatever is wrong, the answer is a problem document with a code that clients can match on."""

from collections.abc import Callable
from pathlib import Path

import psycopg
from eventsourcing.persistence import StoredEvent
from httpx import Response
from litestar import Litestar, get
from litestar.testing import TestClient
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from myriorama.api.exchange import Exchange
from myriorama.api.problem_catalogue import catalogue, markdown
from myriorama.api.problems import HANDLERS
from myriorama.api.request_log import RequestLog
from myriorama.settings import Settings
from myriorama.store.log import Contended
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from tests.people import Person

DOCS = Path(__file__).parents[2] / "docs" / "problems.md"


def problem(response: Response) -> tuple[int, str]:
    document = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert document["status"] == response.status_code
    assert document["type"] == f"/problems#{document['code']}"
    assert document["request_id"] == response.headers["x-request-id"]
    return response.status_code, document["code"]


def test_every_part_of_a_body_that_is_wrong_is_pointed_at(api: TestClient[Litestar]) -> None:
    form = {"handle": "A!", "email": 5, "age_band": "18+", "password": "x" * 12, "is/admin": True}

    refused = api.post("/v1/accounts", json=form)

    assert problem(refused) == (400, "invalid_request")
    assert {violation["where"] for violation in refused.json()["errors"]} == {
        "/handle",
        "/email",
        "/is~1admin",
    }


def test_a_body_that_cannot_be_read_is_refused(api: TestClient[Litestar]) -> None:
    invalid, long = (400, "invalid_request"), (413, "body_too_large")
    expected = {
        b'{"name": "alice", "password": ': invalid,
        b"": invalid,
        b"null": invalid,
        b"[" * 50_000: invalid,
        b'{"name": "\xff", "password": "x"}': invalid,
        b'{"name": "\\ud800", "password": "x"}': invalid,
        b'{"name": "\\udc00", "password": "x"}': invalid,
        b'{"name": "al\\u0000ice", "password": "x"}': invalid,
        b'{"name": "\\\\u0000", "password": "x"}': (401, "credentials_wrong"),
        b'{"name": 1' + b"0" * 5_000 + b', "password": "x"}': invalid,
        b'{"name": "' + b"a" * 70_000 + b'", "password": "x"}': long,
    }
    json = {"content-type": "application/json"}

    answers = {
        body: problem(api.post("/v1/sessions", content=body, headers=json)) for body in expected
    }

    assert answers == expected


def test_a_number_in_quotes_is_no_number(person: Callable[[str], Person]) -> None:
    alice = person("alice")

    refused = alice.patch("/v1/me", json={"bio": 5})
    accepted = alice.patch("/v1/me", json={"bio": "5"})

    assert problem(refused) == (400, "invalid_request")
    assert accepted.status_code == 200


def test_a_route_reads_json_and_says_so(api: TestClient[Litestar]) -> None:
    form = api.post("/v1/sessions", data={"name": "alice", "password": "x"})

    assert problem(form) == (415, "content_type_unsupported")
    assert "application/json" in form.json()["detail"]


def test_what_is_not_there_and_what_cannot_be_done_there_are_told_apart(
    api: TestClient[Litestar],
) -> None:
    nowhere = api.get("/v1/nowhere")
    wrong = api.delete("/v1/accounts")
    methods = api.options("/v1/me")

    assert problem(nowhere) == (404, "not_found")
    assert problem(wrong) == (405, "method_not_allowed")
    assert set(wrong.headers["allow"].split(", ")) == {"POST", "OPTIONS"}
    assert methods.status_code == 204
    assert "GET" in methods.headers["allow"]


def test_no_bytes_in_a_url_are_our_fault(api: TestClient[Litestar]) -> None:
    expected = {
        "/v1/accounts/%00": 400,
        "/v1/accounts/al%00ice": 400,
        "/v1/accounts/%FF%FE": 404,
        "/v1/accounts/%F0%9F%A6%8A": 404,
        "/v1/accounts/alice?cursor=%00": 400,
        "/v1/accounts/alice?cursor=%FF": 400,
        "/v1/accounts/alice?cursor=" + "a" * 5_000: 404,
        "/schema/nothing": 404,
    }

    answers = {url: problem(api.get(url))[0] for url in expected}

    assert answers == expected


def test_a_limit_out_of_bounds_is_pointed_at(person: Callable[[str], Person]) -> None:
    alice = person("alice")

    for limit in ("0", "101", "x", "1e3", "9" * 400, "-1", ""):
        refused = alice.get("/v1/invitations", params={"limit": limit})

        assert problem(refused) == (400, "invalid_request")
        assert [violation["where"] for violation in refused.json()["errors"]] == ["limit"]


def test_an_id_that_is_none_names_nothing(person: Callable[[str], Person]) -> None:
    alice = person("alice")

    answer = alice.put("/v1/accounts/not-a-uuid/scopes", json={"scopes": []})

    assert problem(answer) == (404, "not_found")


def test_a_token_that_is_none_is_refused_even_where_none_is_needed(
    api: TestClient[Litestar],
) -> None:
    for shown in (b"Bearer", b"Bearer x", b"Basic YTpi", b"Bearer \xff\xfe", b"Bearer a.b.c", b""):
        answer = api.get("/health", headers={b"Authorization": shown})

        assert problem(answer) == (401, "token_invalid")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_client_names_its_request_and_the_log_keeps_the_name(
    settings: Settings, person: Callable[[str], Person]
) -> None:
    alice = person("alice")

    named = alice.patch("/v1/me", json={"bio": "Foxes."}, headers={"X-Request-Id": "fox-1"})
    unnamed = alice.get("/v1/me", headers={"X-Request-Id": "no spaces, please"})

    assert named.headers["x-request-id"] == "fox-1"
    assert unnamed.headers["x-request-id"] not in {"", "no spaces, please"}
    with psycopg.connect(settings.database_url) as database:
        row = database.execute(
            "SELECT request_id FROM events ORDER BY position DESC LIMIT 1"
        ).fetchone()
    assert row == ("fox-1",)


def test_while_postgresql_is_gone_clients_are_told_to_come_back(
    api: TestClient[Litestar], settings: Settings, postgres: str, person: Callable[[str], Person]
) -> None:
    alice = person("alice")
    name = str(conninfo_to_dict(settings.database_url)["dbname"])
    refuse = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
    leave = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"

    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(refuse)
        server.execute(leave, (name,))
    read = alice.get("/v1/invitations")
    written = alice.patch("/v1/me", json={"bio": "Foxes."})
    ready = api.get("/ready")

    assert problem(read) == problem(written) == (503, "store_unavailable")
    assert int(read.headers["retry-after"]) > 0
    assert ready.status_code == 503
    assert ready.json()["postgres"] == "unreachable"
    assert api.get("/health").status_code == 200


def test_what_a_newer_release_has_changed_waits_for_it(
    person: Callable[[str], Person], pool: Pool
) -> None:
    alice = person("alice")
    recorder = DomainRecorder(pool)
    version = len(recorder.select_events(alice.account_id)) + 1
    state = b'{"class_version":99}'
    recorder.insert_events(
        [StoredEvent(alice.account_id, version, "account.profile_changed", state)]
    )

    written = alice.patch("/v1/me", json={"bio": "Foxes."})

    assert problem(written) == (503, "store_unavailable")
    assert int(written.headers["retry-after"]) > 0


def test_a_fault_of_ours_tells_nothing_of_what_went_wrong() -> None:
    @get("/broken", sync_to_thread=False)
    def broken() -> None:
        raise RuntimeError("the password of the database")

    app = Litestar([broken], exception_handlers=dict(HANDLERS), openapi_config=None)
    app.asgi_handler = Exchange(app.asgi_handler, RequestLog(), None)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken")

    assert problem(answer) == (500, "internal_error")
    assert "password" not in answer.text


def test_who_lost_to_others_again_and_again_is_told_when_to_come_back() -> None:
    @get("/contended", sync_to_thread=False)
    def contended() -> None:
        raise Contended("Others were first.")

    app = Litestar([contended], exception_handlers=dict(HANDLERS), openapi_config=None)
    with TestClient(app) as client:
        answer = client.get("/contended")

    assert (answer.status_code, answer.json()["code"]) == (409, "contended")
    assert answer.headers["retry-after"] == "1"


def test_the_docs_explain_every_code() -> None:
    assert DOCS.read_text() == markdown(), "run: myriorama problems > docs/problems.md"


def test_a_code_means_one_thing() -> None:
    codes = [entry.code for entry in catalogue()]

    assert len(codes) == len(set(codes))


def test_the_type_of_a_problem_leads_to_its_explanation(api: TestClient[Litestar]) -> None:
    page = api.get("/problems")

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert all(f"<dt id={entry.code}>" in page.text for entry in catalogue())
