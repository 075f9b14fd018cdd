"""Why a video refuses a command."""

from domain.errors import Conflict, Forbidden, Invalid, NotFound


class VideoNotFound(NotFound):
    """There is no such video, or none that you may see."""


class RenditionsNotFound(NotFound):
    """This video is not streamed in several sizes (yet), or has no captions or stills to show."""


class ParentNotFound(NotFound):
    """The video that this one remixes has been deleted, or you may not see it any more."""


class NotVideoAuthor(Forbidden):
    """Only who published a video may do this."""


class AlreadyPublished(Conflict):
    """The draft has been published before."""


class ProvenanceMissing(Conflict):
    """The file of the draft lacks a mark that says where it comes from; the detail says which."""


class RemixingForbidden(Forbidden):
    """The author does not let this video be remixed."""


class CaptionInvalid(Invalid):
    """A caption has 2000 characters at most, and no control characters."""


class VisibilityUnknown(Invalid):
    """A video is for the public, for followers, or for who has the link."""


class LabelUnknown(Invalid):
    """There is no such label, or it is named twice; the detail names those that there are."""


class BrandInvalid(Invalid):
    """A brand has 1 to 100 characters on one line, one of which can be seen."""
