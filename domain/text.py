"""What may stand in text that one person writes and others read."""

import unicodedata

# Embeddings, overrides and isolates of UAX #9: with them a name reads otherwise than it is.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_readable(text: str) -> bool:
    """Tell whether text has no control characters but line breaks, and no halves of characters."""
    # Cc: what controls a terminal; Cs: half a character, which no UTF-8 can hold.
    return not any(
        unicodedata.category(character) in {"Cc", "Cs"} for character in text if character != "\n"
    )


def is_seen(text: str) -> bool:
    """Tell whether text is of more than spaces and what cannot be seen."""
    # C: what controls, or is no character; Z: spaces and breaks.
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def is_name(text: str) -> bool:
    """Tell whether text is one line in which something is to be seen, and reads as it is."""
    is_line = is_seen(text) and is_readable(text) and "\n" not in text
    return is_line and _TURNS.isdisjoint(text)
