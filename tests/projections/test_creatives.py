"""Creatives as they are folded: what an edit takes back, and what a recall leaves."""

from dataclasses import replace
from uuid import uuid4

from domain.creative.review import Check
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.creatives import Creatives
from tests.advertising import CONTENT, NOON, creative
from tests.folding import fold
from tests.publishing import published

ALICE = uuid4()
DOUBT = Check("category", "1", "doubt", "restricted_category", "alcohol")

REVIEW = """
    SELECT state, jsonb_array_length(checks), reasons, note, statement, waiting_since IS NULL
    FROM creatives WHERE creative_id = %s
"""

RECALLED = "SELECT creative_id, recalled FROM creatives ORDER BY drafted_position"


def test_an_edit_takes_back_all_that_the_review_said(log: Log, pool: Pool) -> None:
    reviewed, edited = creative(uuid4()), creative(uuid4())
    for each in (reviewed, edited):
        each.submit([DOUBT], by=ALICE, at=NOON)
        each.reject(("deceptive",), "No.", by=ALICE, at=NOON)
        each.appeal("Yes.", by=ALICE, at=NOON)
    edited.edit(name="Fox", content=replace(CONTENT, headline="Sale"), caps=(), by=ALICE, at=NOON)
    log.save(reviewed, edited)

    fold(pool, Creatives())

    with pool.connection() as connection:
        kept = connection.execute(REVIEW, (reviewed.id,)).fetchone()
        void = connection.execute(REVIEW, (edited.id,)).fetchone()
    assert kept == ("in_review", 1, ["deceptive"], "No.", "Yes.", False)
    assert void == ("draft", 0, [], "", None, True)


def test_a_deleted_video_recalls_its_creatives_alone_until_they_show_another(
    log: Log, pool: Pool
) -> None:
    video = published(ALICE)
    of_video, other, moved = (
        creative(uuid4(), source_kind="video", source_id=source)
        for source in (video.id, uuid4(), video.id)
    )
    log.save(video, of_video, other, moved)
    video.delete(by=ALICE, as_moderator=False, at=NOON)
    log.save(video)
    moved.edit(name="Fox", content=CONTENT, caps=(), by=ALICE, at=NOON)
    log.save(moved)

    fold(pool, Creatives())

    with pool.connection() as connection:
        rows = connection.execute(RECALLED).fetchall()
    assert rows == [(of_video.id, True), (other.id, False), (moved.id, False)]
