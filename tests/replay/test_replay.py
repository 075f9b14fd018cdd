"""A data scientist reads either log, from any place, without what is a person's alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest

from domain.account.aggregate import Account
from domain.invitation.aggregate import Invitation
from myriorama.replay.parquet import write
from myriorama.replay.streams import BoundInvalid, Bounds, stream
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects, Objects
from myriorama.store.postgres import Pool
from myriorama.store.viewlog import Batch, Viewing
from tests.foreign_events import insert
from tests.viewing import AUCTIONED, DECIDED, append, served

ALICE, BOB, VIDEO, DECISION, SESSION = (UUID(int=number) for number in range(1, 6))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return FolderObjects(tmp_path / "objects")


def open_account(log: Log) -> None:
    log.save(
        Account.open(
            ALICE,
            handle="alice",
            display_name="Alice",
            email="alice@example.org",
            password_hash="$argon2id$",  # noqa: S106 - of the tests alone
            age_band="18+",
            scopes=("viewer",),
            invitation_id=None,
            invited_by=None,
            at=NOON,
        )
    )


def issue(log: Log, count: int) -> None:
    for number in range(count):
        log.save(Invitation.issue(f"CODE{number}", issuer_id=ALICE, at=NOON))


def test_what_is_personal_stays_at_home(log: Log, database_url: str, objects: Objects) -> None:
    open_account(log)

    (row,) = stream(database_url, objects, "domain", Bounds())

    assert row["topic"] == "account.opened"
    assert row["data"]["handle"] == "alice"
    assert {"email", "password_hash"}.isdisjoint(row["data"])


@pytest.mark.parametrize("state", ["no JSON", "{}", '{"class_version":99}'])
def test_a_replay_goes_past_what_it_cannot_read(
    log: Log, pool: Pool, database_url: str, objects: Objects, state: str
) -> None:
    insert(pool, state)
    issue(log, 2)

    rows = list(stream(database_url, objects, "domain", Bounds()))

    assert [row["position"] for row in rows] == [1, 2, 3]
    assert [bool(row["data"]) for row in rows] == [False, True, True]


def test_a_replay_begins_and_ends_where_it_is_told(
    log: Log, database_url: str, objects: Objects
) -> None:
    issue(log, 5)

    some = stream(database_url, objects, "domain", Bounds.parse("2", "4"))
    none = stream(database_url, objects, "domain", Bounds.parse("2099-01-01", None))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    everything = stream(
        database_url, objects, "domain", Bounds.parse("2020-01-01T00:00:00Z", tomorrow)
    )

    assert [row["position"] for row in some] == [2, 3]
    assert list(none) == []
    assert len(list(everything)) == 5


def test_a_bound_that_is_neither_position_nor_time_is_refused() -> None:
    with pytest.raises(BoundInvalid):
        Bounds.parse("yesterday", None)


def test_the_domain_log_becomes_parquet(
    log: Log, database_url: str, objects: Objects, tmp_path: Path
) -> None:
    open_account(log)
    issue(log, 3)

    (path,) = write(stream(database_url, objects, "domain", Bounds()), tmp_path, "domain")

    table = pl.read_parquet(path)
    assert path.name == "000000000001-000000000004.parquet"
    assert table["position"].to_list() == [1, 2, 3, 4]
    assert table["recorded_at"].dtype == pl.Datetime("us", "UTC")
    issuers = table["data"].str.json_path_match("$.issuer_id").to_list()
    assert issuers == [None, str(ALICE), str(ALICE), str(ALICE)]


def test_the_view_log_becomes_parquet(database_url: str, objects: Objects, tmp_path: Path) -> None:
    viewing = Viewing(VIDEO, DECISION, watched_ms=1500, loops=1)
    append(
        database_url,
        [Batch(BOB, SESSION, 0, b"", [viewing])],
        [served(2, ranking=DECIDED, ads=AUCTIONED), served(0)],
    )

    (views,) = write(stream(database_url, objects, "views", Bounds()), tmp_path, "views")
    (slates,) = write(stream(database_url, objects, "slates", Bounds()), tmp_path, "slates")

    (row,), pages = pl.read_parquet(views).to_dicts(), pl.read_parquet(slates)
    assert (row["viewer_id"], row["watched_ms"]) == (str(BOB), 1500)
    assert pages["video_ids"].list.len().to_list() == [2, 0]
    assert pages["ranking"].to_list() == [DECIDED, None]
    assert pages["ads"].to_list() == [AUCTIONED, None]
    assert {row["position"], *pages["position"]} == {1, 2, 3}


def test_an_empty_log_leaves_no_file(database_url: str, objects: Objects, tmp_path: Path) -> None:
    assert list(write(stream(database_url, objects, "domain", Bounds()), tmp_path, "domain")) == []
