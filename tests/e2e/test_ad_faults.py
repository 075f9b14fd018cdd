"""The server is killed with -9 among the ads that it shows: what is not on record is free."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from domain.top_up.aggregate import TopUp
from domain.top_up.payments import Payment
from myriorama.api.tokens import AccessTokens
from myriorama.billing.spending import drift_micros
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import open_pool
from tests.advertising import TERMS
from tests.api.feed_ads import Advertised, until
from tests.e2e.conftest import House, running_house
from tests.e2e.residents import kill
from tests.people import application_form
from tests.publishing import published

READERS = 4
KILLS_MAX = 8
TIME_FLOOR_S = 2.5

RECORDED = "SELECT ad_decision_id FROM ad_decisions"

SETTLED = "SELECT decision_id FROM charges"

CHARGED = "SELECT decision_id FROM charges WHERE micros > 0"

IS_PROJECTED = """
    SELECT coalesce((SELECT max(last_position) FROM view_appends), 0)
        <= coalesce((SELECT position FROM projection_positions WHERE name = 'ad_decisions'), 0)
"""


@dataclass
class Crowd:
    """People who open the feed, each once, and report the ads that they saw."""

    house: House
    settings: Settings
    seen: dict[UUID, tuple[UUID, str]] = field(default_factory=dict[UUID, tuple[UUID, str]])

    def __post_init__(self) -> None:
        self._tokens = AccessTokens(
            secret=self.settings.secret, worker_token=self.settings.worker_token
        )
        app = {"User-Agent": "Myriorama/1.0 (iOS; tests)"}
        self._api = httpx.Client(base_url=self.house.url, timeout=30, headers=app)

    def leave(self) -> None:
        self._api.close()

    def send(
        self, account_id: UUID, method: str, url: str, body: object = None, scope: str = "viewer"
    ) -> httpx.Response:
        token = self._tokens.issue(account_id, uuid4(), (scope,), now=time.time())
        headers = {"Authorization": f"Bearer {token}"}
        return self._api.request(method, url, json=body, headers=headers)

    def join(self, handle: str) -> UUID:
        """Let somebody sign up."""
        form = application_form(handle, self.house.invitation())
        answer = self._api.post("/v1/accounts", json=form).raise_for_status()
        return UUID(answer.json()["account_id"])

    def look(self) -> None:
        """Let somebody open the feed."""
        viewer_id = uuid4()
        page = self.send(viewer_id, "GET", "/v1/feed?kind=latest").raise_for_status().json()
        for ad in page["ads"]:
            self.seen[UUID(ad["ad_decision_id"])] = (viewer_id, ad["token"])

    def look_until_it_is_killed(self) -> None:
        """Let one after the other open the feed while another kills its server."""
        until(lambda: self._has_looked() and bool(self.seen))
        before = len(self.seen)
        with ThreadPoolExecutor(READERS) as readers:
            looking = [readers.submit(self._look_on) for _ in range(READERS)]
            until(lambda: len(self.seen) > before + 20)
            kill(self.house, "myriorama serve")
            for each in looking:
                each.result()

    def report(self) -> None:
        """Report all that was seen as seen."""
        for viewer_id, token in self.seen.values():
            events = {"events": [{"token": token, "event": "viewable"}]}
            answer = self.send(viewer_id, "POST", "/v1/ad-events", events)
            assert answer.json()["accepted"] == 1, answer.text

    def _look_on(self) -> None:
        try:
            while True:
                self.look()
        except httpx.TransportError:
            return

    def _has_looked(self) -> bool:
        self.look()
        return True


def paid_in(advertiser_id: UUID) -> TopUp:
    """Return a payment that has arrived."""
    at, micros = datetime.now(UTC), 100_000_000
    top_up = TopUp.request(
        uuid4(),
        advertiser_id=advertiser_id,
        amount_micros=micros,
        currency="USD",
        method="checkout",
        by=uuid4(),
        at=at,
    )
    top_up.observe(Payment("pi_1", top_up.id, "succeeded", micros, "USD"), at=at)
    return top_up


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """People in a house of their own, in which there are sixty videos and an advertiser."""
    with running_house("--empty") as house:
        lines = (house.home / "environment").read_text().splitlines()
        settings = Settings.read(dict(line.split("=", 1) for line in lines if "=" in line))
        crowd = Crowd(house, settings)
        yield crowd
        crowd.leave()


def test_ads_of_a_server_that_was_killed_are_charged_if_they_are_on_record(crowd: Crowd) -> None:
    with open_pool(crowd.settings.database_url, size_max=1) as pool:
        log, author_id = Log(pool), crowd.join("alice")
        for number in range(60):
            log.save(published(author_id, caption=f"Number {number}"))
        advertised = Advertised(log, schedule=replace(TERMS.schedule, pacing="asap"))
        log.save(paid_in(advertised.advertiser.id))

    with psycopg.connect(crowd.settings.database_url, autocommit=True) as connection:

        def told(query: str) -> set[UUID]:
            return {row[0] for row in connection.execute(query.encode())}

        def is_projected() -> bool:
            return bool((connection.execute(IS_PROJECTED).fetchone() or (False,))[0])

        lost = set[UUID]()
        for kills in range(1, KILLS_MAX + 1):
            crowd.look_until_it_is_killed()
            crowd.house.await_ready()
            until(is_projected)
            lost = crowd.seen.keys() - told(RECORDED)
            if lost and kills > 1:
                break
        assert lost
        recorded = crowd.seen.keys() - lost
        reported_s = time.monotonic() + TIME_FLOOR_S
        until(lambda: time.monotonic() > reported_s)

        crowd.report()

        until(lambda: told(SETTLED) >= crowd.seen.keys())
        assert told(CHARGED) == recorded
        assert told(CHARGED) <= told(RECORDED)
        assert drift_micros(connection) == 0
