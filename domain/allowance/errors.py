"""Why an allowance refuses a command."""

from domain.errors import Conflict, Exhausted, Invalid


class AllowanceExhausted(Exhausted):
    """The account has asked for as many seconds of video as it may for now."""


class CreditInvalid(Invalid):
    """A credit has 1 to 1,000,000 seconds, and a key of 1 to 200 characters."""


class CreditDiffers(Conflict):
    """Under this key another account was credited, or another number of seconds."""
