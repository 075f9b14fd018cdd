"""Why a campaign refuses a command."""

from domain.errors import Conflict, Invalid, NotFound


class CampaignNotFound(NotFound):
    """There is no such campaign, or it is of an advertiser that you do not act for."""


class CampaignOver(Conflict):
    """The campaign is completed, for good."""


class CampaignNameInvalid(Invalid):
    """The name of a campaign is one line of 1 to 100 characters, with something to be seen."""


class ObjectiveUnknown(Invalid):
    """The objective of a campaign is awareness, views or visits."""
