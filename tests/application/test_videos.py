"""Publication rests on consent, parent and draft as they are at the moment it is recorded."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from domain.cameo.aggregate import Cameo
from domain.cameo.errors import CastingForbidden
from domain.following.aggregate import Following
from domain.generation.aggregate import Generation
from domain.generation.errors import DraftNotFound
from domain.video.aggregate import Video
from domain.video.errors import ParentNotFound, RemixingForbidden
from myriorama.application.consent import Consent
from myriorama.application.videos import Publication, Videos
from myriorama.store.log import Log
from tests.drafts import draft, nothing_missing
from tests.publishing import publish

ALICE, BOB = uuid4(), uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Interrupted(Consent):
    """Consent that is asked properly; but before the answer is used, somebody does something."""

    def __init__(self, log: Log, deed: Callable[[], None]) -> None:
        super().__init__(log)
        self._deeds = [deed]

    def require(self, cameo_ids: Sequence[UUID], *, by: UUID, at: datetime) -> dict[UUID, int]:
        read = super().require(cameo_ids, by=by, at=at)
        while self._deeds:
            self._deeds.pop()()
        return read


def record_cameo(log: Log) -> Cameo:
    """Bob lends his likeness to everyone."""
    cameo = Cameo.record(
        uuid4(),
        owner_id=BOB,
        name="Bob",
        audience="everyone",
        face_upload_id=uuid4(),
        voice_upload_id=None,
        face_key="faces/bob.png",
        voice_key=None,
        voice_pitch_hz=None,
        at=NOON,
    )
    log.save(cameo)
    return cameo


def attempt(log: Log, generation_id: UUID, meanwhile: Callable[[], None]) -> UUID:
    videos = Videos(log, Interrupted(log, meanwhile), nothing_missing)
    return videos.publish(
        Publication(generation_id, "", "public", remixable=True), by=ALICE, at=NOON
    )


def test_with_consent_a_cameo_is_published(log: Log) -> None:
    cameo = record_cameo(log)

    video_id = attempt(log, draft(log, ALICE, cameo_ids=[cameo.id]), lambda: None)

    video = log.find(Video, video_id)
    assert video
    assert video.cameo_ids == (cameo.id,)


def test_consent_withdrawn_in_the_last_moment_counts(log: Log) -> None:
    cameo = record_cameo(log)
    made = draft(log, ALICE, cameo_ids=[cameo.id])

    def withdraw() -> None:
        cameo.revoke(by=BOB, at=NOON)
        log.save(cameo)

    with pytest.raises(CastingForbidden):
        attempt(log, made, withdraw)

    assert log.find(Video, Video.identify(made)) is None


def test_a_block_in_the_last_moment_is_a_withdrawal_too(log: Log) -> None:
    made = draft(log, ALICE, cameo_ids=[record_cameo(log).id])

    def block() -> None:
        bob = Following.start(BOB, at=NOON)
        bob.block(ALICE, at=NOON)
        log.save(bob)

    with pytest.raises(CastingForbidden):
        attempt(log, made, block)


def test_a_draft_discarded_in_the_last_moment_stays_discarded(log: Log) -> None:
    made = draft(log, ALICE)

    def discard() -> None:
        generation = log.find(Generation, made)
        assert generation
        generation.discard(by=ALICE, at=NOON)
        log.save(generation)

    with pytest.raises(DraftNotFound):
        attempt(log, made, discard)


def test_a_parent_deleted_or_closed_in_the_last_moment_has_no_remix(log: Log) -> None:
    gone, closed = publish(log, BOB), publish(log, BOB)

    def delete() -> None:
        gone.delete(by=BOB, as_moderator=False, at=NOON)
        log.save(gone)

    def close() -> None:
        closed.edit(caption=closed.caption, visibility="public", remixable=False, by=BOB, at=NOON)
        log.save(closed)

    with pytest.raises(ParentNotFound):
        attempt(log, draft(log, ALICE, remix_of=gone.id), delete)
    with pytest.raises(RemixingForbidden):
        attempt(log, draft(log, ALICE, remix_of=closed.id), close)
