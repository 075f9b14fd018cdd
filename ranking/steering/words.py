"""The words of a text as steering compares them: folded, without endings, and hashed for a column.

Read where videos are folded into the catalogue, and where rules are matched with them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.words import MARKS, folded

WORDS_MAX = 512

_WORD = re.compile(rf"[^\W_]+(?:[{MARKS}]+[^\W_]*|['\u2019][^\W_]+)*")
_POSSESSIVE = re.compile(r"['\u2019]s?$")


def words(text: str) -> Sequence[str]:
    """Return the words of a text in their order: lower case, without accents, as written else."""
    return [_POSSESSIVE.sub("", found) for found in _WORD.findall(folded(text))]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return a word without its endings of number: cat and cats, story and stories are the same."""
    if len(word) <= 3 or not word.isascii():  # noqa: PLR2004 - "bus", "gas"
        return word
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - "dies", "ties"
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def hashed(word: str) -> int:
    """Return the number under which a word is kept."""
    return crc32(stem(word).encode())


def hashes(text: str) -> NDArray[np.uint32]:
    """Return the words of a text as sorted numbers, each once; at most the first `WORDS_MAX`."""
    return np.unique(np.array([hashed(word) for word in words(text)[:WORDS_MAX]], np.uint32))
