"""Sessions: what a viewer has scrolled past is carried on, ads and videos alike."""

import pytest

from myriorama.feed.ad_sessions import BEGUN, Session, session_of


@pytest.mark.parametrize(
    ("before", "videos", "positions", "behind"),
    [
        (BEGUN, 20, [], Session(20, 0, None)),
        (BEGUN, 20, [3], Session(20, 1, 17)),
        # The second ad stands on place 9, behind eight videos and one ad.
        (Session(20, 1, 17), 10, [0, 9], Session(30, 3, 2)),
        (Session(20, 1, 17), 10, [10], Session(30, 2, 0)),
        (Session(20, 1, 17), 5, [], Session(25, 1, 22)),
    ],
)
def test_a_page_moves_the_session_on(
    before: Session, videos: int, positions: list[int], behind: Session
) -> None:
    assert before.after(videos, positions) == behind


@pytest.mark.parametrize("session", [BEGUN, Session(7, 0, None), Session(30, 3, 0)])
def test_a_cursor_carries_it(session: Session) -> None:
    assert session_of(session.fields()) == session


def test_a_cursor_of_a_feed_without_ads_carries_none() -> None:
    assert session_of(()) is None
