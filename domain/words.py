"""What belongs to a word in any script, and how words are compared: without case and accents.

Read by hashtags, by search, and by the steering of feeds.
"""

import re
import unicodedata
from sys import intern

_BASIC = range(0x300, 0xFE30)  # beyond it are marks of scripts that hardly anybody types


def _marks() -> str:
    signs = map(chr, _BASIC)
    found = (sign for sign in signs if unicodedata.category(sign) in {"Mn", "Mc"})
    # What chooses between a letter and a picture is of neither.
    return "".join(sign for sign in found if not "\ufe00" <= sign <= "\ufe0f")


JOINERS = "\u200c\u200d"
"""What parts or joins the letters of one word in Persian, Hindi and others."""

MARKS = intern(_marks() + JOINERS)
"""Vowel signs, tones and accents, to stand in the class of a pattern: `\\w` has letters alone.

Without them most words of Hindi, Thai or Tamil would end at their first letter.
"""

# Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic: people leave them out. In other
# scripts a mark is as much of the word as its letters are.
_ACCENTS = "".join(
    sign
    for sign in MARKS
    if unicodedata.combining(sign)
    and (sign < "\u0700" or "\u1ab0" <= sign <= "\u1aff" or "\u1dc0" <= sign <= "\u1dff")
)
_LEFT_OUT = re.compile(f"[{_ACCENTS}{JOINERS}]+")


def folded(text: str) -> str:
    """Return text as it is compared: Café and cafe are the same. What is no letter stays."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _LEFT_OUT.sub("", apart))
