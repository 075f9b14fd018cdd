"""What a clause asks for: topics, hashtags, people, lengths, moods, forms and circles."""

from collections.abc import Iterator, Sequence

from ranking.steering.languages.lexicon import Lexicon, Thing
from ranking.steering.tokens import Sort, Token

WORDS_MAX = 10
LETTERS_MAX = 80

_SECOND_MS = 1000
_SECONDS_MAX = 3600


def read_subjects(
    tokens: Sequence[Token], lexicon: Lexicon
) -> tuple[Sequence[Thing], Sequence[str]]:
    """Return what is asked for, each once, and what is too much at once to be asked for."""
    things, lost = dict[Thing, None](), list[str]()
    for part in _parts(tokens, lexicon):
        if _tells_of_more_than_people(part, lexicon):
            # "no politics from @ada" is not about all that is @ada's.
            lost.append(" ".join(token.text for token in part)[:LETTERS_MAX])
            continue
        for token in part:
            if token.sort is Sort.TAG:
                things[Thing("hashtag", (token.text,))] = None
            elif token.sort is Sort.HANDLE:
                things[Thing("author", (token.text,))] = None
        words = _stripped([token.text for token in part if token.sort is Sort.WORD], lexicon)
        if any(token.sort is Sort.HANDLE for token in part):
            continue  # "stuff like @ada makes" is about @ada.
        if len(words) > WORDS_MAX or sum(map(len, words)) > LETTERS_MAX:
            lost.append(" ".join(words)[:LETTERS_MAX])
        elif words:
            things[_thing(words, lexicon)] = None
    return list(things), lost


def _tells_of_more_than_people(part: Sequence[Token], lexicon: Lexicon) -> bool:
    """Tell whether a part names people, and beside them what only some of their videos are."""
    if not any(token.sort is Sort.HANDLE for token in part):
        return False
    words = [token.text for token in part if token.sort is Sort.WORD]
    says_more = any(
        word not in lexicon.of_people and not lexicon.fillers.find([word], 0) for word in words
    )
    return says_more or any(token.sort is Sort.TAG for token in part)


def is_filler(token: Token, lexicon: Lexicon) -> bool:
    """Tell whether a token says nothing of what is asked for."""
    if token.sort is not Sort.WORD:
        return token.sort is Sort.COMMA
    return token.text in lexicon.separators or lexicon.fillers.find([token.text], 0) is not None


def says_nothing(tokens: Sequence[Token], lexicon: Lexicon) -> bool:
    """Tell whether nothing is named by tokens, which may be none."""
    if any(token.sort in {Sort.TAG, Sort.HANDLE} for token in tokens):
        return False
    words = [token.text for token in tokens if token.sort is Sort.WORD]
    return not _stripped([w for w in words if w not in lexicon.separators], lexicon)


def length_at(words: Sequence[str], place: int, lexicon: Lexicon) -> tuple[int, Thing] | None:
    """Return the length in seconds that is said at a place, if one is: "over 10 seconds"."""
    for side, phrases in (("over", lexicon.over), ("under", lexicon.under)):
        said = phrases.find(words, place)
        at = place + said[0] if said else len(words)
        for took, number, unit in _measures(words, at):
            if unit in lexicon.seconds and 0 < number <= _SECONDS_MAX and said:
                return said[0] + took, Thing("length", (side, str(number * _SECOND_MS)))
    return None


def _measures(words: Sequence[str], at: int) -> Iterator[tuple[int, int, str]]:
    """Yield what "10 seconds" and "10s" may be: how many words, the number, the unit."""
    if at >= len(words):
        return
    digits = words[at].rstrip("abcdefghijklmnopqrstuvwxyz")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 4):  # noqa: PLR2004 - an hour
        return
    if digits != words[at]:
        yield 1, int(digits), words[at][len(digits) :]
    elif at + 1 < len(words):
        yield 2, int(digits), words[at + 1]


def _parts(tokens: Sequence[Token], lexicon: Lexicon) -> Iterator[Sequence[Token]]:
    """Cut what is asked for at its pauses."""
    part = list[Token]()
    for token in tokens:
        if token.sort is Sort.COMMA or token.text in lexicon.separators:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _stripped(words: Sequence[str], lexicon: Lexicon) -> Sequence[str]:
    """Return words without what says nothing at their ends."""
    kept = list(words)
    while kept and ((filler := lexicon.fillers.find(kept, 0)) and not lexicon.things.find(kept, 0)):
        kept = kept[filler[0] :]
    while kept and lexicon.fillers.find(kept[-1:], 0) and not _is_thing(kept, lexicon):
        kept = kept[:-1]
    return kept


def _is_thing(words: Sequence[str], lexicon: Lexicon) -> bool:
    found = lexicon.things.find(words, 0) or length_at(words, 0, lexicon)
    return found is not None and found[0] == len(words)


def _thing(words: Sequence[str], lexicon: Lexicon) -> Thing:
    for found in (
        length_at(words, 0, lexicon),
        lexicon.requests.find(words, 0),
        lexicon.things.find(words, 0),
        lexicon.moods.find(words, 0),
    ):
        if found is not None and found[0] == len(words):
            return found[1]
    return Thing("topic", (" ".join(words),))
