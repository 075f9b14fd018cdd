"""Why a creative refuses a command."""

from domain.errors import Conflict, Forbidden, Invalid, NotFound


class CreativeNotFound(NotFound):
    """There is no such creative, or it is of an advertiser that you do not act for."""


class CreativeSourceNotFound(NotFound):
    """There is no such video or draft, or it is not yours."""


class OwnReview(Forbidden):
    """Who acts for an advertiser does not review its creatives."""


class CreativeWithdrawnForGood(Conflict):
    """The creative has been withdrawn, for good."""


class CreativeNotInReview(Conflict):
    """Nobody is to decide on this creative at present."""


class CreativeChanged(Conflict):
    """The creative is not what was looked at any more: look at it again, then decide."""


class CreativeAppealImpossible(Conflict):
    """The creative was not rejected, or the rejection was appealed before: edit it instead."""


class CameoNotGranted(Conflict):
    """The owner of a cameo in the creative has not granted this advertiser its commercial use."""


class CreativeNameInvalid(Invalid):
    """The name of a creative is one line of 1 to 100 characters, with something to be seen."""


class HeadlineInvalid(Invalid):
    """A headline is one line of 80 characters at most, or nothing."""


class CallToActionUnknown(Invalid):
    """There is no such call to action; the detail names those that there are."""


class CreativeFormatInvalid(Invalid):
    """A creative is an upright video of 9:16, of 1 to 60 seconds."""


class LandingPageInvalid(Invalid):
    """A landing page is https, on a public host, and names neither user nor port."""


class ReasonsInvalid(Invalid):
    """A rejection has one to five reasons, each of those that there are, and a note."""


class NoteInvalid(Invalid):
    """A note or a statement has 1 to 1000 characters that can be read."""
