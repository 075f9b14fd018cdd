"""Receipts and exports over HTTP: what was paid for, by whose views not, and bills to check."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from ads.beacons import Beacon
from myriorama.api.tokens import Scope
from myriorama.billing.exports import SCRIPT
from myriorama.cli import app
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.advertised import with_scopes
from tests.billing.histories import History, viewer_id
from tests.billing.worlds import Market
from tests.people import Person

VIEWERS = [str(viewer_id(n)) for n in range(15)]


@dataclass
class Advertiser:
    """Somebody who advertised for a day."""

    who: Person
    history: History

    @property
    def url(self) -> str:
        return f"/v1/advertisers/{self.history.advertiser_id}"

    def decisions(self, **asked: Any) -> list[Any]:
        answer = self.who.get(f"{self.url}/decisions", params={"limit": 100, **asked})
        assert answer.status_code == 200, answer.text
        items: list[Any] = answer.json()["items"]
        return items

    def receipt(self, decision_id: str) -> Any:
        answer = self.who.get(f"{self.url}/decisions/{decision_id}")
        assert answer.status_code == 200, answer.text
        assert not any(viewer in answer.text for viewer in VIEWERS)
        assert "country:DE" not in answer.text
        return answer.json()


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings, log: Log, pool: Pool) -> Advertiser:
    who = with_scopes(person("alice"), settings, Scope.ADVERTISER)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        history = History(Market(pool, connection), log, seed=1, owner_id=who.account_id)
        return Advertiser(who, history.play(hours=48))


def one(pool: Pool, query: str) -> str:
    with pool.connection() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_a_receipt_says_what_was_charged_or_why_not(alice: Advertiser, pool: Pool) -> None:
    where = {
        "charged": "micros > 0 AND decision_id NOT IN (SELECT decision_id FROM credits)",
        "credited": "decision_id IN (SELECT decision_id FROM credits)",
        "leaked": "leaked_micros > 0",
        "invalid": "mark IS NOT NULL AND beacon = 1 AND line_id = "
        "(SELECT line_item_id FROM line_items WHERE kind = 'cpm') AND decision_id NOT IN "
        "(SELECT decision_id FROM charges WHERE beacon = 1 AND mark IS NULL)",
    }

    for outcome, condition in where.items():
        receipt = alice.receipt(
            one(pool, f"SELECT decision_id FROM charges WHERE {condition} LIMIT 1")  # noqa: S608 - of the test
        )
        assert receipt["outcome"] == outcome
        assert (receipt["charged_micros"] > 0) == (outcome in {"charged", "credited"})
        assert receipt["credited_micros"] == (
            receipt["charged_micros"] if outcome == "credited" else 0
        )
        assert receipt["price_micros"] <= receipt["bid_micros"]
        assert receipt["reports"][0]["beacon"] == Beacon.VIEWABLE.name.lower()
        assert (receipt["runner_up_micros"], receipt["index_version"]) == (1500, 7)


def test_decisions_are_listed_by_line_and_day_newest_first(alice: Advertiser) -> None:
    line_id = str(alice.history.lines[0].id)

    shown = alice.decisions(line_item_id=line_id, day="2026-10-24")

    assert shown
    assert {(each["line_item_id"], each["day"]) for each in shown} == {(line_id, "2026-10-24")}
    assert [each["decided_at"] for each in shown] == sorted(
        (each["decided_at"] for each in shown), reverse=True
    )
    pages, cursor = list[Any](), None
    while True:
        asked = {"limit": 3, "line_item_id": line_id, "day": "2026-10-24"}
        params = asked | ({"cursor": cursor} if cursor else {})
        page = alice.who.get(f"{alice.url}/decisions", params=params).json()
        pages += page["items"]
        if not (cursor := page["next_cursor"]):
            break
    assert pages == shown
    assert alice.decisions(day="0001-01-01") == alice.decisions(day="9999-12-31") == []


def test_a_video_that_not_everybody_may_see_is_not_told(alice: Advertiser, pool: Pool) -> None:
    receipt = alice.receipt(one(pool, "SELECT decision_id FROM charges LIMIT 1"))

    assert (receipt["above"], receipt["below"]) == (None, None)


def test_the_operator_exports_a_bill_that_anybody_verifies_without_a_house(
    alice: Advertiser, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id, out = alice.history.campaigns[0], tmp_path / "bill.jsonl"
    monkeypatch.setenv("MYRIORAMA_HOME", str(settings.home))
    monkeypatch.setenv("MYRIORAMA_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("MYRIORAMA_OBJECTS", settings.objects)
    monkeypatch.setenv("MYRIORAMA_SECRET", settings.secret)
    monkeypatch.setenv("MYRIORAMA_WORKER_TOKEN", settings.worker_token)
    monkeypatch.setenv("MYRIORAMA_KAFKA", settings.kafka)

    exported = CliRunner().invoke(app, ["ads", "export", str(campaign_id), "--out", str(out)])
    unknown = CliRunner().invoke(app, ["ads", "export", str(uuid4()), "--out", f"{out}.other"])
    monkeypatch.setenv("MYRIORAMA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    head = exported.output.rsplit(" ", 1)[-1].strip()
    verified = CliRunner().invoke(app, ["ads", "verify", str(out), "--head", head])
    another = CliRunner().invoke(app, ["ads", "verify", str(out), "--head", "0" * 64])

    assert (exported.exit_code, unknown.exit_code) == (0, 2), exported.output + unknown.output
    assert not Path(f"{out}.other").exists()
    (listed,) = alice.who.get(f"/v1/campaigns/{campaign_id}/exports").json()["items"]
    assert head == listed["head"]
    assert out.stat().st_size == listed["bytes"]
    assert (verified.exit_code, another.exit_code) == (0, 1), verified.output + another.output


def test_a_bill_is_exported_fetched_and_verified(
    alice: Advertiser, tmp_path: Path, pool: Pool
) -> None:
    url = f"/v1/campaigns/{alice.history.campaigns[0]}/exports"
    made = alice.who.post(url).json()

    (listed,) = alice.who.get(url).json()["items"]
    file = alice.who.get(f"{url}/{made['head']}")

    assert listed == made
    assert len(file.content) == made["bytes"]
    assert alice.who.post(url).json() == made
    spent = "SELECT spent_micros FROM spending WHERE scope = 'campaign' AND id = "
    assert made["net_micros"] == int(one(pool, f"{spent}'{alice.history.campaigns[0]}'"))
    export = tmp_path / "export.jsonl"
    export.write_bytes(file.content)
    verified = CliRunner().invoke(app, ["ads", "verify", str(export), "--head", made["head"]])
    assert verified.exit_code == 0, verified.output
    assert "2026-10-24 cpm charge" in verified.output
    export.write_bytes(file.content.replace(b'"micros":', b'"micros": ', 1))
    refused = CliRunner().invoke(app, ["ads", "verify", str(export)])
    assert refused.exit_code == 1
    assert "was changed" in refused.output


def test_the_script_that_checks_bills_is_for_everybody(alice: Advertiser) -> None:
    script = alice.who.client.get("/v1/ads/recompute_bill.py")

    assert script.text == SCRIPT.read_text()


def test_nothing_of_it_is_there_for_strangers(
    alice: Advertiser, person: Callable[[str], Person], settings: Settings, pool: Pool
) -> None:
    mallory = with_scopes(person("mallory"), settings, Scope.ADVERTISER)
    own = mallory.post(
        "/v1/advertisers",
        json={"name": "Owls", "website": "owl.example.com", "category": "toys", "zone": "UTC"},
    ).json()["advertiser_id"]
    decision_id = one(pool, "SELECT decision_id FROM charges LIMIT 1")
    campaign = f"/v1/campaigns/{alice.history.campaigns[0]}"

    answers = {
        f"{alice.url}/decisions": "advertiser_not_found",
        f"{alice.url}/decisions/{decision_id}": "advertiser_not_found",
        f"/v1/advertisers/{own}/decisions/{decision_id}": "ad_decision_not_found",
        f"{campaign}/exports": "campaign_not_found",
        f"{campaign}/exports/{'0' * 64}": "campaign_not_found",
        f"/v1/campaigns/{uuid4()}/exports": "campaign_not_found",
    }

    for url, code in answers.items():
        refused = mallory.get(url)
        assert (refused.status_code, refused.json()["code"]) == (404, code), url
    assert mallory.post(f"{campaign}/exports").json()["code"] == "campaign_not_found"
