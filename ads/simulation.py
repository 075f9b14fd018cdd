"""Simulated traffic: viewers who are nobody, pages of videos that are none, and what comes of ads.

All of it is drawn by a seed and by numbers, so that a viewer and a page are the same whoever draws
them, and again. What viewers do is no forecast: the chances are round numbers, see `CHANCES`. Nor
are the bids of those whom a sandbox meets, `RIVALS`: real bids are nobody's to look at.
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid5

from ads.beacons import Beacon
from ads.lines import Creative, Line, Targeting
from ads.page import Safety, Slot
from ads.viewer import Viewer
from domain.ad_categories import CATEGORIES, SENSITIVE

PAGE = 20
"""So many videos a page has."""

COUNTRIES = (("DE", "de"), ("US", "en"), ("GB", "en"), ("FR", "fr"), ("BR", "pt"), ("JP", "ja"))
PLATFORMS = ("ios", "android", "web")
TAGS = ("art", "comedy", "cooking", "dance", "diy", "football", "music", "nature", "space", "yoga")

_CATEGORIES = sorted(CATEGORIES - SENSITIVE)
_INTERESTS = sorted({*_CATEGORIES, *TAGS})
_ID_BITS = 128
_SEED_BITS = 53

_APP = "Mozilla/5.0 (Linux; Android 16) Mobile"
_CRAWLER = "Googlebot/2.1 (+http://www.google.com/bot.html)"


RIVAL_CPMS = (1, 2, 3, 4, 6, 9)
"""What a thousand showings are bid by those whom a sandbox meets."""

_RIVAL_COUNTRIES = 4
_RIVAL_MS = 6_000


class Chances(NamedTuple):
    """How likely each thing is.

    Of viewers: to be `minor`, to have asked for ads by context alone, to be a `crawler`, or a
    program in a `hurry` that reports a view as soon as it has the page. Of an ad: that the viewer
    goes on past each video before it, that they look at it for two seconds, watch it to the end,
    `skip` it otherwise, click after the view, mute or hide it, and that a report comes `twice`.
    Of a video: that it is of a category, and that it is no place for an ad, or not for every one.
    """

    minor: float = 0.1
    contextual: float = 0.1
    crawler: float = 0.02
    hurry: float = 0.01
    onward: float = 0.97
    seen: float = 0.75
    complete: float = 0.4
    skip: float = 0.5
    click: float = 0.03
    mute: float = 0.1
    hide: float = 0.01
    twice: float = 0.03
    named: float = 0.5
    limited: float = 0.05
    unsafe: float = 0.05


CHANCES = Chances()

VIEW_MS = 2_000
_VIDEO_MS = 100, 500
_LATE_MS = 50, 400
_HURRY_MS = 100


def _rival(number: int, cpm: int) -> Line:
    """Return a line for four of the countries: each viewer is bid for by four of six."""
    countries = [COUNTRIES[(number + each) % len(COUNTRIES)][0] for each in range(_RIVAL_COUNTRIES)]
    return Line(
        line_id=UUID(int=1 + number),
        campaign_id=UUID(int=101 + number),
        advertiser_id=UUID(int=201 + number),
        kind="cpm",
        bid_micros=1000 * cpm,
        creatives=(Creative(UUID(int=301 + number), "", _RIVAL_MS, ""),),
        targeting=Targeting(countries=frozenset(countries)),
    )


RIVALS = tuple(_rival(number, cpm) for number, cpm in enumerate(RIVAL_CPMS))
"""The lines of others in every sandbox. They pay for all that they win."""


class SimulatedViewer(NamedTuple):
    """Who looks: what a decision knows of them, and the agent that they report with."""

    viewer_id: UUID
    viewer: Viewer
    agent: str
    is_in_hurry: bool


class SimulatedPage(NamedTuple):
    """A page: whose, of which videos, and by which seed its ads are decided."""

    decision_id: UUID
    viewer_number: int
    slots: tuple[Slot, ...]
    seed: int


class SimulatedReport(NamedTuple):
    """What is reported of an ad, so long after its page was decided."""

    after_ms: int
    beacon: Beacon


def page_id(simulation_id: UUID, number: int) -> UUID:
    """Return the ID of a page."""
    return uuid5(simulation_id, f"page {number}")


def drawn_viewer(simulation_id: UUID, seed: int, number: int) -> SimulatedViewer:
    """Return a viewer by their number."""
    random = _drawing("viewer", seed, number)
    viewer_id = uuid5(simulation_id, f"viewer {number}")
    country, language = random.choice(COUNTRIES)
    platform = random.choice(PLATFORMS)
    is_minor = random.random() < CHANCES.minor
    is_contextual = is_minor or random.random() < CHANCES.contextual
    interests = frozenset(random.sample(_INTERESTS, random.randint(0, 5)))
    is_crawler = random.random() < CHANCES.crawler
    viewer = Viewer(
        pseudonym=int.from_bytes(viewer_id.bytes[:8]),
        country=country,
        language=language,
        age_band="" if is_contextual else "18+",
        interests=frozenset() if is_contextual else interests,
        platform=platform,
        is_minor=is_minor,
        contextual_only=is_contextual,
    )
    agent = _CRAWLER if is_crawler else _APP
    return SimulatedViewer(viewer_id, viewer, agent, random.random() < CHANCES.hurry)


def drawn_page(simulation_id: UUID, seed: int, number: int, viewers: int) -> SimulatedPage:
    """Return a page by its number, of one of so many viewers."""
    random = _drawing("page", seed, number)
    viewer_number = random.randrange(viewers)
    slots = tuple(_slot(random) for _ in range(PAGE))
    decided_by = random.getrandbits(_SEED_BITS)
    return SimulatedPage(page_id(simulation_id, number), viewer_number, slots, decided_by)


def reports_of(
    seed: int, number: int, ads: Sequence[tuple[int, int]], *, is_in_hurry: bool
) -> Sequence[Sequence[SimulatedReport]]:
    """Return what comes of the ads of a page, given by their places and durations in ms.

    No report is earlier than it can be: a view takes its two seconds, and what was played its time.
    """
    random = _drawing("reports", seed, number)
    now_ms, reached, place = 0, True, 0
    found = list[Sequence[SimulatedReport]]()
    for position, duration_ms in ads:
        passed = max(0, position - place)
        place = position + 1
        reached = reached and random.random() < CHANCES.onward**passed
        now_ms += sum(random.randint(*_VIDEO_MS) for _ in range(passed))
        if is_in_hurry:
            found.append((SimulatedReport(_HURRY_MS, Beacon.VIEWABLE),))
        elif not reached:
            found.append(())
        else:
            told, took_ms = _watched(random, duration_ms)
            found.append(
                [
                    SimulatedReport(now_ms + after_ms + random.randint(*_LATE_MS), beacon)
                    for after_ms, beacon in told
                    for _ in range(2 if random.random() < CHANCES.twice else 1)
                ]
            )
            now_ms += took_ms
    return found


def _watched(random: Random, duration_ms: int) -> tuple[Sequence[tuple[int, Beacon]], int]:
    """Return what is reported of an ad that the viewer has come to, and how long they stay."""
    if random.random() >= CHANCES.seen:
        return [], random.randint(200, VIEW_MS - 200)
    told = [(VIEW_MS, Beacon.VIEWABLE)]
    stays_ms = max(VIEW_MS, duration_ms)
    if random.random() >= CHANCES.complete:
        stays_ms = random.randint(VIEW_MS, stays_ms)
    told += [
        (duration_ms * quarters // 4, beacon)
        for quarters, beacon in _PLAYED
        if duration_ms * quarters <= stays_ms * 4
    ]
    if random.random() < CHANCES.mute:
        told.append((VIEW_MS // 2, Beacon.MUTE))
    if random.random() < CHANCES.click:
        told.append((VIEW_MS + random.randint(300, 1_500), Beacon.CLICK))
    if random.random() < CHANCES.hide:
        told.append((stays_ms, Beacon.HIDE))
    elif stays_ms < duration_ms and random.random() < CHANCES.skip:
        told.append((stays_ms, Beacon.SKIP))
    return told, stays_ms


_PLAYED = (
    (1, Beacon.FIRST_QUARTILE),
    (2, Beacon.MIDPOINT),
    (3, Beacon.THIRD_QUARTILE),
    (4, Beacon.COMPLETE),
)


def _slot(random: Random) -> Slot:
    category = random.choice(_CATEGORIES) if random.random() < CHANCES.named else None
    words = {random.choice(TAGS), *([category] if category else ())}
    safety: Safety = "safe"
    if random.random() < CHANCES.unsafe:
        safety = "unsafe"
    elif random.random() < CHANCES.limited:
        safety = "limited"
    ids = (UUID(int=random.getrandbits(_ID_BITS), version=4) for _ in range(2))
    return Slot(next(ids), next(ids), category, frozenset(words), safety, 1.0)


def _drawing(what: str, seed: int, number: int) -> Random:
    return Random(f"{what} {seed} {number}")  # noqa: S311 - no secret hangs on it
