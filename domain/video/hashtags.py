"""Hashtags: what an author says in a caption that a video is about.

Read by the projection of hashtags, by search, and by the ranking.
"""

import re
import unicodedata

from domain import words

HASHTAGS_MAX = 30
LENGTH_MAX = 64

SIGNS = rf"\w{words.MARKS}"
"""What a hashtag is made of, to stand in the class of a pattern; the first sign is a letter."""

_HASHTAG = re.compile(rf"(?<![{SIGNS}#&])#([^\W_][{SIGNS}]{{0,{LENGTH_MAX - 1}}})(?![{SIGNS}])")


def hashtags(caption: str) -> tuple[str, ...]:
    """Return the first hashtags of a caption, without their signs, folded, each once."""
    found = (folded(tag) for tag in _HASHTAG.findall(unicodedata.normalize("NFC", caption)))
    return tuple(dict.fromkeys(tag for tag in found if not tag.isdigit()))[:HASHTAGS_MAX]


def folded(tag: str) -> str:
    """Return a hashtag as it is compared: #Café and #cafe are the same."""
    return words.folded(tag.removeprefix("#"))[:LENGTH_MAX]
