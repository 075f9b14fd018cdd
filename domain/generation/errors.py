"""Why a generation refuses a command."""

from domain.errors import Conflict, Exhausted, Invalid, NotFound


class GenerationNotFound(NotFound):
    """There is no such generation, or it is somebody else's."""


class DraftNotFound(NotFound):
    """There is no such draft: it is somebody else's, not finished, discarded, or published."""


class GenerationEnded(Conflict):
    """The generation has ended: nothing changes it any more."""


class GenerationNotWaiting(Conflict):
    """The generation does not wait for a worker: another has it, or its turn has not come."""


class AttemptStale(Conflict):
    """The attempt is over: the work was given to another, or to nobody."""


class ConsentWithdrawn(Conflict):
    """A person whose cameo was to be in it does not consent any more."""


class PromptInvalid(Invalid):
    """A prompt has 1 to 2000 characters, none of which controls a terminal."""


class LengthInvalid(Invalid):
    """A video lasts 2 to 15 whole seconds."""


class ShapeUnknown(Invalid):
    """A video is portrait, landscape or square, in 480p or 720p."""


class SeedInvalid(Invalid):
    """A seed lies between 0 and 2^63 - 1."""


class CameosInvalid(Invalid):
    """A video has up to 4 cameos, each of them once."""


class ImageUnsuitable(Invalid):
    """A video begins with an upload whose purpose is "image"; other uploads are for cameos."""


class ObjectsMissing(Invalid):
    """A file that was reported is not in the object store."""


class TooManyInFlight(Exhausted):
    """As many generations as an account may have at once are waiting or running."""
