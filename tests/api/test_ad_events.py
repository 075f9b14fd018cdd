"""What apps report of ads, from the beacon to the charge."""

import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from httpx import Response

from ads.lines import Kind
from ads.tokens import AdToken, Tokens
from myriorama.billing.leases import Leases
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import BudgetedLine, drift_micros, put_line, set_cap, spending_of
from myriorama.bootstrap.settlement import create_ad_tokens, pseudonym_key
from myriorama.feed.ad_pseudonyms import Pseudonyms
from myriorama.settings import Settings
from myriorama.store.postgres import Pool
from myriorama.store.signing import Signer
from tests.people import Person

People = Callable[[str], Person]
Sign = Callable[..., str]

ADVERTISER, CAMPAIGN, LINE = (UUID(int=n) for n in (1, 2, 3))
APP = "Myriorama/1.0 (tests)"


@pytest.fixture
def tokens(settings: Settings) -> Tokens:
    return create_ad_tokens(Signer(settings.secret.encode()))


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def sign(settings: Settings, tokens: Tokens, connection: psycopg.Connection, pool: Pool) -> Sign:
    """Sign for an ad that was shown some seconds ago, out of a lease of 10,000 micros."""
    set_cap(connection, "advertiser", ADVERTISER, 40_000, advertiser_id=ADVERTISER)
    set_cap(connection, "campaign", CAMPAIGN, 40_000, advertiser_id=ADVERTISER)
    put_line(connection, BudgetedLine(LINE, CAMPAIGN, ADVERTISER, "Europe/Berlin"))
    lease = Leases(pool, "tests").grant(LINE, wanted_micros=10_000, least_micros=1)
    assert lease is not None
    pseudonyms = Pseudonyms(pseudonym_key(Signer(settings.secret.encode())))

    def signed(who: Person, micros: int = 4_200, *, kind: Kind = "cpm", ago_ms: int = 9_000) -> str:
        decided_ms = time.time_ns() // 1_000_000 - ago_ms
        token = AdToken(
            decision_id=uuid4(),
            line_id=LINE,
            creative_id=uuid4(),
            advertiser_id=ADVERTISER,
            lease_id=lease.lease_id,
            kind=kind,
            price_micros=micros,
            viewer=pseudonyms.of(who.account_id.bytes),
            position=3,
            surface=0,
            decided_ms=decided_ms,
            expires_ms=min(decided_ms + 600_000, lease.tokens_until_ms),
            day=lease.day,
        )
        return tokens.sign(token)

    return signed


def report(who: Person, *events: tuple[str, str], agent: str = APP) -> Response:
    body = {"events": [{"token": token, "event": event} for token, event in events]}
    return who.send("POST", "/v1/ad-events", json=body, headers={"User-Agent": agent})


def spent(connection: psycopg.Connection, tokens: Tokens) -> int:
    Settlement(connection, tokens).settle()
    assert drift_micros(connection) == 0
    return spending_of(connection, "line", LINE)[0].spent_micros


def test_a_view_that_is_reported_is_charged_once_however_often_it_is_sent(
    person: People, sign: Sign, connection: psycopg.Connection, tokens: Tokens
) -> None:
    alice = person("alice")
    token = sign(alice, 4_200)

    answers = [report(alice, (token, "viewable"), (token, "complete")) for _ in range(3)]

    assert [answer.json() for answer in answers] == [{"accepted": 2, "refused": []}] * 3
    assert spent(connection, tokens) == 4_200


def test_what_is_forged_or_expired_is_told_and_does_not_lose_the_rest(
    person: People, sign: Sign, connection: psycopg.Connection, tokens: Tokens
) -> None:
    mallory = person("mallory")
    token = sign(mallory, 4_200)
    forged = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]

    answer = report(
        mallory,
        (forged, "viewable"),
        (sign(mallory, ago_ms=601_000), "viewable"),
        (sign(person("alice")), "viewable"),
        (token, "viewable"),
    )

    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 1,
        "refused": [
            {"index": 0, "code": "ad_token_invalid"},
            {"index": 1, "code": "ad_token_expired"},
            {"index": 2, "code": "ad_token_of_another"},
        ],
    }
    assert spent(connection, tokens) == 4_200


@pytest.mark.parametrize("agent", ["", "Googlebot/2.1", "curl/8.0"])
def test_what_no_viewer_sends_is_accepted_and_costs_nothing(
    person: People, sign: Sign, connection: psycopg.Connection, tokens: Tokens, agent: str
) -> None:
    mallory = person("mallory")

    answer = report(mallory, (sign(mallory), "viewable"), agent=agent)

    assert answer.json()["accepted"] == 1
    assert spent(connection, tokens) == 0


def test_a_view_that_took_no_time_costs_nothing(
    person: People, sign: Sign, connection: psycopg.Connection, tokens: Tokens
) -> None:
    mallory = person("mallory")

    report(mallory, (sign(mallory, ago_ms=100), "viewable"))

    assert spent(connection, tokens) == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": []},
        {"events": [{"token": "A" * 171, "event": "bought"}]},
        {"events": [{"token": 7, "event": "click"}]},
        {"events": [{"token": "A" * 171, "event": "click"}] * 101},
        {"events": [{"token": "A" * 10_000, "event": "click"}]},
    ],
)
def test_what_is_no_report_is_refused_with_a_problem(
    person: People, body: dict[str, object]
) -> None:
    answer = person("alice").post("/v1/ad-events", json=body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"
