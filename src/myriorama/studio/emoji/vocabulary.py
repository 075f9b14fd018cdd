"""What the small model knows: who can act, what they can do, where, and in which words.

Words marked as held out never stand in a caption that is trained on: they measure whether the model
understands a word because it is near another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


@dataclass(frozen=True)
class Words:
    """How something is called: `known` words are trained on, `held_out` ones only asked for."""

    known: tuple[str, ...]
    held_out: tuple[str, ...] = ()


class Motion(StrEnum):
    """What the actor does."""

    BOUNCE = "bounce"
    FALL = "fall"
    FLOAT = "float"
    FLY = "fly"
    GROW = "grow"
    JUMP = "jump"
    ROLL = "roll"
    SHAKE = "shake"
    SHRINK = "shrink"
    SPIN = "spin"


class Place(StrEnum):
    """Where it happens."""

    BEACH = "beach"
    DESERT = "desert"
    MEADOW = "meadow"
    NIGHT = "night"
    RAIN = "rain"
    SNOW = "snow"
    SPACE = "space"
    STAGE = "stage"
    UNDERWATER = "underwater"


ACTORS: Mapping[str, Words] = {
    "1f98a": Words(("fox", "red fox", "little fox"), ("vixen",)),
    "1f436": Words(("dog", "puppy", "little dog"), ("hound", "doggy")),
    "1f438": Words(("frog", "green frog"), ("toad",)),
    "1f43c": Words(("panda", "panda bear"), ("giant panda",)),
    "1f427": Words(("penguin", "little penguin"), ("emperor penguin",)),
    "1f425": Words(("chick", "baby chicken", "yellow chick"), ("hatchling",)),
    "1f419": Words(("octopus", "purple octopus"), ("kraken", "squid")),
    "1f980": Words(("crab", "red crab"), ("lobster",)),
    "1f98b": Words(("butterfly", "blue butterfly"), ("moth",)),
    "1f47b": Words(("ghost", "white ghost", "phantom"), ("spook", "spirit")),
    "1f916": Words(("robot", "android"), ("machine man", "droid")),
    "1f383": Words(("pumpkin", "jack-o-lantern", "carved pumpkin"), ("squash lantern",)),
    "1f335": Words(("cactus", "green cactus"), ("succulent",)),
    "1f344": Words(("mushroom", "red mushroom", "toadstool"), ("fungus",)),
    "1f33b": Words(("sunflower", "yellow flower"), ("blossom",)),
    "1f34e": Words(("apple", "red apple"), ("ripe apple",)),
    "1f34c": Words(("banana", "yellow banana"), ("plantain",)),
    "1f355": Words(("pizza", "slice of pizza", "pizza slice"), ("piece of pizza",)),
    "1f369": Words(("doughnut", "donut", "glazed donut"), ("pastry ring",)),
    "26bd": Words(("soccer ball", "football", "ball"), ("leather ball",)),
    "1f388": Words(("balloon", "red balloon"), ("party balloon",)),
    "2b50": Words(("star", "yellow star", "golden star"), ("little star",)),
    "1f697": Words(("car", "red car", "automobile"), ("vehicle",)),
    "1f680": Words(("rocket", "space rocket", "spaceship"), ("rocket ship",)),
}
"""By the name of the drawing in Twemoji."""

MOTIONS: Mapping[Motion, Words] = {
    Motion.BOUNCE: Words(
        ("bounces", "is bouncing up and down", "bounces like a ball", "keeps bouncing"),
        ("boings up and down",),
    ),
    Motion.FALL: Words(
        ("falls down", "drops to the ground", "is falling from above", "falls"), ("tumbles down",)
    ),
    Motion.FLOAT: Words(
        ("floats up", "rises slowly", "drifts upwards", "is floating upwards"), ("hovers upwards",)
    ),
    Motion.FLY: Words(
        ("flies across the sky", "zooms by", "flies past", "is flying"), ("soars by",)
    ),
    Motion.GROW: Words(
        ("grows bigger", "gets larger and larger", "is growing", "grows"), ("becomes huge",)
    ),
    Motion.JUMP: Words(
        ("jumps once", "leaps up", "jumps into the air", "makes a jump"), ("does a big leap",)
    ),
    Motion.ROLL: Words(
        ("rolls across the ground", "is rolling along", "rolls by", "rolls"), ("rolls over there",)
    ),
    Motion.SHAKE: Words(
        ("shakes", "is shaking nervously", "trembles", "is trembling"), ("shivers",)
    ),
    Motion.SHRINK: Words(
        ("shrinks", "gets smaller and smaller", "is shrinking", "becomes tiny"), ("dwindles",)
    ),
    Motion.SPIN: Words(
        ("spins around", "is spinning in place", "twirls", "is turning round and round"),
        ("whirls around",),
    ),
}

PLACES: Mapping[Place, Words] = {
    Place.BEACH: Words(("on a sandy beach", "on the beach", "at the seaside"), ("on the shore",)),
    Place.DESERT: Words(
        ("in the desert at sunset", "in the desert", "on desert dunes"), ("in the Sahara",)
    ),
    Place.MEADOW: Words(
        ("on a green meadow", "in a meadow", "on the grass"), ("on a lawn", "in a field")
    ),
    Place.NIGHT: Words(
        ("at night under the stars", "at night", "in the moonlight"), ("at midnight",)
    ),
    Place.RAIN: Words(("in the rain", "on a rainy day", "in heavy rain"), ("in a downpour",)),
    Place.SNOW: Words(("in falling snow", "in the snow", "on a snowy field"), ("in a blizzard",)),
    Place.SPACE: Words(("in outer space", "in space", "among the planets"), ("in the cosmos",)),
    Place.STAGE: Words(("on a purple stage", "on a stage", "in the spotlight"), ("in a theatre",)),
    Place.UNDERWATER: Words(
        ("under water", "underwater", "in the deep sea"), ("at the bottom of the ocean",)
    ),
}


def is_held_out(actor: str, motion: Motion, place: Place) -> bool:
    """Whether this combination is never trained on: one in twenty is not."""
    indexes = (list(ACTORS).index(actor), list(Motion).index(motion), list(Place).index(place))
    return sum(index * step for index, step in zip(indexes, (7, 3, 11), strict=True)) % _ONE_IN == 0


_ONE_IN = 20


_ARTICLES = ("a", "the", "one")
_SHAPES = (
    "{actor} {motion} {place}",
    "{actor} {motion} {place}",
    "{place}, {actor} {motion}",
    "{place} {actor} {motion}",
)
_ENDS = ("", "", ".", "!")


def caption(
    actor: str, motion: Motion, place: Place, rng: Random, *, held_out: bool = False
) -> str:
    """Say what happens, in one of many ways; `held_out` takes words that are never trained on."""
    words = (ACTORS[actor], MOTIONS[motion], PLACES[place])
    said = [rng.choice(word.held_out if held_out else word.known) for word in words]
    sentence = rng.choice(_SHAPES).format(
        actor=_with_article(said[0], rng), motion=said[1], place=said[2]
    )
    if rng.random() < _CAPITALISED:
        sentence = sentence[0].upper() + sentence[1:]
    return sentence + rng.choice(_ENDS)


_CAPITALISED = 0.5


def _with_article(noun: str, rng: Random) -> str:
    article = rng.choice(_ARTICLES)
    return f"an {noun}" if article == "a" and noun[0] in "aeiou" else f"{article} {noun}"
