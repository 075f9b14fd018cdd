"""What one account makes of one video."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.reaction.aggregate import Reaction
from domain.reaction.errors import ReportInvalid
from domain.reaction.events import (
    ReactionBegun,
    VideoBookmarked,
    VideoLiked,
    VideoReported,
    VideoShared,
    VideoUnbookmarked,
    VideoUnliked,
)

ALICE, BOB, FOX = uuid4(), uuid4(), uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("commands", "events"),
    [
        ([Reaction.like, Reaction.like], [VideoLiked]),
        ([Reaction.unlike], []),
        ([Reaction.like, Reaction.unlike, Reaction.unlike], [VideoLiked, VideoUnliked]),
        ([Reaction.bookmark, Reaction.bookmark], [VideoBookmarked]),
        ([Reaction.unbookmark], []),
        ([Reaction.bookmark, Reaction.unbookmark], [VideoBookmarked, VideoUnbookmarked]),
        ([Reaction.share, Reaction.share], [VideoShared]),
        ([Reaction.like, Reaction.bookmark], [VideoLiked, VideoBookmarked]),
    ],
)
def test_what_changes_nothing_records_nothing(
    commands: list[Callable[..., None]], events: list[type]
) -> None:
    reaction = Reaction.start(ALICE, FOX, at=NOON)

    for command in commands:
        command(reaction, at=NOON)

    assert [type(event) for event in reaction.collect_events()] == [ReactionBegun, *events]


def test_each_account_has_one_reaction_to_each_video() -> None:
    reaction = Reaction.start(ALICE, FOX, at=NOON)

    assert reaction.id == Reaction.identify(ALICE, FOX)
    assert len({reaction.id, Reaction.identify(BOB, FOX), Reaction.identify(FOX, ALICE)}) == 3


def test_a_report_is_recorded_once() -> None:
    reaction = Reaction.start(ALICE, FOX, at=NOON)

    for reason in ("spam", "hate"):
        reaction.report(reason, " It sells things. ", at=NOON)

    _, report = reaction.collect_events()
    assert isinstance(report, VideoReported)
    assert (report.reason, report.note) == ("spam", "It sells things.")


@pytest.mark.parametrize(("reason", "note"), [("boring", ""), ("spam", "x" * 1001), ("spam", "\a")])
def test_a_report_without_a_reason_that_there_is_or_unreadable_is_refused(
    reason: str, note: str
) -> None:
    with pytest.raises(ReportInvalid):
        Reaction.start(ALICE, FOX, at=NOON).report(reason, note, at=NOON)
