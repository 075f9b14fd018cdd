"""Why a generation refuses a command."""

from domain.errors import Conflict, Exhausted, Forbidden, Invalid, NotFound


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
    """A video lasts 2 to 15 whole seconds, a storyboard up to 30, and what is stitched up to 60."""


class SeedInvalid(Invalid):
    """A seed lies between 0 and 2^63 - 1."""


class CameosInvalid(Invalid):
    """A video has up to 4 cameos, each of them once."""


class StoryboardInvalid(Invalid):
    """A storyboard has 1 to 8 shots, whose seconds add up to the video's."""


class ShotUnknown(Invalid):
    """The storyboard has no shot of that number; they count from 0."""


class ExtensionInvalid(Invalid):
    """What goes on from a video begins with that alone: no image, and no shots."""


class StitchInvalid(Invalid):
    """Finished videos of one size are stitched, 2 to 8 of them, up to 60 seconds (30 in 720p)."""


class MasterMissing(Conflict):
    """No master was kept of the video, so nothing goes on from it. Make it again first."""


class RemixAmbiguous(Invalid):
    """A video remixes one other at most: what is stitched remixes several."""


class StatementInvalid(Invalid):
    """What is said for or against a refusal has 1 to 1000 characters that can be read."""


class AppealImpossible(Conflict):
    """Only what a check of the screening refused can be appealed, and once for each refusal."""


class AppealNotOpen(Conflict):
    """Nobody waits for a decision on this."""


class OwnAppeal(Forbidden):
    """Nobody decides on an appeal of their own."""


class ImageUnsuitable(Invalid):
    """A video begins with an upload whose purpose is "image"; other uploads are for cameos."""


class ObjectsMissing(Invalid):
    """A file that was reported is not in the object store."""


class TooManyInFlight(Exhausted):
    """As many generations as an account may have at once are waiting or running."""
