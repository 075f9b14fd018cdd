"""Money as whole micros: 1e-6 of the unit of an advertiser's currency, and never a fraction."""

from domain.errors import Invalid

MICROS_MAX = 10**15

# What card networks settle with two decimals: 10,000 micros are the smallest coin of each.
CURRENCIES: frozenset[str] = frozenset(
    {
        *("AED", "AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "INR"),
        *("MXN", "MYR", "NOK", "NZD", "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "USD"),
        *("ZAR",),
    }
)


class AmountInvalid(Invalid):
    """An amount is a whole number of micros within what the detail says."""


def check_micros(amount: int, *, at_least: int = 1) -> None:
    """Let an amount pass that can be paid.

    Raises:
        AmountInvalid: it is less than `at_least`, or more than anybody pays.
    """
    if not at_least <= amount <= MICROS_MAX:
        raise AmountInvalid(f"An amount here is {at_least} to {MICROS_MAX} micros.")
