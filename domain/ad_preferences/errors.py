"""Why ad preferences refuse a command."""

from domain.errors import Conflict


class TooManyAdvertisersHidden(Conflict):
    """You hide as many advertisers as one account may; show some again first."""
