"""Stripe's own test cards, and what becomes of a payment by each; other numbers pay for nothing.

The numbers are those of https://docs.stripe.com/testing.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

GOOD_CARD: Final = "4242424242424242"
DECLINED_LATER: Final = "4000000000000341"
"""It can be kept, and is declined when it is charged."""

WANTS_HOLDER: Final = frozenset({"4000002500003155", "4000002760003184"})

_DIGITS_MIN, _DIGITS_MAX = 12, 19
_NINE = 9

_GOOD = frozenset(
    [
        "4242424242424242",
        "4000056655665556",
        "5555555555554444",
        "2223003122003222",
        "5200828282828210",
        "5105105105105100",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "6011000990139424",
        "6011981111111113",
        "3056930009020004",
        "36227206271667",
        "6555900000604105",
        "3566002020360505",
        "6200000000000005",
        "6200000000000047",
        "6205500000000000004",
    ]
)


class Decline(NamedTuple):
    """What a payment says that was not made, as Stripe's errors have it."""

    code: str
    decline_code: str | None
    message: str


_PLAINLY = "Your card was declined."
_DECLINES: Mapping[str, Decline] = {
    "4000000000000002": Decline("card_declined", "generic_decline", _PLAINLY),
    DECLINED_LATER: Decline("card_declined", "generic_decline", _PLAINLY),
    "4000000000009995": Decline(
        "card_declined", "insufficient_funds", "Your card has insufficient funds."
    ),
    "4000000000009987": Decline("card_declined", "lost_card", _PLAINLY),
    "4000000000009979": Decline("card_declined", "stolen_card", _PLAINLY),
    "4000000000006975": Decline("card_declined", "card_velocity_exceeded", _PLAINLY),
    "4000000000000069": Decline("expired_card", None, "Your card has expired."),
    "4000000000000127": Decline("incorrect_cvc", None, "Your card's security code is incorrect."),
    "4000000000000119": Decline(
        "processing_error", None, "An error occurred while processing your card."
    ),
}
_UNSIGNED = Decline("authentication_required", "authentication_required", _PLAINLY)


class NumberRefused(Exception):
    """It is no test card's number: no card comes of it, and so no payment is begun."""

    def __init__(self, decline: Decline) -> None:
        super().__init__(decline.message)
        self.decline = decline


def check_number(number: str) -> None:
    """Let pass what is a test card's number.

    Raises:
        NumberRefused: it is no card's number at all, or a card's that is none of the test's.
    """
    if number in _GOOD or number in _DECLINES or number in WANTS_HOLDER:
        return
    digits = number.isascii() and number.isdecimal()
    if not digits or not _DIGITS_MIN <= len(number) <= _DIGITS_MAX:
        told = "The card number is not a valid credit card number."
        raise NumberRefused(Decline("invalid_number", None, told))
    if _luhn(number) % 10:
        raise NumberRefused(Decline("incorrect_number", None, "Your card number is incorrect."))
    told = f"{_PLAINLY} Your request was in test mode, but used a non test (live) card."
    raise NumberRefused(Decline("card_declined", "test_mode_live_card", told))


def decline_of(number: str, *, holder_is_there: bool) -> Decline | None:
    """Return why a payment by a test card is declined, or None if it is paid."""
    if number in WANTS_HOLDER and not holder_is_there:
        return _UNSIGNED
    return _DECLINES.get(number)


def _luhn(number: str) -> int:
    """Return the sum whose last digit is 0 for a number that was typed without a slip."""
    doubled = (2 * int(digit) for digit in number[-2::-2])
    return sum(map(int, number[::-2])) + sum(n - _NINE if n > _NINE else n for n in doubled)
