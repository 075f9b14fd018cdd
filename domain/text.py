"""What may stand in text that one person writes and others read."""

import unicodedata


def is_readable(text: str) -> bool:
    """Tell whether text has no control characters but line breaks, and no halves of characters."""
    # Cc: what controls a terminal; Cs: half a character, which no UTF-8 can hold.
    return not any(
        unicodedata.category(character) in {"Cc", "Cs"} for character in text if character != "\n"
    )
