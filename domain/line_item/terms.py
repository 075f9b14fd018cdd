"""What a line item may say: for whom, when, beside what, and for how much."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from domain.ad_categories import check_category
from domain.flight import check_flight
from domain.frequency import FrequencyCap, check_caps
from domain.line_item.errors import (
    BudgetsInvalid,
    CreativesInvalid,
    HoursInvalid,
    KindUnknown,
    LineItemNameInvalid,
    PacingUnknown,
    SuitabilityInvalid,
    TargetingInvalid,
)
from domain.micros import check_micros
from domain.text import is_name
from domain.words import folded

Kind = Literal["cpm", "cpv", "cpc"]
Pacing = Literal["even", "asap", "front"]
Tier = Literal["full", "standard", "limited"]
AgeBand = Literal["13-15", "16-17", "18+"]
Platform = Literal["android", "ios", "web"]

NAME_LENGTH_MAX = 100
CREATIVES_MAX = 20
CHOICES_MAX = 250
BLOCKED_MAX = 1000
TERM_LENGTH_MAX = 64
HOURS = 7 * 24
# The price of a thousand: so that one impression costs a micro at least.
CPM_MICROS_MIN = 1000

_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_HOURS = re.compile(rf"[01]{{{HOURS}}}")


@dataclass(frozen=True)
class Schedule:
    """From when to when, how fast, and in which hours.

    `hours` has a "1" for each hour of the week in which ads are shown, of the advertiser's zone,
    from Monday at midnight on; None is always. `ends_at` None is as long as the campaign runs.
    """

    starts_at: datetime
    ends_at: datetime | None
    hours: str | None
    pacing: str


@dataclass(frozen=True)
class Targeting:
    """Which viewers: those of any value of each axis. An axis without values is every viewer."""

    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    age_bands: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suitability:
    """Beside which videos: those of the tier, and none that is blocked."""

    tier: str = "standard"
    blocked_categories: tuple[str, ...] = ()
    blocked_authors: tuple[UUID, ...] = ()
    blocked_keywords: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Terms:
    """All that an advertiser may change of a line item.

    `bid_micros` is what a thousand viewable impressions ("cpm"), a view ("cpv") or a click ("cpc")
    is worth at most. `daily_budget_micros` None is: the lifetime budget alone. `bidder` is where
    somebody outside is asked what it bids for one viewer; None: it bids the same for each.
    """

    name: str
    bid_micros: int
    daily_budget_micros: int | None
    lifetime_budget_micros: int
    schedule: Schedule
    targeting: Targeting = field(default_factory=Targeting)
    caps: tuple[FrequencyCap, ...] = ()
    suitability: Suitability = field(default_factory=Suitability)
    creative_ids: tuple[UUID, ...] = ()
    bidder: str | None = None


def check_kind(kind: str) -> None:
    """Let a kind of bid pass that there is.

    Raises:
        KindUnknown: there is none.
    """
    if kind not in get_args(Kind):
        raise KindUnknown("A line item pays by cpm, cpv or cpc.")


def check_terms(terms: Terms, kind: str) -> None:
    """Let terms pass that can be kept.

    Raises:
        LineItemNameInvalid, AmountInvalid, BudgetsInvalid, FlightInvalid, HoursInvalid,
        PacingUnknown, TargetingInvalid, FrequencyCapInvalid, SuitabilityInvalid, CategoryUnknown,
        CreativesInvalid: they cannot.
    """
    if not is_name(terms.name) or len(terms.name) > NAME_LENGTH_MAX:
        raise LineItemNameInvalid(f"A name is one line of 1 to {NAME_LENGTH_MAX} characters.")
    _check_money(terms, kind)
    _check_schedule(terms.schedule)
    _check_targeting(terms.targeting)
    check_caps(terms.caps)
    _check_suitability(terms.suitability)
    if len(set(terms.creative_ids)) < len(terms.creative_ids):
        raise CreativesInvalid("Each creative is named once.")
    if len(terms.creative_ids) > CREATIVES_MAX:
        raise CreativesInvalid(f"A line item has {CREATIVES_MAX} creatives at most.")


def _check_money(terms: Terms, kind: str) -> None:
    check_micros(terms.bid_micros, at_least=CPM_MICROS_MIN if kind == "cpm" else 1)
    check_micros(terms.lifetime_budget_micros)
    if terms.daily_budget_micros is not None:
        check_micros(terms.daily_budget_micros)
        if terms.daily_budget_micros > terms.lifetime_budget_micros:
            raise BudgetsInvalid("A day may not cost more than the whole.")
    one = terms.bid_micros // 1000 if kind == "cpm" else terms.bid_micros
    if one > (terms.daily_budget_micros or terms.lifetime_budget_micros):
        raise BudgetsInvalid("The budget does not pay for a single ad at this bid.")


def _check_schedule(schedule: Schedule) -> None:
    check_flight(schedule.starts_at, schedule.ends_at)
    if schedule.pacing not in get_args(Pacing):
        raise PacingUnknown("The pacing is even, asap or front.")
    hours = schedule.hours
    if hours is not None and not (_HOURS.fullmatch(hours) and "1" in hours):
        raise HoursInvalid(f"The hours are {HOURS} digits, 0 or 1, and not all of them 0.")


def _check_targeting(targeting: Targeting) -> None:
    _require_each(targeting.countries, "countries", lambda each: bool(_COUNTRY.fullmatch(each)))
    _require_each(targeting.languages, "languages", lambda each: bool(_LANGUAGE.fullmatch(each)))
    _require_each(targeting.age_bands, "age_bands", lambda each: each in get_args(AgeBand))
    _require_each(targeting.interests, "interests", _is_term)
    _require_each(targeting.platforms, "platforms", lambda each: each in get_args(Platform))


def _require_each(values: tuple[str, ...], axis: str, may_be: Callable[[str], bool]) -> None:
    sound = len(values) <= CHOICES_MAX and len(set(values)) == len(values)
    if not sound or not all(map(may_be, values)):
        raise TargetingInvalid(
            f"`{axis}` has a value that there is not, or too many, or one twice."
        )


def _check_suitability(suitability: Suitability) -> None:
    if suitability.tier not in get_args(Tier):
        raise SuitabilityInvalid("The tier is full, standard or limited.")
    blocked: tuple[Collection[object], ...] = (
        suitability.blocked_categories,
        suitability.blocked_authors,
        suitability.blocked_keywords,
    )
    if any(len(each) > BLOCKED_MAX or len(set(each)) < len(each) for each in blocked):
        raise SuitabilityInvalid(f"Block {BLOCKED_MAX} of each at most, and each once.")
    for category in suitability.blocked_categories:
        check_category(category)
    if not all(map(_is_term, suitability.blocked_keywords)):
        raise SuitabilityInvalid("A keyword is folded: lower case, without accents, of one line.")


def _is_term(term: str) -> bool:
    return is_name(term) and len(term) <= TERM_LENGTH_MAX and term == folded(term).strip()
