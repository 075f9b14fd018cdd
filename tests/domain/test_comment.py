"""A comment: what may be written where, and who takes it away."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from domain.comment.aggregate import Comment
from domain.comment.errors import CommentNotFound, CommentTextInvalid, MayNotDeleteComment
from domain.comment.events import CommentDeleted, CommentPosted

ALICE, BOB, MALLORY = uuid4(), uuid4(), uuid4()
FOX, OWL = uuid4(), uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def post(
    text: str = "What a fox!", *, video_id: UUID = FOX, parent: Comment | None = None
) -> Comment:
    return Comment.post(
        uuid4(), video_id=video_id, author_id=BOB, parent=parent, text=text, at=NOON
    )


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 1001, "\x00", "a\x1b[2J", "half \ud800"])
def test_what_nobody_could_read_is_no_comment(text: str) -> None:
    with pytest.raises(CommentTextInvalid):
        post(text)


@pytest.mark.parametrize("text", ["x", "x" * 1000, "one\ntwo", "🦊"])
def test_a_comment_is_text(text: str) -> None:
    (event,) = post(text).collect_events()

    assert isinstance(event, CommentPosted)
    assert event.text == text


def test_a_reply_stands_under_a_comment_of_the_same_video() -> None:
    parent = post()

    assert post(parent=parent).parent_id == parent.id
    with pytest.raises(CommentNotFound):
        post(video_id=OWL, parent=parent)


def test_nobody_replies_to_what_was_deleted() -> None:
    parent = post()
    parent.delete(by=BOB, video_author_id=ALICE, at=NOON)

    with pytest.raises(CommentNotFound):
        post(parent=parent)


@pytest.mark.parametrize("by", [BOB, ALICE])
def test_who_wrote_it_or_published_the_video_deletes_a_comment_once(by: UUID) -> None:
    comment = post()

    comment.delete(by=by, video_author_id=ALICE, at=NOON)
    comment.delete(by=by, video_author_id=ALICE, at=NOON)

    assert [type(e) for e in comment.collect_events()] == [CommentPosted, CommentDeleted]


def test_nobody_else_deletes_a_comment() -> None:
    comment = post()

    with pytest.raises(MayNotDeleteComment):
        comment.delete(by=MALLORY, video_author_id=ALICE, at=NOON)

    assert not comment.deleted
