"""Nobody may ask more often than is set, and everybody is told how often that is."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import Scope

from myriorama.api.limits import Meter, client_address
from myriorama.bootstrap.api import create_api
from myriorama.settings import Settings
from tests.people import PASSWORD, sign_up

WINDOW_S = 60


@pytest.fixture
def few(settings: Settings, projecting: None) -> Iterator[TestClient[Litestar]]:
    """The API where ten requests a minute are much, and three to sign in."""
    assert projecting is None
    strict = replace(settings, requests_per_minute=10, credential_requests_per_minute=3)
    with TestClient(create_api(strict), raise_server_exceptions=False) as client:
        yield client


def test_the_limit_is_all_at_once_and_then_evenly() -> None:
    meter = Meter(6)

    burst = [meter.take("alice", 0).allowed for _ in range(7)]
    refilled = [meter.take("alice", at).allowed for at in (9.9, 10.1, 10.2, 20.1)]

    assert burst == [True] * 6 + [False]
    assert refilled == [False, True, False, True]


def test_the_headers_tell_what_is_left_and_when_it_is_whole_again() -> None:
    meter = Meter(6)

    first, second = meter.take("alice", 0), meter.take("alice", 0)
    for _ in range(4):
        meter.take("alice", 0)
    refused = meter.take("alice", 2)

    assert (first.remaining, first.reset_s) == (5, 10)
    assert (second.remaining, second.reset_s) == (4, 20)
    assert (refused.allowed, refused.remaining, refused.retry_s) == (False, 0, 8)
    assert meter.take("bob", 2).remaining == 5


@given(
    st.lists(st.floats(0, 30), min_size=1, max_size=200),
    st.integers(1, 50),
)
def test_no_minute_lets_more_than_two_limits_through(pauses: list[float], limit: int) -> None:
    meter, now, allowed = Meter(limit), 0.0, list[float]()

    for pause in pauses:
        now += pause
        if meter.take("alice", now).allowed:
            allowed.append(now)

    for start in allowed:
        assert sum(start <= at < start + WINDOW_S for at in allowed) <= 2 * limit


@given(st.lists(st.floats(0, 40), min_size=1, max_size=60), st.integers(1, 9))
def test_who_was_forgotten_is_as_who_never_came(pauses: list[float], limit: int) -> None:
    crowd, alone, now = Meter(limit, clients_max=10_000), Meter(limit), 0.0

    for index, pause in enumerate(pauses):
        now += pause
        crowd.take(f"passer-by {index}", now)
        assert crowd.take("alice", now) == alone.take("alice", now)


def test_memory_is_bounded_however_many_come() -> None:
    meter = Meter(5, clients_max=100)

    for client in range(10_000):
        meter.take(client, client / 1000)

    assert meter.clients <= 200


def test_who_asks_too_often_is_told_when_to_come_again(
    few: TestClient[Litestar], settings: Settings
) -> None:
    alice = sign_up(few, settings, "alice")

    answers = [alice.get("/v1/me") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=10;w=60'
    assert answers[0].headers["ratelimit"] == '"requests";r=9;t=6'
    assert answers[-1].json()["code"] == "too_many_requests"
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 6
    assert answers[-1].headers["ratelimit"].startswith('"requests";r=0;t=')


def test_one_account_does_not_use_up_what_another_may_ask(
    few: TestClient[Litestar], settings: Settings
) -> None:
    alice, bob = sign_up(few, settings, "alice"), sign_up(few, settings, "bob")

    for _ in range(11):
        alice.get("/v1/me")

    assert bob.get("/v1/me").status_code == 200
    assert few.get("/v1/accounts/alice").status_code == 200


def test_passwords_are_not_tried_quickly_with_or_without_a_token(
    few: TestClient[Litestar], settings: Settings
) -> None:
    alice = sign_up(few, settings, "alice")
    wrong = {"name": "alice", "password": "not the password"}

    answers = [few.post("/v1/sessions", json=wrong).status_code for _ in range(3)]
    with_token = alice.post("/v1/sessions", json={"name": "alice", "password": PASSWORD})

    assert answers == [401, 401, 429]
    assert with_token.status_code == 429
    assert alice.get("/v1/me").status_code == 200


def test_operators_and_workers_are_not_counted(
    few: TestClient[Litestar], settings: Settings
) -> None:
    worker = {"Authorization": f"Bearer {settings.worker_token}"}

    health = [few.get("/health") for _ in range(30)]
    work = [few.get("/v1/me", headers=worker) for _ in range(30)]

    assert {answer.status_code for answer in health} == {200}
    assert "ratelimit" not in health[0].headers
    assert {answer.status_code for answer in work} == {403}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "not:an:address", "not:an:address"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(
    proxies: int, forwarded: str, address: str, scope: Callable[[str, str], Scope]
) -> None:
    assert client_address(scope("192.0.2.1", forwarded), proxies) == address


@pytest.fixture
def scope() -> Callable[[str, str], Scope]:
    def make(client: str, forwarded: str) -> Scope:
        headers = [(b"x-forwarded-for", forwarded.encode())]
        return {"type": "http", "client": (client, 1), "headers": headers}  # type: ignore[return-value]  # as much of it as matters

    return make
