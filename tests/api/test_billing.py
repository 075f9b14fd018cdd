"""Money in over HTTP: a page to pay on, a report that is signed, and what the wallet has then."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.top_up.aggregate import TopUp
from domain.top_up.payments import Payment
from myriorama.billing.ledger_verification import verify_books
from myriorama.billing.stripe_double.app import DoubleApp
from myriorama.billing.stripe_double.signatures import delivery
from myriorama.bootstrap.billing import create_cashier
from myriorama.processes import appoint
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.doubles.stripe.loopback import listening
from tests.people import PASSWORD, Person

SECRET = "whsec_of_the_tests"  # noqa: S105 - of the tests alone
PATIENCE_S = 60.0
TEN = 10_000_000
FIFTY = 50_000_000


@pytest.fixture
def double(tmp_path: Path) -> Iterator[tuple[DoubleApp, str]]:
    """A double whose reports reach nobody: tests carry them where they want them."""
    with listening(tmp_path, webhook_url="http://127.0.0.1:1", secret=SECRET) as double:
        yield double


@pytest.fixture
def settings(settings: Settings, double: tuple[DoubleApp, str]) -> Settings:
    return replace(
        settings,
        stripe_secret_key="sk_test_of_the_tests",  # noqa: S106 - of the tests alone
        stripe_webhook_secret=SECRET,
        stripe_address=double[1],
    )


class Advertiser:
    """Somebody who advertises, and where their money is."""

    def __init__(self, person: Person, url: str) -> None:
        self.person = person
        self.url = url

    def read(self, path: str) -> Any:
        answer = self.person.get(f"{self.url}/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def top_up(self, micros: int, method: str = "checkout", key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        form = {"amount_micros": micros, "method": method}
        answer = self.person.post(f"{self.url}/top-ups", json=form, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def comes_to(self, path: str, expected: Callable[[Any], bool]) -> Any:
        until = time.monotonic() + PATIENCE_S
        while not expected(shown := self.read(path)):
            assert time.monotonic() < until, shown
            time.sleep(0.05)
        return shown


@pytest.fixture
def advertiser(person: Callable[[str], Person], settings: Settings) -> Callable[[str], Advertiser]:
    def signed_up(handle: str) -> Advertiser:
        who = person(handle)
        appoint(settings, handle, ["advertiser"])
        signed_in = who.client.post("/v1/sessions", json={"name": handle, "password": PASSWORD})
        assert signed_in.status_code == 201, signed_in.text
        who.tokens = signed_in.json()
        form = {
            "name": "Fox Shop",
            "website": "fox.example.com",
            "category": "home",
            "zone": "Europe/Berlin",
            "currency": "EUR",
        }
        opened = who.post("/v1/advertisers", json=form)
        assert opened.status_code == 201, opened.text
        return Advertiser(who, f"/v1/advertisers/{opened.json()['advertiser_id']}/billing")

    return signed_up


@contextmanager
def cashier(settings: Settings) -> Generator[None]:
    """Have a cashier at work."""
    working = create_cashier(settings)
    thread = Thread(target=working.run, daemon=True)
    thread.start()
    yield
    working.stop()
    thread.join(timeout=PATIENCE_S)


def report(
    api: TestClient[Litestar], event: dict[str, Any], *, secret: str = SECRET, late_s: int = 0
) -> httpx.Response:
    at_s = int(datetime.now(UTC).timestamp()) - late_s
    body, signature = delivery(event, secret, at_s=at_s)
    return api.post("/v1/stripe-events", content=body, headers={"Stripe-Signature": signature})


def may_spend(pool: Pool) -> int:
    with pool.connection() as connection:
        budget = "SELECT cap_micros FROM spending WHERE scope = 'advertiser'"
        row = connection.execute(budget).fetchone()
    return row[0] if row else 0


def pay(url: str, card: str) -> httpx.Response:
    return httpx.post(url, data={"card": card}, follow_redirects=False)


def test_a_visitor_tops_up_with_a_test_card_and_is_credited_once(
    advertiser: Callable[[str], Advertiser],
    double: tuple[DoubleApp, str],
    settings: Settings,
    api: TestClient[Litestar],
) -> None:
    alice = advertiser("alice")
    page = alice.top_up(FIFTY, key="fifty")
    assert alice.top_up(FIFTY, key="fifty") == page
    assert page["state"] == "open"
    assert "4242" in httpx.get(page["checkout_url"]).text

    assert pay(page["checkout_url"], "4000 0000 0000 0002").status_code == 402
    assert pay(page["checkout_url"], "4242 4242 4242 4242").status_code == 303
    for event in [*double[0].bank.events, *reversed(double[0].bank.events)]:
        assert report(api, event).status_code == 200
    with cashier(settings):
        alice.comes_to("balance", lambda wallet: wallet["balance_micros"] == FIFTY)
        shown = alice.comes_to(
            f"top-ups/{page['top_up_id']}", lambda top_up: top_up["state"] != "open"
        )

    assert shown["state"] == "succeeded"
    (entry,) = alice.read("ledger")["items"]
    assert (entry["kind"], entry["amount_micros"], entry["currency"]) == ("top_up", FIFTY, "EUR")
    (month,) = alice.read("statements")
    assert (month["opening_micros"], month["closing_micros"]) == (0, FIFTY)
    assert list(verify_books(settings.database_url))


def test_statements_end_with_the_months_of_the_zone_and_open_with_what_was_left(
    advertiser: Callable[[str], Advertiser], log: Log
) -> None:
    alice = advertiser("alice")
    advertiser_id = UUID(alice.url.split("/")[3])
    last_of_march = datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC)  # in Berlin it is two hours on
    for micros, at in (
        (3 * TEN, last_of_march),
        (4 * TEN, last_of_march + timedelta(seconds=1)),
        (5 * TEN, datetime(2026, 6, 1, tzinfo=UTC)),
    ):
        paid_in(log, advertiser_id, micros, at)

    shown = alice.comes_to("statements", lambda months: len(months) == 3)

    assert [(each["month"], each["opening_micros"], each["closing_micros"]) for each in shown] == [
        ("2026-06", 7 * TEN, 12 * TEN),
        ("2026-04", 3 * TEN, 7 * TEN),
        ("2026-03", 0, 3 * TEN),
    ]


def paid_in(log: Log, advertiser_id: UUID, micros: int, at: datetime) -> None:
    top_up = TopUp.request(
        uuid4(),
        advertiser_id=advertiser_id,
        amount_micros=micros,
        currency="EUR",
        method="checkout",
        by=uuid4(),
        at=at,
    )
    top_up.observe(Payment(f"pi_{micros}", top_up.id, "succeeded", micros, "EUR"), at=at)
    log.save(top_up)


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("1234", "invalid_number"),
        ("４２４２４２４２４２４２４２４２", "invalid_number"),  # noqa: RUF001 - digits that are none of a card's
        ("4242 4242 4242 4241", "incorrect_number"),
        ("4111 1111 1111 1111", "test_mode_live_card"),
        ("4000 0000 0000 9995", "insufficient_funds"),
        ("4000 0000 0000 0069", "expired_card"),
    ],
    ids=["no-number", "other-digits", "a-slip", "a-real-card", "no-funds", "expired"],
)
def test_what_is_no_good_test_card_pays_for_nothing_and_another_still_can(
    card: str,
    told: str,
    advertiser: Callable[[str], Advertiser],
    double: tuple[DoubleApp, str],
) -> None:
    page = advertiser("alice").top_up(FIFTY)

    refused = pay(page["checkout_url"], card)

    assert (refused.status_code, f"({told})" in refused.text) == (402, True)
    assert double[0].bank.paid == []
    assert pay(page["checkout_url"], "5555 5555 5555 4444").status_code == 303
    assert [paid.amount for paid in double[0].bank.paid] == [5_000]


def test_an_empty_wallet_is_of_the_currency_that_the_advertiser_was_opened_with(
    advertiser: Callable[[str], Advertiser],
) -> None:
    alice = advertiser("alice")

    empty = alice.read("balance")

    assert empty.pop("currency") == "EUR"
    assert set(empty.values()) == {0}


def test_a_top_up_is_credited_though_no_report_ever_comes(
    advertiser: Callable[[str], Advertiser], settings: Settings, pool: Pool
) -> None:
    alice = advertiser("alice")
    page = alice.top_up(FIFTY)
    pay(page["checkout_url"], "4242 4242 4242 4242")

    with cashier(settings):
        alice.comes_to("balance", lambda wallet: wallet["balance_micros"] == FIFTY)
        again = alice.top_up(FIFTY, "off_session")
        alice.comes_to("balance", lambda wallet: wallet["balance_micros"] == 2 * FIFTY)
        until = time.monotonic() + PATIENCE_S
        while may_spend(pool) != 2 * FIFTY:
            assert time.monotonic() < until
            time.sleep(0.05)

    assert again["checkout_url"] is None
    newest, _ = alice.read("top-ups")["items"]
    assert (newest["method"], newest["state"]) == ("off_session", "succeeded")


def test_a_report_of_something_unknown_keeps_no_money_waiting(
    advertiser: Callable[[str], Advertiser],
    double: tuple[DoubleApp, str],
    settings: Settings,
    api: TestClient[Litestar],
) -> None:
    alice = advertiser("alice")
    page = alice.top_up(FIFTY)
    pay(page["checkout_url"], "4242 4242 4242 4242")
    (paid,) = [
        event for event in double[0].bank.events if event["type"] == "checkout.session.completed"
    ]
    unknown = {**paid, "id": "evt_unknown", "data": {"object": {"id": "cs_unknown"}}}

    for event in (unknown, *double[0].bank.events):
        assert report(api, event).status_code == 200

    with cashier(settings):
        alice.comes_to("balance", lambda wallet: wallet["balance_micros"] == FIFTY)


def test_what_was_not_signed_is_not_kept(
    advertiser: Callable[[str], Advertiser],
    double: tuple[DoubleApp, str],
    api: TestClient[Litestar],
    pool: Pool,
) -> None:
    advertiser("alice").top_up(FIFTY)
    event = double[0].bank.events[0]

    forged = report(api, event, secret="another")  # noqa: S106 - of the tests alone
    replayed = report(api, event, late_s=301)
    unsigned = api.post("/v1/stripe-events", json=event)

    for refused in (forged, replayed, unsigned):
        assert (refused.status_code, refused.json()["code"]) == (401, "delivery_not_signed")
    with pool.connection() as connection:
        assert connection.execute("SELECT FROM stripe_inbox").rowcount == 0


def test_what_cannot_be_a_top_up(
    advertiser: Callable[[str], Advertiser], person: Callable[[str], Person]
) -> None:
    alice, mallory = advertiser("alice"), advertiser("mallory")

    def refused(who: Person, **form: Any) -> tuple[int, str]:
        answer = who.post(f"{alice.url}/top-ups", json=form)
        return answer.status_code, answer.json()["code"]

    assert refused(alice.person, amount_micros=FIFTY + 1) == (422, "top_up_amount_invalid")
    assert refused(alice.person, amount_micros=4_990_000) == (422, "top_up_amount_invalid")
    off_session = {"amount_micros": FIFTY, "method": "off_session"}
    assert refused(alice.person, **off_session) == (409, "card_not_saved")
    assert refused(alice.person, amount_micros=0)[0] == 400
    assert refused(mallory.person, amount_micros=FIFTY) == (404, "advertiser_not_found")
    for path in ("balance", "top-ups", f"top-ups/{uuid4()}", "ledger", "statements"):
        hidden = mallory.person.get(f"{alice.url}/{path}")
        assert (hidden.status_code, hidden.json()["code"]) == (404, "advertiser_not_found")
    assert alice.person.get(f"{alice.url}/top-ups/{uuid4()}").json()["code"] == "top_up_not_found"
    assert person("bob").get(f"{alice.url}/balance").status_code == 403
