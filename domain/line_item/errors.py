"""Why a line item refuses a command."""

from domain.errors import Conflict, Invalid, NotFound


class LineItemNotFound(NotFound):
    """There is no such line item, or it is of an advertiser that you do not act for."""


class LineItemOver(Conflict):
    """The line item is completed, for good."""


class LineItemNotSubmitted(Conflict):
    """The line item is a draft: submit it first."""


class BudgetSpent(Conflict):
    """The lifetime budget of the line item is spent: raise it first."""


class NothingToShow(Conflict):
    """The line item has no creative that is approved or in review: name or submit one first."""


class KindUnknown(Invalid):
    """A line item pays for viewable impressions (cpm), views (cpv) or clicks (cpc)."""


class LineItemNameInvalid(Invalid):
    """The name of a line item is one line of 1 to 100 characters, with something to be seen."""


class BudgetsInvalid(Invalid):
    """The daily and the lifetime budget do not go together, or not with the bid."""


class BidderInvalid(Invalid):
    """An outside bidder is an https URL on a public host, of a line item by cpm; see the detail."""


class HoursInvalid(Invalid):
    """The hours of a week are 168 digits, 0 or 1, and not all of them 0."""


class PacingUnknown(Invalid):
    """The pacing of a line item is even, asap or front."""


class TargetingInvalid(Invalid):
    """The targeting names too much, something twice, or what there is not; see the detail."""


class SuitabilityInvalid(Invalid):
    """The brand suitability cannot be like this; the detail says why."""


class CreativesInvalid(Invalid):
    """A line item has 20 creatives of its advertiser at most, each once."""
