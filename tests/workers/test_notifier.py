"""Advertisers are told what happens: signed, until answered, once a thing, and never inside."""

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prometheus_client import REGISTRY
from standardwebhooks import Webhook, WebhookVerificationError

from domain.addresses import is_public
from domain.advertiser.aggregate import Advertiser
from domain.campaign.aggregate import Campaign
from myriorama.application.ad_webhooks import AdWebhooks, Opened, WebhookSecrets
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.store.signing import Signer
from myriorama.workers.notices import Notices
from myriorama.workers.notifier import PAUSES_S, Notifier
from myriorama.workers.outside import LeadsInside, Outside
from projections.ad_webhooks import AdWebhooks as AdWebhooksProjection
from projections.campaigns import Campaigns
from tests.advertising import advertiser, campaign
from tests.folding import fold

ALICE = uuid4()

FOLDED = """
    INSERT INTO projection_positions (name, position)
    SELECT name, (SELECT max(position) FROM events)
    FROM unnest(ARRAY['ad_webhooks', 'campaigns', 'creatives', 'line_items']) AS name
    ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""


class Receiver(ThreadingHTTPServer):
    """An advertiser's receiver on loopback: what it got, and what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiving)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hooks"


class _Receiving(BaseHTTPRequestHandler):
    server: Receiver  # pyright: ignore[reportIncompatibleVariableOverride] - what serves us

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.server.may_answer.wait()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library calls it
        pass


@contextmanager
def receiving() -> Generator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.may_answer.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def slow() -> Iterator[Receiver]:
    """A second receiver, which answers nobody until it is told to."""
    with receiving() as server:
        server.may_answer.clear()
        yield server


class House:
    """An advertiser with a campaign and a webhook, and the notifier, step by step."""

    def __init__(
        self,
        pool: Pool,
        log: Log,
        receiver: Receiver,
        *,
        also: Receiver | None = None,
        inside: bool = True,
    ) -> None:
        self.pool, self.log, self.receiver = pool, log, receiver
        receivers = [receiver, also] if also else [receiver]
        known = {each.host for each in receivers}
        hosts = known if inside else set[str]()
        self.secrets = WebhookSecrets(Signer(b"a secret of the tests, 32 bytes!").key)
        self.webhooks = AdWebhooks(log, pool, self.secrets, inside=known)
        self.outside = Outside(hosts)
        self.notifier = Notifier(Notices(pool), self.webhooks, self.secrets, self.outside)
        self.advertiser: Advertiser = advertiser(ALICE)
        self.campaign: Campaign = campaign(self.advertiser)
        log.save(self.advertiser, self.campaign)
        at = datetime.now(UTC)
        self.opened: Opened
        for each in reversed(receivers):
            self.opened = self.webhooks.open(self.advertiser.id, each.url, by=ALICE, at=at)

    def complete_another(self) -> None:
        ended = campaign(self.advertiser)
        ended.complete(by=ALICE, at=datetime.now(UTC))
        self.log.save(ended)

    def complete(self) -> None:
        ended = self.log.find(Campaign, self.campaign.id)
        assert ended is not None
        ended.complete(by=ALICE, at=datetime.now(UTC))
        self.log.save(ended)

    def step(self) -> None:
        fold(self.pool, AdWebhooksProjection(), Campaigns())
        with (
            psycopg.connect(str(self.pool.conninfo), autocommit=True) as connection,
            ThreadPoolExecutor(2) as threads,
        ):
            connection.execute(FOLDED)
            self.notifier.step(connection, threads)
            while self.notifier.rest():
                self.notifier.step(connection, threads)

    def hurry(self) -> None:
        """Let what waits be due."""
        with self.pool.connection() as connection:
            connection.execute("UPDATE ad_deliveries SET due_at = clock_timestamp()")

    def deliveries(self) -> list[tuple[str, int, int | None, str | None]]:
        with self.pool.connection() as connection:
            return connection.execute(
                "SELECT state, attempts, last_status, last_error FROM ad_deliveries"
            ).fetchall()


@pytest.fixture
def house(pool: Pool, log: Log, receiver: Receiver) -> Iterator[House]:
    house = House(pool, log, receiver)
    yield house
    house.outside.close()


def test_a_receiver_that_verifies_by_the_library_accepts_what_it_is_told(house: House) -> None:
    house.complete()

    house.step()

    ((headers, body),) = house.receiver.got
    told = Webhook(house.opened.secret).verify(body, headers)
    assert told["type"] == "campaign.completed"
    assert told["data"] == {
        "advertiser_id": str(house.advertiser.id),
        "campaign_id": str(house.campaign.id),
    }
    assert house.deliveries() == [("delivered", 1, 204, None)]


def test_nothing_is_told_twice(house: House) -> None:
    house.complete()

    for _ in range(3):
        house.step()

    assert len(house.receiver.got) == 1


def test_what_is_not_answered_well_is_told_again_under_the_same_id(house: House) -> None:
    house.complete()
    house.receiver.status = 500
    house.step()
    house.step()
    waiting = house.deliveries()
    house.receiver.status = 200
    house.hurry()

    house.step()

    assert waiting == [("due", 1, 500, None)]
    assert house.deliveries() == [("delivered", 2, 200, None)]
    first, second = (headers["webhook-id"] for headers, _ in house.receiver.got)
    assert first == second


def test_a_redirect_is_not_followed(house: House) -> None:
    house.complete()
    house.receiver.status = 302
    house.receiver.headers = {"Location": house.receiver.url}

    house.step()

    assert len(house.receiver.got) == 1
    assert house.deliveries() == [("due", 1, 302, None)]


def test_a_secret_that_was_rotated_signs_for_a_day_beside_the_new_one(house: House) -> None:
    at = datetime.now(UTC)
    new = house.webhooks.rotate_secret(
        house.advertiser.id, house.opened.webhook_id, by=ALICE, at=at
    )
    house.complete()

    house.step()

    ((headers, body),) = house.receiver.got
    for secret in (house.opened.secret, new.secret):
        assert Webhook(secret).verify(body, headers)["type"] == "campaign.completed"
    with pytest.raises(WebhookVerificationError):
        Webhook(house.secrets.secret(house.opened.webhook_id, 3)).verify(body, headers)


def test_a_secret_that_was_rotated_two_days_ago_signs_no_more(house: House) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    house.webhooks.rotate_secret(house.advertiser.id, house.opened.webhook_id, by=ALICE, at=at)
    house.complete()

    house.step()

    ((headers, body),) = house.receiver.got
    with pytest.raises(WebhookVerificationError):
        Webhook(house.opened.secret).verify(body, headers)


def test_who_answers_slowly_holds_up_nobody_else(
    pool: Pool, log: Log, receiver: Receiver, slow: Receiver
) -> None:
    house = House(pool, log, receiver, also=slow)
    for _ in range(3):
        house.complete_another()
    fold(pool, AdWebhooksProjection(), Campaigns())

    with (
        psycopg.connect(str(pool.conninfo), autocommit=True) as connection,
        ThreadPoolExecutor(4) as threads,
    ):
        connection.execute(FOLDED)
        while house.deliveries().count(("delivered", 1, 204, None)) < 3:
            house.notifier.step(connection, threads)
            assert house.notifier.rest()
        held_up = len(slow.got)
        slow.may_answer.set()
        while house.notifier.rest():
            house.notifier.step(connection, threads)

    assert (len(receiver.got), held_up, len(slow.got)) == (3, 1, 3)
    assert house.deliveries() == [("delivered", 1, 204, None)] * 6
    house.outside.close()


def test_what_came_of_telling_is_counted(house: House) -> None:
    def counted() -> dict[str, float]:
        name = "myriorama_ad_webhook_deliveries_total"
        outcomes = ("delivered", "refused", "unreachable")
        return {each: REGISTRY.get_sample_value(name, {"outcome": each}) or 0 for each in outcomes}

    before = counted()
    house.complete()
    house.receiver.status = 500
    house.step()
    house.receiver.status = 204
    house.hurry()
    house.step()

    assert {each: number - before[each] for each, number in counted().items()} == {
        "delivered": 1,
        "refused": 1,
        "unreachable": 0,
    }
    assert REGISTRY.get_sample_value("myriorama_ad_webhook_under_way") == 0


def test_where_nobody_answers_for_days_nothing_is_told_any_more(house: House) -> None:
    house.complete()
    house.receiver.status = 503

    for _ in range(len(PAUSES_S) + 1):
        house.step()
        house.hurry()

    assert house.deliveries() == [("given_up", len(PAUSES_S) + 1, 503, None)]
    house.step()
    with house.pool.connection() as connection:
        assert connection.execute("SELECT is_open FROM ad_webhooks").fetchall() == [(False,)]


def test_who_is_gone_says_so_once(house: House) -> None:
    house.complete()
    house.receiver.status = 410

    house.step()
    house.step()

    assert house.deliveries() == [("given_up", 1, 410, None)]
    with house.pool.connection() as connection:
        assert connection.execute("SELECT is_open FROM ad_webhooks").fetchall() == [(False,)]


def test_a_webhook_that_leads_inside_is_never_reached(
    pool: Pool, log: Log, receiver: Receiver
) -> None:
    house = House(pool, log, receiver, inside=False)
    house.complete()

    house.step()

    assert receiver.got == []
    ((state, attempts, status, error),) = house.deliveries()
    assert (state, attempts, status) == ("due", 1, None)
    assert str(error).startswith(LeadsInside.__name__)
    house.outside.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing listens
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
    ],
)
def test_an_address_inside_is_known(address: str) -> None:
    assert not is_public(address)


def test_a_public_address_is_known() -> None:
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def test_a_notice_is_of_what_happened_after_the_webhook_was_opened(house: House) -> None:
    with house.pool.connection() as connection:
        connection.execute(
            "INSERT INTO ad_notices (source_key, advertiser_id, type, occurred_at, body) "
            "VALUES ('before', %s, 'top_up.succeeded', clock_timestamp(), '{}')",
            (house.advertiser.id,),
        )

    house.step()

    assert house.receiver.got == []
