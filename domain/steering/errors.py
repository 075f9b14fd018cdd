"""Why steering refuses a command."""

from domain.errors import Conflict, Invalid, NotFound


class SteeringRuleNotFound(NotFound):
    """You have no such rule, or it has ended."""


class SteeringRuleInvalid(Invalid):
    """A rule has a strength of 1 to 100, and ends in the future, if it ends."""


class SteeringTextInvalid(Invalid):
    """What steers a feed has 1 to 10,000 characters, one of which can be seen."""


class TooManySteeringRules(Conflict):
    """You have as many rules as one feed may have; take some back first."""
