"""Currencies that are taken, and how many micros their smallest coin has."""

from collections.abc import Mapping

MICROS = 1_000_000
"""Micros in one unit of a currency."""

MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys(("AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD"), 2),
    **dict.fromkeys(("INR", "MXN", "NOK", "NZD", "PLN", "SEK", "SGD", "USD", "ZAR"), 2),
    **dict.fromkeys(("JPY", "KRW"), 0),
}
"""Digits behind the point (ISO 4217), by currency."""

# Below, fees eat it up; above, card networks count no further.
MINOR_MIN, MINOR_MAX = 500, 99_999_999


def minor_micros(currency: str) -> int:
    """Return how many micros the smallest coin of a currency has that is taken."""
    return int(MICROS // 10 ** MINOR_DIGITS[currency])
