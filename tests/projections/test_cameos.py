"""Cameos, permissions and voices: events in, rows out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.cameo.aggregate import Cameo
from domain.cameo.events import VoiceChosen
from myriorama.store.postgres import Pool
from projections.cameo_permissions import CameoPermissions
from projections.cameo_voices import CameoVoices
from projections.cameos import Cameos
from projections.projection import Recorded

ALICE, BOB, MALLORY, CAMEO = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=9)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def recorded() -> Cameo:
    return Cameo.record(
        CAMEO,
        owner_id=ALICE,
        name="Alice",
        audience="approved",
        face_upload_id=UUID(int=7),
        voice_upload_id=None,
        face_key="uploads/7/face.png",
        voice_key=None,
        voice_pitch_hz=None,
        at=NOON,
    )


@pytest.fixture
def events() -> list[Recorded[Any]]:
    cameo = recorded()
    cameo.request_permission(requester_id=BOB, message="Please.", at=NOON)
    cameo.grant_permission(BOB, expires_at=LATER, by=ALICE, at=NOON)
    cameo.request_permission(requester_id=MALLORY, message="Me too.", at=NOON)
    cameo.decline_request(MALLORY, by=ALICE, at=NOON)
    cameo.deny_permission(MALLORY, expires_at=None, by=ALICE, at=NOON)
    cameo.request_permission(requester_id=BOB, message="Again?", at=LATER)
    cameo.clear_permission(MALLORY, by=ALICE, at=LATER)
    cameo.change_audience("everyone", by=ALICE, at=LATER)
    cameo.revoke(by=ALICE, at=LATER)
    happened = cameo.collect_events()
    return [Recorded(place, NOON, event) for place, event in enumerate(happened, start=1)]


def folded(pool: Pool, events: Sequence[Recorded[Any]], cut: int) -> tuple[list[Any], list[Any]]:
    """Fold the events, cut into two windows. Returns the cameos and the permissions."""
    with (
        pool.connection() as connection,
        connection.transaction(force_rollback=True),
        connection.cursor() as cursor,
    ):
        for projection in (Cameos(), CameoPermissions()):
            mine = [r for r in events if r.event.TOPIC in projection.topics]
            projection.fold([r for r in mine if r.position <= cut], cursor)
            projection.fold([r for r in mine if r.position > cut], cursor)
        cameos = cursor.execute(
            "SELECT audience, state, version, position FROM cameos WHERE cameo_id = %s", (CAMEO,)
        ).fetchall()
        said = cursor.execute(
            "SELECT account_id, verdict, message, expires_at, since, position"
            " FROM cameo_permissions ORDER BY account_id"
        ).fetchall()
    return cameos, said


@pytest.mark.parametrize(
    ("upto", "cameo", "said"),
    [
        (2, ("approved", "active", 2, 2), [(BOB, "requested", "Please.", None, NOON, 2)]),
        (3, ("approved", "active", 3, 3), [(BOB, "granted", None, LATER, NOON, 3)]),
        (
            6,
            ("approved", "active", 6, 6),
            [
                (BOB, "granted", None, LATER, NOON, 3),
                (MALLORY, "denied", None, None, NOON, 6),
            ],
        ),
        (10, ("everyone", "revoked", 10, 10), [(BOB, "requested", "Again?", None, LATER, 7)]),
    ],
)
def test_rows_say_what_happened_however_the_log_is_cut(
    pool: Pool,
    events: list[Recorded[Any]],
    upto: int,
    cameo: tuple[Any, ...],
    said: list[tuple[Any, ...]],
) -> None:
    for cut in range(upto + 1):
        assert folded(pool, events[:upto], cut) == ([cameo], said)


@pytest.mark.parametrize(("upto", "voice"), [(2, "alto"), (3, "bass"), (4, None)])
def test_the_voice_is_the_one_that_was_chosen_last_however_the_log_is_cut(
    pool: Pool, upto: int, voice: str | None
) -> None:
    cameo = recorded()
    for choice in ("alto", "bass", None):
        cameo.choose_voice(choice, by=ALICE, at=NOON)
    chosen = [
        Recorded(place, NOON, event)
        for place, event in enumerate(cameo.collect_events()[:upto], start=1)
        if isinstance(event, VoiceChosen)
    ]

    for cut in range(upto + 1):
        with (
            pool.connection() as connection,
            connection.transaction(force_rollback=True),
            connection.cursor() as cursor,
        ):
            CameoVoices().fold([r for r in chosen if r.position <= cut], cursor)
            CameoVoices().fold([r for r in chosen if r.position > cut], cursor)
            rows = cursor.execute("SELECT * FROM cameo_voices").fetchall()
        assert rows == [(CAMEO, voice, upto)]
