"""The learner of chances over PostgreSQL: what it learns of, what it publishes, what it refuses."""

from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import msgspec
import psycopg
import pytest
from prometheus_client import REGISTRY
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.chances import FEATURES
from ads.probability import Probabilities
from ads.record import AdRecord, Context
from ads.viewer import Viewer
from myriorama.feed.ad_chances import examples, read_in_force
from myriorama.store.log import Log
from myriorama.workers.chance_learner import ChanceLearner
from tests.ads.test_record import AUCTION
from tests.api.feed_ads import Advertised

PATIENCE_S = 60.0
PRIOR = Probabilities.prior()

PAGE = """
    INSERT INTO slates (position, recorded_at, decision_id, viewer_id, feed, video_ids, ads)
    VALUES (%s, clock_timestamp(), gen_random_uuid(), gen_random_uuid(), 'latest', '{}', %s)
"""
SHOWN = """
    INSERT INTO ad_decisions
    SELECT gen_random_uuid(), clock_timestamp() - (%(count)s - n) * interval '1 second' / 10
                              - interval '1 hour',
           gen_random_uuid(), gen_random_uuid(), 'latest', 2, 3, %(line)s, %(line)s, %(advertiser)s,
           %(creative)s, 'cpm', 1, 1, 1, 1, 1, 1, 0.7, 0.0056, 0.7, 1, 1, 1, NULL, NULL, '{}',
           clock_ms() + %(expires_in_ms)s, 1, 'sold', true, '', n %% 2 + 1
    FROM generate_series(1, %(count)s) AS n
"""
# Of what was shown: all that `modulo` leaves in `below`, of pages of `platform`; 2 is any.
REPORTED = """
    INSERT INTO charges
    SELECT ad_decision_id, %(beacon)s, line_id, creative_id, advertiser_id, 1, 1, 3, 2, 1, n, n, 0,
           0, %(mark)s
    FROM (SELECT *, row_number() OVER (PARTITION BY position ORDER BY decided_at) AS n
          FROM ad_decisions) AS shown
    WHERE n %% %(modulo)s < %(below)s AND (%(platform)s = 2 OR position = %(platform)s + 1)
    ON CONFLICT DO NOTHING
"""


@pytest.fixture
def house(database_url: str, log: Log, projecting: None) -> Iterator[tuple[Any, Any]]:
    """A house with an ad, and two pages that it was shown on: on iOS, and on the web.

    What is written there is taken back at the end.
    """
    assert projecting is None
    advertised = Advertised(log)
    there = "SELECT count(*) FROM line_items, creatives"
    with psycopg.connect(database_url) as connection:
        end = monotonic() + PATIENCE_S
        while connection.execute(there).fetchone() != (1,) and monotonic() < end:
            connection.rollback()
            sleep(0.05)
        connection.execute("CREATE TEMP TABLE slates (LIKE public.slates INCLUDING DEFAULTS)")
        for position, platform in enumerate(("ios", "web"), start=1):
            viewer = Viewer(pseudonym=position, platform=platform, country="DE")
            auction = msgspec.structs.replace(AUCTION, context=Context(viewer, ()))
            connection.execute(PAGE, (position, AdRecord(auction).encode()))
        yield advertised, connection
        connection.rollback()


def show(house: tuple[Any, Any], count: int, *, expires_in_ms: int = -3_000_000) -> None:
    advertised, connection = house
    terms = {
        "line": advertised.line.id,
        "advertiser": advertised.advertiser.id,
        "creative": advertised.creative.id,
    }
    connection.execute(SHOWN, {"count": count, "expires_in_ms": expires_in_ms, **terms})


def report(  # noqa: PLR0913 - all that tells reports apart
    connection: Connection[TupleRow],
    beacon: int,
    modulo: int,
    below: int,
    *,
    platform: int = 2,
    mark: str | None = None,
) -> None:
    asked = {"beacon": beacon, "modulo": modulo, "below": below, "platform": platform, "mark": mark}
    connection.execute(REPORTED, asked)


def clicks_on(chances: Probabilities, platform: str) -> float:
    return chances.click.sum_of((f"platform={platform}",))


def counted() -> float:
    return (
        REGISTRY.get_sample_value("myriorama_ad_chances_refused_total", {"reason": "worse"}) or 0.0
    )


def test_what_viewers_do_is_learnt_and_published_as_a_version(house: tuple[Any, Any]) -> None:
    _, connection = house
    show(house, 20_000)
    report(connection, 1, 5, 4)
    report(connection, 8, 50, 4, platform=0)
    report(connection, 8, 50, 2, platform=1)

    published = ChanceLearner().step(connection)

    learnt = read_in_force(connection)
    assert learnt.version == FEATURES
    assert clicks_on(learnt, "ios") - clicks_on(learnt, "web") == pytest.approx(0.7, abs=0.2)
    row = connection.execute(
        "SELECT published, examples, click_before, click_after FROM ad_chances"
    ).fetchone()
    assert row is not None
    assert row[:2] == (published, 20_000)
    assert row[2] > 2
    assert row[3] == pytest.approx(1.0, abs=0.15)


def test_nothing_is_learnt_of_invalid_traffic(house: tuple[Any, Any]) -> None:
    _, connection = house
    show(house, 4_000)
    report(connection, 1, 2, 1)
    before = sum(one.viewed for one in examples(connection)), len(examples(connection))

    report(connection, 1, 4, 4, mark="data_centre", platform=0)
    report(connection, 8, 4, 4, mark="data_centre", platform=0)

    after = examples(connection)
    assert before == (2_000, 4_000)
    # Those are out, whether they had been seen or not.
    assert (sum(one.viewed for one in after), len(after)) == (1_000, 2_000)
    assert {one.features[-3] for one in after} == {"country=DE"}
    assert not any(one.clicked for one in after)


def test_what_may_still_be_reported_is_not_counted(house: tuple[Any, Any]) -> None:
    _, connection = house
    show(house, 1_000, expires_in_ms=60_000)
    report(connection, 1, 2, 1)

    assert examples(connection) == []


def test_a_house_without_ads_believes_the_prior(house: tuple[Any, Any]) -> None:
    _, connection = house

    assert ChanceLearner().step(connection) is None
    assert read_in_force(connection) == PRIOR


def test_what_expects_worse_than_what_is_in_force_is_refused(house: tuple[Any, Any]) -> None:
    _, connection = house
    show(house, 10_000)
    # Of a hundred 95 are seen at first, and 64, as the prior says, in the last fifth of the time.
    report(connection, 1, 100, 95)
    connection.execute("DELETE FROM charges WHERE position > 4000 AND position % 100 >= 64")
    refused = counted()

    assert ChanceLearner().step(connection) is None
    assert counted() == refused + 1
    assert read_in_force(connection) == PRIOR


@pytest.mark.parametrize(
    "broken", ["{}", "[1]", '{"version": "features-1"}', '{"version": null, "view": {"table": []}}']
)
def test_a_row_that_cannot_be_read_leaves_the_one_before_in_force(
    house: tuple[Any, Any], broken: str
) -> None:
    _, connection = house
    show(house, 4_000)
    report(connection, 1, 5, 2)
    published = ChanceLearner().step(connection)
    assert published is not None
    believed = read_in_force(connection)
    assert believed != PRIOR

    connection.execute(
        "INSERT INTO ad_chances VALUES (%s, %s, 1, 1, 1, 1, 1)", (published + 1, broken)
    )

    assert read_in_force(connection) == believed


def test_the_last_few_versions_are_kept(house: tuple[Any, Any]) -> None:
    _, connection = house
    show(house, 4_000)
    report(connection, 1, 5, 2)
    learner = ChanceLearner()

    versions = [learner.step(connection) for _ in range(8)]

    kept = connection.execute("SELECT published FROM ad_chances ORDER BY published").fetchall()
    assert versions == sorted(set(versions), key=versions.index)
    assert [published for (published,) in kept] == versions[-5:]
