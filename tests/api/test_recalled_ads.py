"""An ad whose cameo is taken back over HTTP: gone within one reading, and nothing billed for it."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from domain.cameo.aggregate import Cameo
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import drift_micros, spending_of
from myriorama.bootstrap.settlement import create_ad_tokens
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.signing import Signer
from tests.advertising import NOON
from tests.api.feed_ads import Advertised, advertised_page, page_of, until
from tests.people import Person
from tests.publishing import published

APP = {"User-Agent": "Myriorama/1.0 (iOS; tests)"}
CAMEO = "/v1/cameos/{cameo_id}"
GRANT = f"{CAMEO}/commercial-grants/{{advertiser_id}}"


@pytest.fixture
def bob(person: Callable[[str], Person], log: Log) -> Person:
    """Who looks at a feed of thirty videos."""
    carol, bob = person("carol"), person("bob")
    for number in range(30):
        log.save(published(carol.account_id, caption=f"Number {number}"))
    until(lambda: len(page_of(bob, "kind=latest&limit=100")["items"]) == 30)
    return bob


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


def lent(log: Log, owner: Person, advertised: Advertised) -> None:
    """Have the cameo in the creative be somebody's."""
    recorded = Cameo.record(
        advertised.cameo_id,
        owner_id=owner.account_id,
        name="Alice",
        audience="everyone",
        face_upload_id=uuid4(),
        voice_upload_id=None,
        face_key="cameos/face.png",
        voice_key=None,
        voice_pitch_hz=None,
        at=NOON,
    )
    log.save(recorded)


def recorded(connection: psycopg.Connection, ad: dict[str, Any]) -> bool:
    known = "SELECT FROM ad_decisions WHERE ad_decision_id = %s"
    return connection.execute(known, (ad["ad_decision_id"],)).fetchone() is not None


@pytest.mark.parametrize("taken_back", [GRANT, CAMEO], ids=["the-grant", "the-cameo"])
def test_an_ad_stops_with_its_cameo_and_only_what_was_shown_before_is_billed(  # noqa: PLR0913, PLR0917 - fixtures
    person: Callable[[str], Person],
    bob: Person,
    log: Log,
    settings: Settings,
    connection: psycopg.Connection,
    taken_back: str,
) -> None:
    alice, advertised = person("alice"), Advertised(log)
    lent(log, alice, advertised)
    advertised.pay_in(settings)
    (ad,) = advertised_page(bob)["ads"]
    until(lambda: recorded(connection, ad))
    connection.execute("SELECT pg_sleep(2.5)")  # no view is believed sooner
    of = {"cameo_id": advertised.cameo_id, "advertiser_id": advertised.advertiser.id}

    answer = alice.delete(taken_back.format(**of))
    # A page may be without ads for other reasons, ten in a row are not.
    until(lambda: not any(page_of(bob)["ads"] for _ in range(10)))
    gone_ms = time.time_ns() // 1_000_000
    later = [page_of(bob, routed=bool(turn % 2))["ads"] for turn in range(20)]
    report = {"events": [{"token": ad["token"], "event": "viewable"}]}
    accepted = [bob.post("/v1/ad-events", json=report, headers=APP).json() for _ in range(2)]
    Settlement(connection, create_ad_tokens(Signer(settings.secret.encode()))).settle()

    assert answer.status_code == 204, answer.text
    assert not any(later)
    # It was on a screen while it might be: that view is what it costs, once.
    assert [each["accepted"] for each in accepted] == [1, 1]
    charged = connection.execute("SELECT decision_id::text, mark FROM charges").fetchall()
    assert charged == [(ad["ad_decision_id"], None)]
    assert 0 < spending_of(connection, "line", advertised.line.id)[0].spent_micros <= 4_200
    shown = "SELECT count(*) FROM ad_decisions WHERE decided_at > to_timestamp(%s / 1000.0)"
    assert connection.execute(shown, (gone_ms,)).fetchone() == (0,)
    assert drift_micros(connection) == 0
