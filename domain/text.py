"""What may stand in text that one person writes and others read."""

import unicodedata


def is_readable(text: str) -> bool:
    """Tell whether text has no control characters but line breaks, and no halves of characters."""
    # Cc: what controls a terminal; Cs: half a character, which no UTF-8 can hold.
    return not any(
        unicodedata.category(character) in {"Cc", "Cs"} for character in text if character != "\n"
    )


def is_name(text: str) -> bool:
    """Tell whether text is one line, of more than spaces and what cannot be seen."""
    # C: what controls, or is no character; Z: spaces and breaks.
    seen = any(unicodedata.category(character)[0] not in "CZ" for character in text)
    return seen and is_readable(text) and "\n" not in text
