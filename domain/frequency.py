"""Frequency caps: how often one viewer is shown ads of one line, campaign, advertiser, creative."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import Invalid

CAPS_MAX = 4
COUNT_MAX = 1000
WINDOW_S_MIN, WINDOW_S_MAX = 60, 90 * 24 * 3600


class FrequencyCapInvalid(Invalid):
    """A cap allows 1 to 1000 ads in a minute to 90 days; there are four at most, of other spans."""


@dataclass(frozen=True)
class FrequencyCap:
    """At most `count` ads to one viewer within any `window_s` seconds."""

    count: int
    window_s: int


def check_caps(caps: Sequence[FrequencyCap]) -> None:
    """Let caps pass that can be counted.

    Raises:
        FrequencyCapInvalid: they cannot be.
    """
    counted = all(
        1 <= cap.count <= COUNT_MAX and WINDOW_S_MIN <= cap.window_s <= WINDOW_S_MAX for cap in caps
    )
    if not counted or len(caps) > CAPS_MAX or len({cap.window_s for cap in caps}) < len(caps):
        raise FrequencyCapInvalid(
            f"A cap allows 1 to {COUNT_MAX} ads in {WINDOW_S_MIN} to {WINDOW_S_MAX} seconds; "
            f"there are {CAPS_MAX} at most, each of another span."
        )
