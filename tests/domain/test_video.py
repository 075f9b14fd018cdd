"""A video: how it is published, edited, remixed and deleted."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.video.aggregate import Video
from domain.video.errors import (
    BrandInvalid,
    CaptionInvalid,
    LabelUnknown,
    NotVideoAuthor,
    RemixingForbidden,
    VideoNotFound,
    VisibilityUnknown,
)
from domain.video.events import (
    BrandedContentDeclared,
    CaptionChanged,
    RemixingChanged,
    RenditionsBuilt,
    VideoDeleted,
    VideoLabelled,
    VideoPublished,
    VisibilityChanged,
)
from domain.video.visibility import STRANGER

ALICE, BOB, MALLORY = uuid4(), uuid4(), uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PUBLICATION: dict[str, Any] = {
    "author_id": ALICE,
    "caption": "A fox.",
    "visibility": "public",
    "remixable": True,
    "prompt": "a fox jumps",
    "cameo_ids": (),
    "parent": None,
    "video_key": "videos/ab/ab.mp4",
    "poster_key": "posters/ab/ab.jpg",
    "thumbnail_key": "thumbnails/ab/ab.webp",
    "width": 480,
    "height": 832,
    "duration_ms": 4000,
    "at": NOON,
}
SETTINGS: dict[str, Any] = {"caption": "A fox.", "visibility": "public", "remixable": True}


def published(**publication: Any) -> Video:
    return Video.publish(generation_id=uuid4(), **{**PUBLICATION, **publication})


def recorded(video: Video) -> list[type]:
    return [type(event) for event in video.collect_events()]


def test_a_generation_becomes_one_video() -> None:
    generation_id = uuid4()

    first = Video.publish(generation_id=generation_id, **PUBLICATION)
    second = Video.publish(generation_id=generation_id, **PUBLICATION)

    assert first.id == second.id == Video.identify(generation_id)
    assert (first.root_id, first.depth, first.remix_of) == (first.id, 0, None)


def test_a_remix_of_a_remix_goes_back_to_the_root() -> None:
    root = published()

    remix = published(author_id=BOB, parent=root)
    grandchild = published(author_id=MALLORY, parent=remix)

    assert (remix.remix_of, remix.root_id, remix.depth) == (root.id, root.id, 1)
    assert (grandchild.remix_of, grandchild.root_id, grandchild.depth) == (remix.id, root.id, 2)


def test_only_the_author_remixes_what_is_not_remixable() -> None:
    root = published(remixable=False)

    with pytest.raises(RemixingForbidden):
        published(author_id=BOB, parent=root)

    assert published(author_id=ALICE, parent=root).depth == 1


def test_nobody_remixes_what_was_deleted() -> None:
    root = published()
    root.delete(by=ALICE, as_moderator=False, at=NOON)

    with pytest.raises(VideoNotFound):
        published(author_id=ALICE, parent=root)


@pytest.mark.parametrize(
    ("publication", "error"),
    [
        ({"caption": "x" * 2001}, CaptionInvalid),
        ({"caption": "\x1b[2J"}, CaptionInvalid),
        ({"caption": "half \ud800"}, CaptionInvalid),
        ({"visibility": "friends"}, VisibilityUnknown),
    ],
)
def test_what_cannot_be_published(publication: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        published(**publication)
    with pytest.raises(error):
        published().edit(**{**SETTINGS, **publication}, by=ALICE, at=NOON)


@pytest.mark.parametrize(
    ("edits", "events"),
    [
        ({}, []),
        ({"caption": "An owl.\nAnd a fox."}, [CaptionChanged]),
        ({"visibility": "link"}, [VisibilityChanged]),
        ({"remixable": False}, [RemixingChanged]),
        (
            {"caption": "", "visibility": "followers", "remixable": False},
            [CaptionChanged, VisibilityChanged, RemixingChanged],
        ),
    ],
)
def test_an_edit_records_what_it_changes(edits: dict[str, Any], events: list[type]) -> None:
    video = published()

    video.edit(**(SETTINGS | edits), by=ALICE, at=NOON)

    assert recorded(video) == [VideoPublished, *events]


def test_only_its_author_edits_a_video() -> None:
    video = published()

    with pytest.raises(NotVideoAuthor):
        video.edit(caption="Mine.", visibility="public", remixable=True, by=MALLORY, at=NOON)

    assert video.caption == "A fox."


def test_its_author_or_a_moderator_deletes_a_video_once() -> None:
    video, other = published(), published()

    with pytest.raises(NotVideoAuthor):
        video.delete(by=MALLORY, as_moderator=False, at=NOON)
    video.delete(by=ALICE, as_moderator=False, at=NOON)
    video.delete(by=ALICE, as_moderator=False, at=NOON)
    other.delete(by=BOB, as_moderator=True, at=NOON)

    assert recorded(video) == recorded(other) == [VideoPublished, VideoDeleted]


def test_what_may_not_be_seen_is_not_there() -> None:
    video = published(visibility="followers")

    with pytest.raises(VideoNotFound):
        video.require_visible(STRANGER)


def test_a_video_gets_one_ladder_and_keeps_it() -> None:
    video = published()

    for key in ("ladders/ab/ab.json", "ladders/cd/cd.json"):
        video.add_renditions(key, rungs=3, size_bytes=1000, at=NOON)

    assert recorded(video) == [VideoPublished, RenditionsBuilt]
    assert video.ladder_key == "ladders/ab/ab.json"


def test_what_was_deleted_is_not_streamed() -> None:
    video = published()
    video.delete(by=ALICE, as_moderator=False, at=NOON)

    with pytest.raises(VideoNotFound):
        video.add_renditions("ladders/ab/ab.json", rungs=3, size_bytes=1000, at=NOON)


def test_labels_take_the_place_of_those_before_in_one_order() -> None:
    video = published()

    video.label(["graphic", "mature"], by=BOB, at=NOON)
    video.label(["mature", "graphic"], by=BOB, at=NOON)
    video.label([], by=BOB, at=NOON)

    events = list(video.collect_events())
    assert [event.labels for event in events if isinstance(event, VideoLabelled)] == [
        ("mature", "graphic"),
        (),
    ]


@pytest.mark.parametrize("labels", [["rude"], ["mature", "mature"], ["mature", ""]])
def test_there_are_no_labels_but_those_that_are_known(labels: list[str]) -> None:
    with pytest.raises(LabelUnknown):
        published().label(labels, by=BOB, at=NOON)


def test_what_was_deleted_is_not_labelled() -> None:
    video = published()
    video.delete(by=ALICE, as_moderator=False, at=NOON)

    with pytest.raises(VideoNotFound):
        video.label(["mature"], by=BOB, at=NOON)


def test_who_paid_for_a_video_is_told_until_it_is_taken_back() -> None:
    video = published()

    for brand in ("Fox and Sons", "Fox and Sons", ""):
        video.declare_branded(brand, by=ALICE, at=NOON)

    events = list(video.collect_events())
    assert [each.brand for each in events if isinstance(each, BrandedContentDeclared)] == [
        "Fox and Sons",
        "",
    ]


@pytest.mark.parametrize("brand", [" ", "Fox\nand Sons", "F" * 101, "\x1b[1m"])
def test_a_brand_has_a_name_that_can_be_read(brand: str) -> None:
    with pytest.raises(BrandInvalid):
        published().declare_branded(brand, by=ALICE, at=NOON)


def test_nobody_but_the_author_says_who_paid() -> None:
    with pytest.raises(NotVideoAuthor):
        published().declare_branded("Fox and Sons", by=BOB, at=NOON)
