"""Who advertises in the worlds that come with a house, with what, and for how much."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from myriorama.application.demo_world import Newcomer
from myriorama.workers.seed import Inhabitant

_COIN = 1_000_000


@dataclass(frozen=True)
class Bid:
    """A line item: what is paid for, the most that it costs, and how a day's budget is spent."""

    name: str
    kind: Literal["cpm", "cpv", "cpc"]
    pacing: Literal["even", "front", "asap"]
    bid_micros: int
    daily_budget_micros: int
    interests: Sequence[str] = ()
    guaranteed: bool = False


@dataclass(frozen=True)
class Business:
    """Somebody who pays for ads, with one video."""

    owner: Inhabitant
    name: str
    website: str
    category: str
    objective: Literal["awareness", "views", "visits"]
    headline: str
    call_to_action: str
    bids: Sequence[Bid]
    top_up_micros: int = 200 * _COIN
    zone: str = field(default="UTC")


def _owner(handle: str, name: str, prompt: str) -> Inhabitant:
    return Inhabitant(handle, name, f"Speaks for {name}.", (prompt,))


SMALL: Sequence[Business] = (
    Business(
        _owner("stillwater", "Stillwater", "a whale swims in the ocean at sunset"),
        "Stillwater",
        "stillwater.example.com",
        "health",
        "visits",
        "Ten slow breaths a day",
        "learn_more",
        (
            Bid("Everybody", "cpm", "even", 8 * _COIN, 20 * _COIN, guaranteed=True),
            Bid("Clicks", "cpc", "even", _COIN // 4, 4 * _COIN),
        ),
    ),
)
"""Who advertises in the small world: of a category on which a person decides."""

MANY: Sequence[Business] = (
    Business(
        _owner("tailwind", "Tailwind Kites", "a kite flies over the beach at sunset"),
        "Tailwind Kites",
        "tailwind.example.com",
        "toys",
        "awareness",
        "Made for wind that is not there yet",
        "shop_now",
        (
            Bid("All day", "cpm", "even", 6 * _COIN, 3 * _COIN),
            Bid("Mornings first", "cpm", "front", 5 * _COIN, 2 * _COIN),
        ),
    ),
    Business(
        _owner("nightbus", "Night Bus", "a bus drives through the city at night"),
        "Night Bus",
        "nightbus.example.com",
        "travel",
        "visits",
        "Home, at any hour",
        "book_now",
        (Bid("Clicks", "cpc", "even", _COIN // 4, 4 * _COIN),),
    ),
    Business(
        _owner("snowline", "Snowline", "a penguin waddles through the snow"),
        "Snowline",
        "snowline.example.com",
        "entertainment",
        "views",
        "The film about the penguin",
        "watch_more",
        (Bid("Views", "cpv", "asap", _COIN // 50, 3 * _COIN),),
    ),
    Business(
        _owner("harbour", "Harbour Savings", "a dolphin jumps in the sea"),
        "Harbour Savings",
        "harbour.example.com",
        "finance",
        "awareness",
        "Put something by for the sea",
        "sign_up",
        (
            Bid("As soon as it can", "cpm", "asap", 7 * _COIN, 2 * _COIN),
            Bid("Clicks", "cpc", "front", _COIN // 5, 2 * _COIN),
        ),
        zone="Europe/Berlin",
    ),
)
"""Who advertises in the demo world: all kinds, and all ways to spend a day's budget."""

REVIEWER = Inhabitant("rita", "Rita", "Looks at ads before you do.", ())
SECOND_REVIEWER = Inhabitant("ravi", "Ravi", "Looks at ads before you do.", ())

NEIGHBOURS: Sequence[Newcomer] = tuple(
    Newcomer(f"neighbour{number}", f"Neighbour {number}", "Only looks.") for number in range(1, 25)
)
"""Who looks at the ads of the small world, before anybody else comes."""
