"""Why a commercial grant refuses a command."""

from domain.errors import Invalid, NotFound


class CommercialGrantNotFound(NotFound):
    """This advertiser has no commercial grant of the cameo."""


class GrantExpiryPast(Invalid):
    """A grant ends at a moment to come, or never."""
