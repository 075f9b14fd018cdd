"""What each place looks like: its colours, the shape of its hills, and what stands around in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from myriorama.studio.lexicon import Light, Place, Weather


@dataclass(frozen=True)
class Surroundings:
    """Where and when a clip plays, once everything that was left open is decided."""

    place: Place
    light: Light
    weather: Weather


class Ridge(StrEnum):
    """The outline of what lies behind the ground."""

    DUNES = "dunes"
    FOLDS = "folds"
    HILLS = "hills"
    NONE = "none"
    PEAKS = "peaks"
    PUFFS = "puffs"
    SEA = "sea"
    TOWERS = "towers"


@dataclass(frozen=True)
class Scenery:
    """A place by daylight. Colours are pairs from top to bottom, or from far to near.

    `distant` and `near` are drawings that stand on the far ridge and at the edge of the ground;
    `front` ones are seen out of focus at the lower edge of the picture.
    """

    sky: tuple[str, str]
    ridge: Ridge
    far: str
    mid: str
    ground: tuple[str, str]
    distant: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    front: tuple[str, ...] = ()
    has_weather: bool = True
    clouds: float = 0.0


SCENERY: Mapping[Place, Scenery] = {
    Place.MEADOW: Scenery(
        sky=("#4aa8f0", "#d3f0ff"),
        ridge=Ridge.HILLS,
        far="#9fd6b4",
        mid="#71c27c",
        ground=("#6cc24a", "#3f9142"),
        distant=("1f333", "1f332", "1f3e1"),
        near=("1f333", "1f33c", "1f337", "1f33b"),
        front=("1f33f", "1f33c", "1f33f", "1f337"),
        clouds=1.0,
    ),
    Place.BEACH: Scenery(
        sky=("#2f9fe8", "#c9f1ff"),
        ridge=Ridge.SEA,
        far="#2fb4d2",
        mid="#1a8fbf",
        ground=("#f7e2ad", "#e3bd78"),
        distant=("26f5",),
        near=("1f334", "26f1", "1f334", "1f41a"),
        clouds=0.7,
    ),
    Place.DESERT: Scenery(
        sky=("#3d8fd9", "#ffe7c2"),
        ridge=Ridge.DUNES,
        far="#f0c489",
        mid="#e6ac68",
        ground=("#edb870", "#c98544"),
        distant=("1f335",),
        near=("1f335", "1faa8", "1f335"),
        clouds=0.2,
    ),
    Place.SNOW: Scenery(
        sky=("#6fa9dc", "#e6f3ff"),
        ridge=Ridge.PEAKS,
        far="#a9c4e4",
        mid="#cfe0f2",
        ground=("#f7fbff", "#c4d8ee"),
        near=("1f332", "26c4", "1f332", "1f332"),
        clouds=0.5,
    ),
    Place.FOREST: Scenery(
        sky=("#7fc4c9", "#e2f4d3"),
        ridge=Ridge.HILLS,
        far="#6fae8c",
        mid="#3f8a5d",
        ground=("#5a8f3d", "#35602d"),
        distant=("1f332", "1f333", "1f332", "1f332", "1f333"),
        near=("1f332", "1f333", "1f344", "1f332"),
        front=("1f33f", "1f344"),
        clouds=0.2,
    ),
    Place.CITY: Scenery(
        sky=("#5aa5e6", "#ffe9d6"),
        ridge=Ridge.TOWERS,
        far="#a7bcd6",
        mid="#7088ad",
        ground=("#6b7280", "#474c57"),
        near=("1f333", "1f6a6", "1f3ea", "1f333"),
        clouds=0.5,
    ),
    Place.SKY: Scenery(
        sky=("#2b86e3", "#bfe6ff"),
        ridge=Ridge.PUFFS,
        far="#dff1ff",
        mid="#f0f8ff",
        ground=("#ffffff", "#cfe5fa"),
        clouds=1.6,
    ),
    Place.SPACE: Scenery(
        sky=("#05041a", "#2a1458"),
        ridge=Ridge.DUNES,
        far="#4b4668",
        mid="#6c6788",
        ground=("#9a96b3", "#5f5b7b"),
        near=("1faa8",),
        has_weather=False,
    ),
    Place.UNDERWATER: Scenery(
        sky=("#38c6e8", "#0a3f7f"),
        ridge=Ridge.HILLS,
        far="#1f7fb4",
        mid="#14629a",
        ground=("#d9c48c", "#8b8f74"),
        distant=("1fab8",),
        near=("1fab8", "1f33f", "1f41a", "1fab8"),
        front=("1f33f", "1fab8"),
        has_weather=False,
    ),
    Place.STAGE: Scenery(
        sky=("#3a0f5c", "#7a1f86"),
        ridge=Ridge.FOLDS,
        far="#8e1d4f",
        mid="#6d1440",
        ground=("#b7763a", "#6b3d1c"),
        has_weather=False,
    ),
    Place.ROOM: Scenery(
        sky=("#f6dcc0", "#f0c9a8"),
        ridge=Ridge.NONE,
        far="#e8b88f",
        mid="#d9a074",
        ground=("#c98f5a", "#94592f"),
        near=("1f6cb", "1fab4"),
        has_weather=False,
    ),
}
