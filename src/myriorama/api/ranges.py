"""Which part of a file a request is for: Range, If-Range, If-None-Match (RFC 9110, 13 and 14)."""

import re
from typing import NamedTuple

_UNIT = re.compile(r"\s*bytes\s*=(.*)", re.IGNORECASE)
# Beyond 18 digits no file goes, and conversion would take long.
_SPAN = re.compile(r"\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")


class Part(NamedTuple):
    """A half-open range of bytes."""

    start: int
    stop: int


class RangeNotSatisfiable(ValueError):
    """Nothing of the file lies in the range."""


def part_of(size: int, shown_range: str | None) -> Part | None:
    """Return the part of a file of `size` bytes that a Range header asks for.

    Returns:
        None for the whole: there is no header, it is of another unit, not of its grammar, or asks
        for several parts, all of which a server may ignore.

    Raises:
        RangeNotSatisfiable: the file ends before the part begins.
    """
    unit = _UNIT.fullmatch(shown_range or "")
    span = _SPAN.fullmatch(unit.group(1)) if unit else None
    if span is None or not (span.group(1) or span.group(2)):
        return None
    if not span.group(1):
        start, stop = max(size - int(span.group(2)), 0), size
    else:
        start = int(span.group(1))
        stop = min(int(span.group(2)) + 1, size) if span.group(2) else size
        if span.group(2) and int(span.group(2)) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiable(f"The file has {size} bytes.")
    return Part(start, stop)


def is_current(if_range: str | None, etag: str | None) -> bool:
    """Tell whether a range may be served: If-Range is absent, or names the present file strongly.

    A date never does, for what is stored by its content has none.
    """
    return if_range is None or if_range.strip() == etag


def is_known(if_none_match: str | None, etag: str | None) -> bool:
    """Tell whether the client has the file already; weak tags match here (RFC 9110, 13.1.2)."""
    if if_none_match is None or etag is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags
