"""Hashtags: what an author says in a caption that a video is about.

Read by the projection of hashtags, by search, and by the ranking.
"""

import re
import unicodedata

HASHTAGS_MAX = 30
LENGTH_MAX = 64

_HASHTAG = re.compile(rf"(?<![\w#&])#([^\W_]\w{{0,{LENGTH_MAX - 1}}})(?!\w)")


def hashtags(caption: str) -> tuple[str, ...]:
    """Return the first hashtags of a caption, without their signs, folded, each once."""
    found = (folded(tag) for tag in _HASHTAG.findall(unicodedata.normalize("NFC", caption)))
    return tuple(dict.fromkeys(tag for tag in found if not tag.isdigit()))[:HASHTAGS_MAX]


def folded(tag: str) -> str:
    """Return a hashtag as it is compared: #Café and #cafe are the same."""
    apart = unicodedata.normalize("NFKD", tag.removeprefix("#").casefold())
    plain = "".join(part for part in apart if not unicodedata.combining(part))
    return unicodedata.normalize("NFC", plain)[:LENGTH_MAX]
