"""Why the ranking of the feed refuses a command."""

from domain.errors import Conflict, Invalid, NotFound


class PolicyInvalid(Invalid):
    """The ranking policy cannot be like this; the detail says which field, and why."""


class PolicyVersionTaken(Conflict):
    """Another policy was activated under this version; what slates name must stay one policy."""


class ModelDigestInvalid(Invalid):
    """A model is named by the SHA-256 of its file, 64 hexadecimal digits, or by nothing."""


class ModelUnusable(Invalid):
    """The file stored under this digest is no model that can rank here; the detail says why."""


class ExperimentInvalid(Invalid):
    """The experiment cannot be like this; the detail says why."""


class ExperimentNotFound(NotFound):
    """There is no such experiment."""


class BucketsTaken(Conflict):
    """Another experiment of the same layer has some of these buckets until it ends."""


class ModelNotFound(NotFound):
    """No model with this digest is stored: train one, or copy its file to where they lie."""
