"""The rules of the house: how many ads, where, and what they cost at least. They are public."""

import math
from typing import Annotated

import msgspec

Micros = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
COUNT_MAX = 1000
EXPLORE_MAX = 1.0
Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]

ADULT = frozenset({"alcohol", "crypto", "dating", "gambling", "politics"})

ADS_MAX = 4


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every decision keeps to.

    Places count from 0. `first_position` videos of a session, and `gap` videos after each ad, come
    before the next. A reserve is the least that one billed event costs. An impression takes
    `ad_cost_micros` from its viewer, and what moves down takes its worth, in `worth_micros` a unit.
    With a probability of `explore`, a page shows one ad drawn among all that may be shown, at its
    reserve: what is learnt of those that never win.
    """

    first_position: Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX)] = 3
    gap: Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX)] = 4
    ads_page_max: Annotated[int, msgspec.Meta(ge=0, le=ADS_MAX)] = ADS_MAX
    ads_session_max: Count = 30
    ads_hour_max: Count = 30
    reserve_cpm_micros: Micros = 500
    reserve_cpv_micros: Micros = 2_000
    reserve_cpc_micros: Micros = 20_000
    ad_cost_micros: Micros = 200
    worth_micros: Micros = 500
    explore: Annotated[float, msgspec.Meta(ge=0, le=EXPLORE_MAX)] = 0.01
    adult_categories: frozenset[str] = ADULT
    deadline_us: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2_000

    def __post_init__(self) -> None:
        """Refuse rules that would let the first ad, or two ads, stand where they must not.

        Raises:
            ValueError: one is out of its bounds.
        """
        bounded = (
            1 <= self.first_position <= COUNT_MAX
            and 1 <= self.gap <= COUNT_MAX
            and 0 <= self.ads_page_max <= ADS_MAX
            and math.isfinite(self.explore)
            and 0 <= self.explore <= EXPLORE_MAX
            and min(self.reserve_cpm_micros, self.reserve_cpv_micros, self.reserve_cpc_micros) >= 0
            and self.ad_cost_micros >= 0
            and self.worth_micros >= 0
        )
        if not bounded:
            raise ValueError("rules of ads are out of their bounds")
