"""What somebody typed into the search: hashtags, handles, and the words that are left."""

import re
import unicodedata
from typing import NamedTuple, Self

from domain.video.hashtags import SIGNS, folded

TERMS_MAX = 8

_TERM = re.compile(rf"(?<![{SIGNS}])([#@])([{SIGNS}]{{1,64}})")
# A hyphen takes the word or phrase behind it out of what is found; before anything else it says
# nothing, and PostgreSQL can read but a few dozen of them in a row.
_LONE_HYPHEN = re.compile(r"-(?!\"?[^\W_])")


class Terms(NamedTuple):
    """Hashtags as they are compared, handles in lower case, and the text that is left."""

    tags: tuple[str, ...]
    handles: tuple[str, ...]
    text: str

    @classmethod
    def of(cls, typed: str) -> Self:
        """Read what was typed; whatever it is, it can be searched for."""
        composed = unicodedata.normalize("NFC", typed)
        found: list[tuple[str, str]] = _TERM.findall(composed)
        tags = dict.fromkeys(folded(name) for sign, name in found if sign == "#")
        handles = dict.fromkeys(name.lower() for sign, name in found if sign == "@")
        left = _TERM.sub(" ", composed)
        legible = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in left)
        text = " ".join(_LONE_HYPHEN.sub(" ", legible).split())
        return cls(tuple(tags)[:TERMS_MAX], tuple(handles)[:TERMS_MAX], text)

    @property
    def beginning(self) -> str:
        """What a name may begin with: the first of what was typed, without its sign."""
        return (*self.tags, *self.handles, folded(self.text))[0]
