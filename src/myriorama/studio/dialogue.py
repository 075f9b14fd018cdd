"""Dialogue: what is said in a prompt, by whom, and in which language; no sound yet.

What stands in quotation marks is said, unless the words before it tell that it is to be read:
`Ana says "hello"` speaks, `a sign that says "open"` does not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A line of dialogue.

    `speaker` is a name or a noun of the prompt; `cameo` is their position among the cameos.
    """

    text: str
    speaker: str | None = None
    cameo: int | None = None


def lines(prompt: str, cameo_names: Sequence[str] = ()) -> list[Line]:
    """Return what is said, in order. He, she and they are who spoke last."""
    cast = {name.casefold().removeprefix("@"): at for at, name in enumerate(cameo_names)}
    prompt = " ".join(prompt.split())
    said: list[Line] = []
    end = 0
    for quoted in _QUOTED.finditer(prompt):
        before, after = prompt[end : quoted.start()], prompt[quoted.end() :]
        end = quoted.end()
        text = next(part for part in quoted.groups() if part is not None).strip()
        speaker = _speaker(before, after, cast)
        if not _SPEAKABLE.search(text) or _is_read(before):
            continue
        if speaker is None and not _is_utterance(text):
            continue
        if speaker is not None and speaker.casefold() in _PRONOUNS:
            last = said[-1] if said else Line("")
            said.append(Line(text, last.speaker, last.cameo))
            continue
        cameo = cast.get(speaker.casefold()) if speaker else None
        said.append(Line(text, cameo_names[cameo] if cameo is not None else speaker, cameo))
    return said


def language(text: str) -> str:
    """Guess the language as espeak-ng names it: by the letters, and for Latin ones by small words.

    What cannot be told from a line is English.
    """
    for code, letters in _SCRIPTS:
        if letters.search(text):
            return code
    words = {word.casefold() for word in re.findall(r"[^\W\d_]+", text)}
    votes = {code: len(words & small) for code, small in _SMALL_WORDS.items()}
    for code, letters in _LETTERS:
        if letters.search(text):
            votes[code] += 2
    best = max(votes, key=lambda code: votes[code])
    return best if votes[best] > len(words & _ENGLISH) else "en-us"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Possessive, and no quotation holds what opens one: each is read once, however long it is.
_QUOTED = re.compile(
    r"(?<!\w)\"(?=\S)([^\"\u201c\u201d]++)\"(?!\w)"
    r"|\u201c([^\"\u201c\u201d]++)\u201d"
    r"|\u201e([^\"\u201c\u201d\u201e]++)[\u201c\u201d]"
    r"|\u00ab([^\u00ab\u00bb]++)\u00bb"
    r"|\u300c([^\u300c\u300d]++)\u300d"
)
_SPEAKABLE = re.compile(r"[^\W_]")
_VERBS = (
    r"(?:says?|said|saying|asks?|asked|asking|shouts?|shouted|shouting|whispers?|whispered|"
    r"whispering|yells?|yelled|yelling|cries|cried|replies|replied|answers?|answered|sings?|sang|"
    r"singing|exclaims?|exclaimed|mutters?|muttered|murmurs?|murmured|screams?|screamed|screaming|"
    r"announces?|announced|declares?|declared|explains?|explained|adds?|added|tells?|told|"
    r"calls out|laughs?|dice|pregunta|dit|demande|sagt|fragt|ruft|diz|zegt|говорит|спрашивает|каже)"
)
_NAME = r"@?[^\W\d_](?:[\w.'\u2019-]*\w)?"
_NAMES = rf"{_NAME}(?: {_NAME}){{0,3}}"
_BEFORE = re.compile(
    rf"({_NAMES})(?: \w+ly)?,? {_VERBS}(?: (?!that\b)[\w'\u2019]+){{0,4}}?\s*[,:]?\s*$",
    re.IGNORECASE,
)
_LABEL = re.compile(rf"({_NAMES})\s*:\s*$")
_AFTER = re.compile(rf"^\s*,?\s*{_VERBS} (?:the |an? )?({_NAMES})", re.IGNORECASE)
_AFTER_TURNED = re.compile(rf"^\s*,?\s*(?:the |an? )?({_NAMES}) {_VERBS}\b", re.IGNORECASE)
_READ = re.compile(
    r"(?:\b(?:reads?|reading|titled|entitled|labell?ed|captioned|named|called|written|inscribed|"
    r"spelling|words?|text|title|letters|caption|logo|headline|inscription)"
    r"|\b(?:signs?|banners?|posters?|shirts?|labels?|notes?|screens?|billboards?|placards?|books?|"
    r"cards?|stickers?|boards?|walls?)(?: that| which)?(?: says?| saying| said| with(?: the)?)?)"
    r"\s*[,:]?\s*$",
    re.IGNORECASE,
)
_PRONOUNS = frozenset({"he", "she", "they", "it", "who", "i", "and"})
_ARTICLES = frozenset({"the", "a", "an", "his", "her", "their", "this", "that", "and", "then"})

_JOINTS = _words("and or but while as with to from in on at by when then softly loudly")


def _is_read(before: str) -> bool:
    return _READ.search(before) is not None


def _is_utterance(text: str) -> bool:
    """Tell whether a quotation of nobody's is said: `“cinematic”` is a word, `“Hello!”` is not."""
    return " " in text or text[-1] in ".!?\u2026\u3002\uff01\uff1f" or not text.isascii()


def _speaker(before: str, after: str, cast: dict[str, int]) -> str | None:
    """Return who says what stands between these: a cameo's name, a noun, or a pronoun."""
    clause = re.split(r"[.!?;] ", before)[-1]
    for pattern in (_BEFORE, _LABEL):
        if found := pattern.search(clause):
            return next(_candidates(found.group(1), cast, from_end=True), None)
    rest = re.split(r"[.!?;\"\u201c\u00ab]", after)[0]
    for pattern in (_AFTER, _AFTER_TURNED):
        if found := pattern.search(rest):
            return next(_candidates(found.group(1), cast, from_end=False), None)
    return None


def _candidates(names: str, cast: dict[str, int], *, from_end: bool) -> Iterator[str]:
    """Yield the longest cameo's name at that end of some words, or else the word there."""
    words = [word.removeprefix("@") for word in names.split()]
    for length in range(len(words), 0, -1):
        group = " ".join(words[-length:] if from_end else words[:length])
        if group.casefold() in cast:
            yield group
    if not from_end:
        ends = (at for at, word in enumerate(words) if word.casefold() in _JOINTS)
        words = words[: next(ends, None)]
    own = [word for word in words if word.casefold() not in _ARTICLES]
    yield from own[-1:]


_SCRIPTS = (
    ("uk", re.compile("[іїєґІЇЄҐ]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("cmn", re.compile("[\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
_LETTERS = (
    ("de", re.compile("[ßäöü]", re.IGNORECASE)),
    ("es", re.compile("[ñ¿¡]", re.IGNORECASE)),
    ("pt", re.compile("[ãõ]", re.IGNORECASE)),
    ("fr", re.compile("[œùûêîç]", re.IGNORECASE)),
)
_SMALL_WORDS = {
    "de": _words("der die das und ist ich nicht ein eine wir guten wie zu mit auf"),
    "fr": _words("le la les et est je ne pas un une nous bonjour dans avec vous"),
    "es": _words("el la los las y es yo no un una hola con por que buenos muy"),
    "it": _words("il la gli e non un una ciao con per che sono buongiorno molto"),
    "pt": _words("o os as e eu um uma com por que bom dia obrigado muito"),
    "nl": _words("de het een en is ik niet wij met op goede dag"),
}
_ENGLISH = _words(
    "the a an and is are i you we not to of in on it no that this my do be have will hello"
)
