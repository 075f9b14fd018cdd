"""Moods that people ask for, and the words by which a video is known to have one.

Read by the parser, which recognises a mood, and by rules, which look for it in videos.
"""

from collections.abc import Mapping, Sequence

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
        case "topic" | "hashtag":
            return tuple(terms)
        case "mood":
            return tuple(word for term in terms for word in (term, *MOODS.get(term, ())))
        case _:
            return ()
