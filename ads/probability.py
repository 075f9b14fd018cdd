"""How likely an ad is to be seen, seen to its end, and clicked, by features of its own and of now.

Nothing of the ranking enters. What a viewer did is no feature: so minors, and whoever asks for
contextual ads, are treated like everybody. A head is a sum of effects on the log-odds, behind a
calibration that it cannot be made without. How far viewers come down a page is a factor of its
own: an ad's value at a place is its value times the place's, which the auction rests on.
"""

from collections.abc import Mapping
from typing import Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from ads import calibration
from ads.lines import Creative, Line
from ads.viewer import Viewer

Floats = NDArray[np.float64]
Event = Literal["view", "complete", "click"]

EVENTS: tuple[Event, ...] = ("view", "complete", "click")
"""A viewable impression, and, given it, a view to the end, and a click."""

PLACES = 80
"""The places of the longest page there is, ads included."""

TIRED_MAX = 5
"""From so many showings of a line to a viewer on, further ones make no difference."""

_SESSION_ADS_MAX = 5
_DURATION_STEP_MS = 5000
_DURATIONS_MAX = 12


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model of one event: effects on the log-odds by feature, then the table."""

    intercept: float
    effects: Mapping[str, float]
    table: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a head that is not calibrated.

        Raises:
            ValueError: the table is not one, or a number is not finite.
        """
        table = np.asarray(self.table, np.float64)
        if len(table) != calibration.KNOTS or not np.isfinite(table).all():
            raise ValueError("a head needs the table of its calibration")
        if table[0] < calibration.P_MIN or table[-1] > calibration.P_MAX or _falls(table):
            raise ValueError("a table of calibration rises from knot to knot, between 0 and 1")
        if not np.isfinite([self.intercept, *self.effects.values()]).all():
            raise ValueError("effects are finite")

    def sum_of(self, features: tuple[str, ...]) -> float:
        """Return what these features add; unknown ones add nothing."""
        return sum(self.effects.get(each, 0.0) for each in features)


class Probabilities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The heads, and the reach: how likely a viewer is to come to each place of a page.

    The reach never rises from place to place.
    """

    version: str
    view: Head
    complete: Head
    click: Head
    reach: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a reach that rises.

        Raises:
            ValueError: it does, or is not of all places, or not between 0 and 1.
        """
        reach = np.asarray(self.reach, np.float64)
        if len(reach) != PLACES or not np.isfinite(reach).all() or _falls(-reach):
            raise ValueError(f"reach is of {PLACES} places and never rises")
        if reach[0] > 1 or reach[-1] <= 0:
            raise ValueError("reach is above 0 and at most 1")

    @classmethod
    def prior(cls) -> Self:
        """Return what is assumed until something has been learnt: rates that are usual in feeds."""
        table = tuple(calibration.identity().tolist())
        rates = {"view": 0.7, "complete": 0.2, "click": 0.008}
        heads = {of: Head(float(np.log(p / (1 - p))), {}, table) for of, p in rates.items()}
        reach = tuple((0.97 ** np.arange(PLACES)).tolist())
        return cls("prior", heads["view"], heads["complete"], heads["click"], reach)

    def head(self, event: Event) -> Head:
        """Return the model of an event."""
        return {"view": self.view, "complete": self.complete, "click": self.click}[event]


def features_of_creative(line: Line, creative: Creative) -> tuple[str, ...]:
    """Return what is known of an ad before anybody looks."""
    steps = min(creative.duration_ms // _DURATION_STEP_MS, _DURATIONS_MAX)
    return (
        f"creative={creative.creative_id}",
        f"category={line.category}",
        f"duration={steps}",
        f"call={bool(creative.call_to_action)}",
        f"generated={creative.ai_label}",
        f"by_interest={bool(line.targeting.interests)}",
    )


def features_of_viewer(viewer: Viewer) -> tuple[str, ...]:
    """Return what is known of the moment, the same for every ad."""
    return (
        f"platform={viewer.platform}",
        f"country={viewer.country}",
        f"session_ads={min(viewer.ads_in_session, _SESSION_ADS_MAX)}",
    )


def feature_of_tired(times: int) -> str:
    """Return the feature of how often a viewer was shown this line before."""
    return f"shown={min(times, TIRED_MAX)}"


def _falls(values: Floats) -> bool:
    return bool((np.diff(values) < 0).any())
