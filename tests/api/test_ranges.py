"""Which bytes a request is for (RFC 9110, 14)."""

import pytest

from myriorama.api.ranges import Part, RangeNotSatisfiable, is_current, is_known, part_of

SIZE = 1000


@pytest.mark.parametrize(
    ("shown", "part"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-999", Part(0, 1000)),
        ("bytes=0-", Part(0, 1000)),
        ("bytes=500-", Part(500, 1000)),
        ("bytes=999-", Part(999, 1000)),
        ("bytes=10-19", Part(10, 20)),
        ("bytes=10-5000", Part(10, 1000)),
        ("bytes=-1", Part(999, 1000)),
        ("bytes=-1000", Part(0, 1000)),
        ("bytes=-5000", Part(0, 1000)),
        ("Bytes = 1 - 2 ", Part(1, 3)),
    ],
)
def test_a_range_is_a_part(shown: str, part: Part) -> None:
    assert part_of(SIZE, shown) == part


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=20-10",
        "bytes=0-1,5-6",
        "bytes=1.5-2",
        "bytes=--5",
        "bytes=+1-2",
        "seconds=0-1",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_is_no_single_range_is_the_whole(shown: str | None) -> None:
    assert part_of(SIZE, shown) is None


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (SIZE, "bytes=1000-"),
        (SIZE, "bytes=1000-2000"),
        (SIZE, "bytes=-0"),
        (0, "bytes=0-"),
        (0, "bytes=-5"),
    ],
)
def test_a_range_behind_the_end_cannot_be_served(size: int, shown: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        part_of(size, shown)


@pytest.mark.parametrize(
    ("if_range", "current"),
    [
        (None, True),
        ('"abc"', True),
        ('W/"abc"', False),
        ('"other"', False),
        ("Sun, 22 Nov 2026 12:00:00 GMT", False),
    ],
)
def test_if_range_names_the_file_strongly(if_range: str | None, *, current: bool) -> None:
    assert is_current(if_range, '"abc"') is current


def test_a_file_without_tag_is_never_the_same() -> None:
    assert not is_current('"abc"', None)
    assert not is_known("*", None)


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [
        (None, False),
        ("*", True),
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"x"', False),
    ],
)
def test_a_file_that_the_client_has_is_not_sent(if_none_match: str | None, *, known: bool) -> None:
    assert is_known(if_none_match, '"abc"') is known
