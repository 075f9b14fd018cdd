"""How long what somebody asks for is to last, as they said it.

Days begin at midnight where they are; a week ends with its Sunday. "Until Friday" includes Friday.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ranking.steering.languages.lexicon import DAY, Times

DEFAULT_DAYS = 30
DAYS_MAX = 3650

_WEEK_DAYS, _MONTHS = 7, 12


class End(NamedTuple):
    """When a rule ends: at a time, never (`None`), or when nothing was said (`is_default`)."""

    at: datetime | None
    is_default: bool = False


class Found(NamedTuple):
    """A time that was said: how many words it took; no end where they name no time there is."""

    length: int
    end: End | None


def default_end(now: datetime) -> End:
    """Return when a rule ends of which nothing was said."""
    return End(now.astimezone(UTC) + timedelta(days=DEFAULT_DAYS), is_default=True)


def find_time(words: Sequence[str], place: int, times: Times, now: datetime) -> Found | None:
    """Return the time that is said at a place, if one is; `now` is local to who said it."""
    if lasting := _lasting(words, place, times, now):
        return lasting
    if until := times.until.find(words, place):
        return _until(words, place, until[0], times, now)
    if period := times.periods.find(words, place):
        return Found(period[0], _end_of(period[1], now))
    return None


def _lasting(words: Sequence[str], place: int, times: Times, now: datetime) -> Found | None:
    """Understand "for three days", and "for a week or two" as its first part."""
    said = times.lasting.find(words, place)
    if said is None:
        return None
    at = place + said[0]
    number = _number(words[at], times) if at < len(words) else None
    counted = number is not None
    unit = times.units.get(words[at + counted]) if at + counted < len(words) else None
    if unit is None or (not counted and said[0] == 1):
        return None
    return Found(said[0] + counted + 1, _after(1 if number is None else number, unit, now))


def _until(words: Sequence[str], place: int, length: int, times: Times, now: datetime) -> Found:
    at = place + length
    rest = words[at : at + 4]
    skipped = 0
    if rest and rest[0] in _ARTICLES and len(rest) > 1 and not times.ends.find(words, at):
        skipped, rest = 1, rest[1:]
    if ends := times.ends.find(words, at + skipped):
        return Found(length + skipped + ends[0], _end_of(ends[1], now))
    if rest and rest[0] in times.weekdays:
        days = (times.weekdays[rest[0]] - now.weekday()) % _WEEK_DAYS or _WEEK_DAYS
        return Found(length + skipped + 1, _midnight(now, days + 1))
    if date := _date(rest, times, now):
        return Found(length + skipped + date.length, date.end)
    return Found(length, None)


def _date(rest: Sequence[str], times: Times, now: datetime) -> Found | None:
    """Understand "December 3", "3 December", "3rd of December"."""
    said = [word for word in rest[:3] if word not in _ARTICLES]
    if len(said) < 2:  # noqa: PLR2004 - a day and a month
        return None
    first, second = said[:2]
    day, month = (second, first) if first in times.months else (first, second)
    number = _day(day)
    if month not in times.months or number is None:
        return None
    length = rest.index(second) + 1
    for year in (now.year, now.year + 1):
        try:
            date = now.replace(year=year, month=times.months[month], day=number)
        except ValueError:
            continue
        if date >= now:
            return Found(length, _midnight(date, 1))
    return None


def _end_of(period: str, now: datetime) -> End:
    if period == "ever":
        return End(None)
    if period == "default":
        return default_end(now)
    years, month = divmod(now.month, _MONTHS)
    ends = {
        "day": (now, 1),
        "tomorrow": (now, 2),
        "week": (now, _WEEK_DAYS - now.weekday()),
        "month": (now.replace(year=now.year + years, month=month + 1, day=1), 0),
        "year": (now.replace(year=now.year + 1, month=1, day=1), 0),
    }
    return _midnight(*ends[period.removeprefix("next ")])


def _midnight(day: datetime, days: int) -> End:
    start = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return End((start + timedelta(days=days)).astimezone(UTC))


def _after(number: int, unit: int, now: datetime) -> End | None:
    if number < 1:
        return None
    if number * unit > DAYS_MAX * DAY:
        return End(None)
    return End((now + timedelta(seconds=number * unit)).astimezone(UTC))


def _number(word: str, times: Times) -> int | None:
    if word.isascii() and word.isdigit():
        return int(word[:9])
    return times.numbers.get(word)


def _day(word: str) -> int | None:
    digits = word.removesuffix("st").removesuffix("nd").removesuffix("rd").removesuffix("th")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 2 else 0  # noqa: PLR2004 - days have two digits
    return number or None


# What may stand before a day in the languages that are known.
_ARTICLES = frozenset({"the", "of", "next", "zum", "den", "nachsten", "au", "le", "la", "el", "de"})
