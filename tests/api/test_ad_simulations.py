"""Sandboxes over HTTP: everything is as it will be, and nothing of it touches anybody else."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from ads.surfaces import Surface
from myriorama.api.tokens import Scope
from myriorama.billing.budgets import follow
from myriorama.billing.ledger_verification import verify_books
from myriorama.billing.outliers import credit_outliers
from myriorama.billing.simulations import A_DAY_MAX
from myriorama.billing.spending import set_cap
from myriorama.cli import app
from myriorama.feed.ad_chances import examples
from myriorama.feed.ad_lines import read_servable
from myriorama.feed.ad_recordings import Recordings
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.advertised import with_scopes
from tests.api.feed_ads import Advertised, advertised_page, until
from tests.api.sandboxes import FORM, Sandbox, made, played
from tests.people import Person
from tests.publishing import publish

# All that is of real advertisers, and what is learnt of real viewers.
OF_OTHERS = """
    SELECT (SELECT jsonb_agg(e ORDER BY e.source_key, e.leg) FROM ledger_entries e
            WHERE NOT starts_with(account, 'sandbox_')),
           (SELECT jsonb_agg(w ORDER BY w.advertiser_id) FROM wallets w WHERE NOT sandbox),
           (SELECT jsonb_agg(s ORDER BY s.scope, s.id, s.day) FROM spending s
            WHERE s.id NOT IN (SELECT advertiser_id FROM advertisers WHERE sandbox
                               UNION SELECT campaign_id FROM campaigns JOIN advertisers
                                     USING (advertiser_id) WHERE sandbox
                               UNION SELECT line_item_id FROM line_items JOIN advertisers
                                     USING (advertiser_id) WHERE sandbox)),
           (SELECT count(*) FROM leases JOIN advertisers USING (advertiser_id) WHERE NOT sandbox),
           (SELECT count(*) FROM ad_chances), (SELECT count(*) FROM ad_repository),
           (SELECT count(*) FROM credits), (SELECT count(*) FROM view_counts)
"""


BUDGETED = """
    SELECT FROM budgeted_lines JOIN advertisers USING (advertiser_id) WHERE sandbox AND may_spend
"""
ENDED = """
    INSERT INTO ad_simulations (simulation_id, advertiser_id, requested_by, requested_at, pages,
                                viewers, minutes, seed, state)
    SELECT gen_random_uuid(), %(of)s, %(by)s, now(), 1, 1, 0, 7, 'completed'
    FROM generate_series(1, %(most)s)
"""
SANDBOXES = "SELECT advertiser_id FROM advertisers WHERE sandbox"


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings) -> Person:
    return with_scopes(person("alice"), settings, Scope.ADVERTISER)


@pytest.fixture
def sandbox(alice: Person, log: Log) -> Sandbox:
    return Sandbox(alice, log)


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_sandbox_says_so_everywhere_and_stays_one(alice: Person, sandbox: Sandbox) -> None:
    (own,) = alice.get("/v1/advertisers").json()

    assert own["sandbox"] is True
    assert sandbox.read(sandbox.url)["sandbox"] is True
    assert alice.patch(sandbox.url, json={"sandbox": False}).status_code in {400, 422}


def test_no_person_is_asked_about_its_creatives_and_what_is_refused_is(
    alice: Person, sandbox: Sandbox, log: Log
) -> None:
    somebodys = Sandbox(alice, log, cameo_ids=(uuid4(),))

    doubted = alice.post(f"{sandbox.creative}/submit")
    rejected = alice.post(f"{somebodys.creative}/submit")

    assert doubted.json()["state"] == "approved"
    assert rejected.json()["state"] == "rejected"
    appeal = alice.post(f"{somebodys.creative}/appeal", json={"statement": "It is a fox."})
    assert refused(appeal) == (409, "creative_appeal_impossible")


def test_its_money_is_none_and_money_is_not_taken(alice: Person, sandbox: Sandbox) -> None:
    key = {"Idempotency-Key": "once"}
    url = f"{sandbox.url}/billing/sandbox-top-ups"

    first, again = (alice.post(url, json={"amount_micros": 5_000_000}, headers=key) for _ in "12")

    assert first.json() == again.json()
    assert (first.json()["method"], first.json()["state"]) == ("sandbox", "succeeded")
    assert sandbox.read("billing/balance")["balance_micros"] == 105_000_000
    paid = alice.post(f"{sandbox.url}/billing/top-ups", json={"amount_micros": 5_000_000})
    assert refused(paid) == (409, "sandbox_takes_no_money")
    assert alice.post(url, json={"amount_micros": 5}).status_code == 422


def test_of_a_real_advertiser_nothing_is_simulated(alice: Person) -> None:
    real = made(alice, "/v1/advertisers", {**FORM, "sandbox": False})

    topped_up = alice.post(f"{real}/billing/sandbox-top-ups", json={"amount_micros": 5_000_000})
    started = alice.post(f"{real}/simulations", json={"pages": 5})

    assert refused(topped_up) == refused(started) == (409, "no_sandbox")


def test_there_is_one_simulation_at_a_time_and_it_can_be_stopped(
    alice: Person, sandbox: Sandbox
) -> None:
    key = {"Idempotency-Key": "once"}
    url, wanted = f"{sandbox.url}/simulations", {"pages": 5, "minutes": 60}

    first, again = (alice.post(url, json=wanted, headers=key) for _ in "12")
    second = alice.post(url, json=wanted)

    assert first.json() == again.json()
    assert refused(second) == (409, "simulation_under_way")
    assert alice.delete(first.headers["location"]).status_code == 204
    assert sandbox.read(first.headers["location"])["state"] == "stopped"
    assert alice.post(url, json=wanted).status_code == 201
    assert [one["state"] for one in sandbox.read("simulations")["items"]] == ["waiting", "stopped"]


def test_a_day_has_so_many_simulations_and_no_more(
    alice: Person, sandbox: Sandbox, pool: Pool
) -> None:
    with pool.connection() as connection:
        of = {"of": sandbox.advertiser_id, "by": alice.account_id, "most": A_DAY_MAX}
        connection.execute(ENDED, of)

    answer = alice.post(f"{sandbox.url}/simulations", json={"pages": 5})

    assert refused(answer) == (409, "too_many_simulations")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"pages": 0},
        {"pages": 5_001},
        {"pages": 5, "viewers": 0},
        {"pages": 5, "viewers": 2_001},
        {"pages": 5, "minutes": 61},
        {"pages": 5, "minutes": -1},
        {"pages": 5, "seed": 2**53},
        {"pages": 5, "speed": 2},
    ],
)
def test_what_is_no_simulation_is_refused(
    alice: Person, sandbox: Sandbox, body: dict[str, int]
) -> None:
    assert alice.post(f"{sandbox.url}/simulations", json=body).status_code in {400, 422}
    assert sandbox.read("simulations")["items"] == []


def test_nothing_of_it_is_there_for_strangers(
    sandbox: Sandbox, person: Callable[[str], Person], settings: Settings
) -> None:
    mallory = with_scopes(person("mallory"), settings, Scope.ADVERTISER)
    url = sandbox.simulate(pages=5)

    answers = [
        mallory.get(url),
        mallory.delete(url),
        mallory.get(f"{sandbox.url}/simulations"),
        mallory.post(f"{sandbox.url}/simulations", json={"pages": 5}),
        mallory.post(f"{sandbox.url}/billing/sandbox-top-ups", json={"amount_micros": 5_000_000}),
    ]

    assert {refused(answer) for answer in answers} == {(404, "advertiser_not_found")}
    missing = sandbox.who.get(f"{sandbox.url}/simulations/{uuid4()}")
    assert refused(missing) == (404, "simulation_not_found")


def test_a_simulation_is_billed_reported_and_exported_as_traffic_is(
    sandbox: Sandbox, settings: Settings, pool: Pool, tmp_path: Path
) -> None:
    sandbox.submit()

    done = played(sandbox, settings, pool, pages=60, viewers=15)

    assert done["pages_done"] == sum(done["outcomes"].values()) == 60
    assert done["ads"] >= 30  # of some pages rivals have all the places
    spent = sandbox.read("billing/balance")
    assert spent["spent_micros"] > 0
    assert spent["balance_micros"] == 100_000_000 - spent["spent_micros"]
    report = sandbox.read("reports", by="surface")
    (surface,) = report["items"]
    assert surface["surface"] == Surface.SANDBOX
    assert report["totals"]["net_micros"] == surface["net_micros"]
    assert surface["net_micros"] == spent["spent_micros"]
    viewable = surface["viewable"]
    assert viewable["gross"] == viewable["net"] + viewable["invalid"] > 0
    assert surface["served"] == done["ads"]
    receipts = sandbox.read("decisions", limit=100)["items"]
    assert {receipt["surface"] for receipt in receipts} == {"sandbox"}
    halves = sandbox.read(f"{sandbox.line}/pacing")["half_hours"]
    assert sum(half["spent_micros"] for half in halves) == spent["spent_micros"]
    recorded = sandbox.read(f"{sandbox.line}/diagnostics")["recorded"]
    assert recorded["pages"] == 60
    export = sandbox.who.post(f"{sandbox.campaign}/exports").json()
    assert export["net_micros"] == spent["spent_micros"]
    path = tmp_path / "export.jsonl"
    path.write_bytes(sandbox.who.get(f"{sandbox.campaign}/exports/{export['head']}").content)
    verified = CliRunner().invoke(app, ["ads", "verify", str(path), "--head", export["head"]])
    assert verified.exit_code == 0, verified.output
    assert list(verify_books(settings.database_url))


def test_a_simulation_leaves_everybody_else_as_they_were(
    sandbox: Sandbox, log: Log, settings: Settings, pool: Pool
) -> None:
    sandbox.submit()
    real = Advertised(log, bid_micros=4_200_000)
    real.pay_in(settings)
    another = Sandbox(sandbox.who, log)
    another.submit()
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        before = connection.execute(OF_OTHERS).fetchone()

        done = played(sandbox, settings, pool, pages=40, viewers=10)

        assert done["ads"]
        assert connection.execute(OF_OTHERS).fetchone() == before
        assert examples(connection) == []
        assert credit_outliers(connection) == {}
        recordings = Recordings()
        recordings.refresh(connection)
        assert recordings.opportunities() == []
        shown = connection.execute("SELECT DISTINCT advertiser_id FROM ad_decisions").fetchall()
        assert shown == [(sandbox.advertiser_id,)]
    assert sandbox.read(f"{another.line}/diagnostics")["recorded"] is None


def test_a_market_has_no_lines_of_sandboxes_and_a_sandbox_none_but_its_own(
    sandbox: Sandbox, log: Log, alice: Person, settings: Settings
) -> None:
    sandbox.submit()
    real = Advertised(log)
    real.pay_in(settings)
    another = Sandbox(alice, log)
    another.submit()
    alice.get(another.line)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        now = datetime.now(UTC)

        seen = {one.line.advertiser_id for one in read_servable(connection, at=now)}
        own = read_servable(connection, at=now, sandbox=sandbox.advertiser_id)

    assert seen == {real.advertiser.id}
    assert {one.line.advertiser_id for one in own} == {sandbox.advertiser_id}


def test_no_viewer_is_shown_what_a_sandbox_advertises_however_much_it_bids(
    sandbox: Sandbox, log: Log, person: Callable[[str], Person], settings: Settings
) -> None:
    sandbox.submit()
    real = Advertised(log)
    real.pay_in(settings)
    sandbox_may_spend(settings)
    for _ in range(24):
        publish(log, sandbox.who.account_id)

    page = advertised_page(person("bob"), "kind=latest&limit=20")

    shown = {ad["advertiser"]["advertiser_id"] for ad in page["ads"]}
    assert shown == {str(real.advertiser.id)}


def sandbox_may_spend(settings: Settings) -> None:
    """Give the sandbox's lines all that a lease needs, but a market."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        until(
            lambda: follow(connection) == 0 and connection.execute(BUDGETED).fetchone() is not None
        )
        for (of,) in connection.execute(SANDBOXES).fetchall():
            set_cap(connection, "advertiser", of, 100_000_000, advertiser_id=of)
