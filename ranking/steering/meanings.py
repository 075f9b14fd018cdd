"""What the terms of a rule mean: the words by which a video is known to be of its subject.

Moods, and the broad topics that people steer by (in `languages/topics.toml`), are known by many
words, in whichever language they were said; every other topic by its own.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

MOODS: Mapping[str, Sequence[str]] = {
    "funny": ("funny", "comedy", "hilarious", "joke", "prank", "silly", "slapstick", "laughing"),
    "calm": ("calm", "relaxing", "peaceful", "quiet", "soothing", "serene", "gentle", "cosy"),
    "scary": ("scary", "horror", "creepy", "ghost", "monster", "nightmare", "haunted", "zombie"),
    "sad": ("sad", "crying", "lonely", "grief", "melancholy", "heartbreaking", "tears"),
    "happy": ("happy", "cheerful", "joyful", "smiling", "wholesome", "uplifting", "celebration"),
    "violent": ("violence", "violent", "fight", "gore", "blood", "gun", "weapon", "war"),
    "romantic": ("romantic", "love", "kiss", "couple", "wedding", "valentine"),
    "exciting": ("exciting", "action", "chase", "explosion", "race", "thrilling", "stunt"),
    "weird": ("weird", "surreal", "absurd", "bizarre", "strange", "dreamlike", "trippy"),
    "cute": ("cute", "adorable", "kitten", "puppy", "baby animal", "fluffy"),
    "beautiful": ("beautiful", "scenic", "breathtaking", "majestic", "stunning", "sunset"),
}


def meaning(about: str, terms: Sequence[str]) -> tuple[str, ...]:
    """Return the phrases that a rule looks for in videos; none if it is not about words."""
    match about:
        case "topic":
            return tuple(word for term in terms for word in _TOPICS.get(term, (term,)))
        case "hashtag":
            return tuple(terms)
        case "mood":
            return tuple(word for term in terms for word in (term, *MOODS.get(term, ())))
        case _:
            return ()


def _read_topics(path: Path) -> Mapping[str, Sequence[str]]:
    topics = tomllib.loads(path.read_text(encoding="utf-8")).values()
    return {
        name: (topic["names"][0], *topic["words"]) for topic in topics for name in topic["names"]
    }


_TOPICS = _read_topics(Path(__file__).parent / "languages" / "topics.toml")
