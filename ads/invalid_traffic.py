"""Invalid traffic as it arrives: agents and networks on lists, and what no viewer can have done.

A report that is marked is kept with its mark: it costs nothing, caps nothing and teaches nothing,
and every report tells gross, invalid and net. Nothing is refused for it, so that whoever sends it
learns nothing. That a click needs a view, and an ad a record, is for settlement to say, which waits
for one that is on its way. What only many reports together give away is found by
`ads/traffic_outliers.py`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from crawleruseragents import is_crawler  # pyright: ignore[reportMissingTypeStubs] - it has none

from ads.beacons import Beacon
from ads.prefixes import Prefixes

Rule = Literal[
    "no_agent",
    "crawler",
    "data_centre",
    "before_decision",
    "view_too_soon",
    "click_without_view",
    "unrecorded",
    "click_too_soon",
    "played_too_soon",
    "viewer_volume",
    "viewer_clicks",
    "invite_tree_volume",
    "invite_tree_clicks",
]


class Mark(NamedTuple):
    """Why a report counts as invalid; `general` is found in it alone, `sophisticated` in many."""

    rule: Rule
    kind: Literal["general", "sophisticated"]


class Arrival(NamedTuple):
    """A report as the server got it; all times are the servers' own.

    `decided_ms` is of the token; without `duration_ms` how long the ad plays is not known here.
    """

    beacon: Beacon
    decided_ms: int
    received_ms: int
    agent: str
    address: str
    duration_ms: int | None = None


class Floors(NamedTuple):
    """Less time than this nothing takes; `skew_ms` is how far two servers' clocks may differ.

    A view takes its two seconds; a click, for which the allowance is none, the time to see an ad
    and to move a finger. A video was played to its end after `share` of it.
    """

    view_ms: int = 2_000
    click_ms: int = 300
    skew_ms: int = 500
    share: float = 0.9


FLOORS = Floors()

_PLAYED: Mapping[Beacon, float] = {
    Beacon.FIRST_QUARTILE: 0.25,
    Beacon.MIDPOINT: 0.5,
    Beacon.THIRD_QUARTILE: 0.75,
}


class InvalidTraffic:
    """The rules of one report."""

    def __init__(
        self, data_centres: Prefixes, apps: Sequence[str] = (), floors: Floors = FLOORS
    ) -> None:
        """Take the networks in which nobody watches, and how the agents of own apps begin.

        Lists of crawlers name the libraries that apps are made of, so an app that tells its own
        name is not looked up.
        """
        self._data_centres = data_centres
        self._apps = tuple(apps)
        self._floors = floors

    def mark(self, arrival: Arrival) -> Mark | None:
        """Return why the report is invalid: by lists first, then by what cannot have been."""
        rule = self._listed(arrival) or self._impossible(arrival)
        return None if rule is None else Mark(rule, "general")

    def _listed(self, arrival: Arrival) -> Rule | None:
        agent = arrival.agent.strip()
        if not agent:
            return "no_agent"
        if not (self._apps and agent.startswith(self._apps)) and _crawls(agent):
            return "crawler"
        return "data_centre" if arrival.address in self._data_centres else None

    def _impossible(self, arrival: Arrival) -> Rule | None:
        floors = self._floors
        took_ms = arrival.received_ms - arrival.decided_ms + floors.skew_ms
        if took_ms < 0:
            return "before_decision"
        match arrival.beacon:
            case Beacon.VIEWABLE:
                return "view_too_soon" if took_ms < floors.view_ms else None
            case Beacon.CLICK:
                return "click_too_soon" if took_ms < floors.click_ms + floors.skew_ms else None
            case Beacon.COMPLETE:
                # Players tell the end a little before it; of a short video, clocks hide more.
                duration_ms = arrival.duration_ms or 0
                least_ms = min(duration_ms, duration_ms * floors.share + floors.skew_ms)
                return "played_too_soon" if took_ms < least_ms else None
            case beacon:
                # Skipped, muted, hidden: that may be done at any time.
                least_ms = (arrival.duration_ms or 0) * _PLAYED.get(beacon, 0.0)
                return "played_too_soon" if took_ms < least_ms else None


@lru_cache(maxsize=65_536)
def _crawls(agent: str) -> bool:
    """Look an agent up in some 1,500 patterns, which takes 0.1 ms, once."""
    return bool(is_crawler(agent))
