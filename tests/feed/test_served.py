"""What was shown lately is known as if each page had been gone through at once."""

from hypothesis import given
from hypothesis import strategies as st

from myriorama.feed.served import Served

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ALICE = b"alice"

VIDEOS = [bytes([number]) for number in range(6)]
PAGES = st.lists(
    st.tuples(
        st.integers(0, 15 * HOUR_MS),
        st.lists(st.sampled_from(VIDEOS), unique=True, max_size=4),
        st.booleans(),
    ),
    max_size=50,
)


@given(PAGES)
def test_it_does_not_matter_when_pages_are_gone_through(
    pages: list[tuple[int, list[bytes], bool]],
) -> None:
    served, marks = Served(), dict[bytes, tuple[int, bytes]]()
    at_ms = DAY_MS

    for number, (later_ms, video_ids, is_asked) in enumerate(pages):
        at_ms += later_ms
        decision_id = bytes([number])
        served.add(ALICE, video_ids, at_ms=at_ms, decision_id=decision_id)
        for video_id in video_ids:
            before_ms, first = marks.pop(video_id, (0, decision_id))
            is_old = before_ms < at_ms - DAY_MS
            marks[video_id] = (at_ms, decision_id if is_old else first)
        if is_asked:
            served.to(ALICE, at_ms=at_ms)

    lately = {v: first for v, (ms, first) in marks.items() if ms >= at_ms - DAY_MS}
    assert served.to(ALICE, at_ms=at_ms) == [*lately]
    for video_id in VIDEOS:
        assert served.by(ALICE, video_id, at_ms=at_ms) == lately.get(video_id)
