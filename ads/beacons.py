"""What an app reports of an ad, and which report bills a line item of which kind."""

from collections.abc import Mapping
from enum import IntEnum

from ads.lines import Kind


class Beacon(IntEnum):
    """A report. The numbers are stored for good."""

    VIEWABLE = 1
    """Half of the pixels were seen for two seconds without a break."""
    FIRST_QUARTILE = 2
    MIDPOINT = 3
    THIRD_QUARTILE = 4
    COMPLETE = 5
    MUTE = 6
    SKIP = 7
    CLICK = 8
    HIDE = 9
    REPORT = 10


BILLED: Mapping[Kind, Beacon] = {
    "cpm": Beacon.VIEWABLE,
    "cpv": Beacon.COMPLETE,
    "cpc": Beacon.CLICK,
}
"""What is charged, once a decision."""
