"""Why an allowance refuses a command."""

from domain.errors import Exhausted


class AllowanceExhausted(Exhausted):
    """The account has asked for as many seconds of video as it may for now."""
