"""Ladders: by which objects a video is streamed, in which sizes; each is an object itself.

Written by the program that builds renditions, read by the routes of playlists, served to nobody.
"""

from hashlib import sha256

import msgspec

from myriorama.store.objects import Objects, content_key

KIND = "ladders"


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """A piece of a rung: the key of its object, and how long it lasts."""

    key: str
    duration_ms: int


class Rung(msgspec.Struct, frozen=True):
    """One rendition. `opening_key` names what players need before any of its segments."""

    width: int
    height: int
    fps: int
    codecs: str
    peak_bits_s: int
    average_bits_s: int
    opening_key: str
    segments: tuple[Segment, ...]


class Ladder(msgspec.Struct, frozen=True):
    """The rungs of a video, the largest first."""

    rungs: tuple[Rung, ...]


def put_ladder(objects: Objects, ladder: Ladder) -> str:
    """Store a ladder; return its key. What it names must be stored already."""
    content = msgspec.json.encode(ladder)
    key = content_key(KIND, sha256(content).hexdigest(), ".json")
    objects.put(key, content, media_type="application/json")
    return key


def read_ladder(objects: Objects, key: str) -> Ladder:
    """Return a ladder.

    Raises:
        ObjectNotFound: there is none.
    """
    return msgspec.json.decode(objects.read(key), type=Ladder)
