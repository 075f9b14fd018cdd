"""What was learnt of ads is what the next ads are decided by, and is on record with them."""

from collections.abc import Callable

import msgspec
import psycopg
import pytest

from ads.chances import FEATURES, Learnt, Ratio
from ads.probability import Probabilities
from myriorama.feed.ad_chances import publish
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.api.feed_ads import Advertised, advertised_page, page_of, until
from tests.people import Person
from tests.publishing import published

DECIDED = "SELECT p_view, p_click FROM ad_decisions ORDER BY decided_at DESC LIMIT 1"
FAIR = Ratio(1.0, 1.0)


def test_a_decision_is_recorded_with_the_chances_that_were_learnt_last(
    person: Callable[[str], Person], log: Log, settings: Settings
) -> None:
    alice, bob = person("alice"), person("bob")
    for number in range(30):
        log.save(published(alice.account_id, caption=f"Number {number}"))
    until(lambda: len(page_of(bob, "kind=latest&limit=100")["items"]) == 30)
    Advertised(log).pay_in(settings)
    assert advertised_page(bob)["ads"]
    prior = Probabilities.prior()
    even = msgspec.structs.replace(prior.click, intercept=0.0)
    learnt = msgspec.structs.replace(prior, version=FEATURES, click=even)

    with psycopg.connect(settings.database_url, autocommit=True) as connection:

        def decided() -> tuple[float, float] | None:
            return connection.execute(DECIDED).fetchone()

        until(lambda: decided() is not None)
        assert decided() == pytest.approx((0.7, 0.7 * 0.008), rel=0.01)
        publish(connection, Learnt(learnt, FAIR, FAIR), 1_000)

        def moved() -> bool:
            page_of(bob)
            return decided() == pytest.approx((0.7, 0.35), rel=0.01)

        until(moved)
