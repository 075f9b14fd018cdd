"""What a sentence is cut into before it is understood: words, hashtags, handles and stops."""

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from domain.video.hashtags import SIGNS
from domain.words import MARKS, folded

TOKENS_LONG, TOKENS_MAX = 60, 120

# A word, with hyphens and apostrophes inside; `$`, `<` and their like are kept to be refused.
_TOKEN = re.compile(
    rf"#(?P<tag>[^\W_][{SIGNS}]{{0,63}})"
    r"|@(?P<handle>\w[\w.-]{0,63})"
    rf"|(?P<word>[^\W_]+(?:[{MARKS}]+[^\W_]*|[-'\u2019][^\W_]+)*)"
    r"|(?P<symbol>[\U0001F000-\U0001FAFF\u2600-\u27BF])"
    r"|(?P<end>[.!?;\n\u3002\uff01\uff1f]+)"
    r"|(?P<comma>[,:/&\u060c\u3001]|\s[-\u2013\u2014]\s)"
    r"|(?P<code>[<>{}$=`\\|~^*%]+)"
)
# French writes the article and what follows it as one: l'amour, d'animaux.
_ELISION = re.compile(r"(?P<article>l|d|n|s|qu)['\u2019](?P<rest>.+)", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['\u2019]s$")
_APOSTROPHES = re.compile(r"['\u2019]")


class Sort(Enum):
    """What a token is."""

    WORD = auto()
    TAG = auto()
    HANDLE = auto()
    COMMA = auto()
    END = auto()
    CODE = auto()


class Token(NamedTuple):
    """A piece of a text: as it is compared, and where it stands."""

    text: str
    sort: Sort
    start: int
    stop: int


def tokenise(text: str) -> Sequence[Token]:
    """Cut a text into tokens; the work is linear in its length."""
    tokens = list[Token]()
    for found in _TOKEN.finditer(text):
        start, stop = found.span()
        match found.lastgroup:
            case "tag":
                tokens.append(Token(folded(found["tag"]), Sort.TAG, start, stop))
            case "handle":
                handle = found["handle"].rstrip(".-").lower()
                tokens.append(Token(handle, Sort.HANDLE, start, start + 1 + len(handle)))
            case "word":
                tokens += _words(found["word"], start, stop)
            case "symbol":
                tokens.append(Token(found["symbol"], Sort.WORD, start, stop))
            case "end":
                tokens.append(Token(".", Sort.END, start, stop))
            case "comma":
                tokens.append(Token(",", Sort.COMMA, start, stop))
            case _:
                tokens.append(Token("", Sort.CODE, start, stop))
    return tokens


def sentences(tokens: Sequence[Token]) -> Sequence[Sequence[Token]]:
    """Return the tokens of each sentence, without the stops between them.

    One that does not end is cut, at a comma if there is one, so that the work stays bounded.
    """
    found: list[list[Token]] = [[]]
    for token in tokens:
        length = len(found[-1])
        is_long = length >= TOKENS_MAX or (length >= TOKENS_LONG and token.sort is Sort.COMMA)
        if token.sort is Sort.END or is_long:
            found.append([] if token.sort in {Sort.END, Sort.COMMA} else [token])
        else:
            found[-1].append(token)
    return [sentence for sentence in found if sentence]


def _words(word: str, start: int, stop: int) -> Sequence[Token]:
    if elided := _ELISION.fullmatch(word):
        cut = start + elided.end("article") + 1
        return [
            Token(folded(elided["article"]), Sort.WORD, start, cut),
            *_words(elided["rest"], cut, stop),
        ]
    plain = _APOSTROPHES.sub("", _POSSESSIVE.sub("", word))
    return [Token(folded(plain), Sort.WORD, start, stop)]
