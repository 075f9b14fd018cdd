"""Damage to the logs is found and named, whatever it is; what is whole is said to be whole."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from domain.invitation.aggregate import Invitation
from myriorama.bootstrap.logs import projections
from myriorama.cli import app
from myriorama.replay.log_verification import LogBroken, verify_logs
from myriorama.store.causation import Cause, cause
from myriorama.store.log import Log
from myriorama.store.postgres import MigrationsMissing, known_migrations, require_migrated
from myriorama.store.viewlog import Batch, Served, Viewing, Views

ALICE, BOB = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def verify(url: str) -> list[str]:
    return [str(sound) for sound in verify_logs(url, projections())]


async def report_views(url: str) -> None:
    """Report two batches of two views, and serve a page between them."""
    with Views(url) as views:
        for sequence in (1, 2):
            viewings = [Viewing(uuid4(), uuid4(), 100, 0) for _ in range(2)]
            await views.append(Batch(ALICE, BOB, sequence, b"digest", viewings))
            if sequence == 1:
                views.offer(Served(uuid4().bytes, ALICE.bytes, "latest", None, [uuid4().bytes]))
                while await asyncio.to_thread(views_head, url) < 3:  # noqa: ASYNC110 - not told
                    await asyncio.sleep(0.01)


def views_head(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT max(last_position) FROM view_appends").fetchone()
    assert row
    return int(row[0])


def damage(url: str, *statements: str) -> None:
    """Do what no program may: as a superuser, past all triggers."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def sound_url(database_url: str, log: Log) -> str:
    """A database with ten events, of which six came by three commands, four views and a slate."""
    asyncio.run(report_views(database_url))
    for number in range(3):
        cause.set(Cause(command_id=uuid4()))
        invitation = Invitation.issue(f"CODE{number}", issuer_id=ALICE, at=NOON)
        invitation.redeem(account_id=BOB, at=NOON)
        log.save(invitation)
    cause.set(None)
    for number in range(3, 7):
        log.save(Invitation.issue(f"CODE{number}", issuer_id=ALICE, at=NOON))
    return database_url


def test_a_log_without_damage_is_sound(sound_url: str) -> None:
    said = verify(sound_url)

    assert "domain: 10 events, sound" in said
    assert "views: 5 views and slates, sound" in said
    assert any(line.startswith("domain: streams") for line in said)


def test_an_empty_log_is_sound(database_url: str) -> None:
    assert "domain: 0 events, sound" in verify(database_url)


DAMAGE = {
    "domain: position 4 is missing before 5": ["DELETE FROM events WHERE position = 4"],
    "domain: position 1 is missing before 2": ["DELETE FROM events WHERE position = 1"],
    "domain: position 10 is missing before 11": [
        "UPDATE events SET position = 11 WHERE position = 10"
    ],
    "version 3 of": ["UPDATE events SET originator_version = 3 WHERE position = 2"],
    "follows no other": [
        "UPDATE events SET position = 99 WHERE position = 1",
        "UPDATE events SET position = 1 WHERE position = 2",
        "UPDATE events SET position = 2 WHERE position = 99",
    ],
    "events: 7 cannot be read: No event is stored under 'invitation.lost'": [
        "UPDATE events SET topic = 'invitation.lost' WHERE position = 7"
    ],
    "events: 8 cannot be read": ["UPDATE events SET state = '{' WHERE position = 8"],
    "events: 9 cannot be read: invitation.issued was stored in version 9": [
        """UPDATE events SET state = convert_to(
               (convert_from(state, 'UTF8')::jsonb || '{"class_version": 9}')::text, 'UTF8')
           WHERE position = 9"""
    ],
    "points at 77 to 77": [
        "UPDATE commands SET last_position = 77, first_position = 77 WHERE first_position = 5"
    ],
    "overlaps one up to 2": ["UPDATE commands SET first_position = 2 WHERE first_position = 3"],
    "positions: invitations stands at 12, beyond the head 10": [
        """INSERT INTO projection_positions (name, position) VALUES ('invitations', 12)
           ON CONFLICT (name) DO UPDATE SET position = 12"""
    ],
    "views: position 3 is missing before 4": ["DELETE FROM slates"],
    "views: position 2 is missing before 3": ["DELETE FROM viewings WHERE position = 2"],
    "views: 4 was recorded at": [
        "UPDATE viewings SET recorded_at = recorded_at - interval '1 second' WHERE position >= 4"
    ],
    "views: appends have come to 5, but the last position is 4": [
        "DELETE FROM viewings WHERE position = 5"
    ],
    "accepted 3, and 2 are stored": ["UPDATE viewing_batches SET accepted = 3 WHERE sequence = 2"],
    "accepted None, and 2 are stored": ["DELETE FROM viewing_batches WHERE sequence = 2"],
    "positions: view_counts stands at 6, beyond the head 5": [
        """INSERT INTO projection_positions (name, position) VALUES ('view_counts', 6)
           ON CONFLICT (name) DO UPDATE SET position = 6"""
    ],
    "views: 0 rows were exported up to position 2": [
        """INSERT INTO exported_days VALUES
           ('2026-11-01', 'viewings', 1, 2, 0, 'key', 'digest', now(), now())"""
    ],
    "dead letters: invitations could not fold 3 (Poisoned); 1 in all": [
        """INSERT INTO dead_letters (projection, position, error)
           VALUES ('invitations', 3, 'Poisoned')"""
    ],
}


@pytest.mark.parametrize("found", DAMAGE)
def test_damage_is_found_and_named(sound_url: str, found: str) -> None:
    damage(sound_url, *DAMAGE[found])

    with pytest.raises(LogBroken) as broken:
        verify(sound_url)

    assert found in str(broken.value)


@pytest.fixture
def shell(sound_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    for name, value in {
        "DATABASE_URL": sound_url,
        "KAFKA": "127.0.0.1:1",
        "OBJECTS": str(tmp_path),
        "HOME": str(tmp_path),
        "SECRET": "a secret of the tests, 32 bytes or more",
        "WORKER_TOKEN": "a worker token of the tests, 32 bytes",
    }.items():
        monkeypatch.setenv(f"MYRIORAMA_{name}", value)
    return CliRunner()


def test_the_shell_says_what_is_sound_and_fails_where_it_is_broken(
    shell: CliRunner, sound_url: str
) -> None:
    sound = shell.invoke(app, ["verify", "log"])
    damage(sound_url, "DELETE FROM events WHERE position = 4")
    broken = shell.invoke(app, ["verify", "log"])

    assert sound.exit_code == 0
    assert "log domain: 10 events, sound" in sound.output
    assert broken.exit_code == 1
    assert broken.output == "log BROKEN domain: position 4 is missing before 5\n"


@pytest.mark.parametrize("slates", ["-1", "0", "x", "", "1.5"])
def test_the_shell_makes_no_number_of_slates_again_that_is_none(
    shell: CliRunner, slates: str
) -> None:
    refused = shell.invoke(app, ["verify", "state", f"--slates={slates}"])

    assert refused.exit_code == 2
    assert f"--slates is a number above 0, or all; not {slates!r}" in refused.output


@pytest.mark.parametrize("what", ["log", "state", "media"])
def test_the_shell_names_the_migrations_that_a_database_lacks(
    shell: CliRunner, sound_url: str, what: str
) -> None:
    newest = known_migrations()[-1]
    damage(sound_url, f"DELETE FROM migrations WHERE name = '{newest}'")  # noqa: S608 - our own

    refused = shell.invoke(app, ["verify", what])

    assert refused.exit_code == 2
    assert refused.output == (
        f"myriorama: The database lacks migrations: {newest}. Run `myriorama migrate` first.\n"
    )


def test_a_database_without_any_migration_lacks_all(sound_url: str) -> None:
    damage(sound_url, "DROP TABLE migrations")

    with pytest.raises(MigrationsMissing) as refused:
        require_migrated(sound_url)

    assert all(name in str(refused.value) for name in known_migrations())
