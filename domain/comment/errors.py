"""Why a comment refuses a command."""

from domain.errors import Forbidden, Invalid, NotFound


class CommentNotFound(NotFound):
    """There is no such comment under this video."""


class CommentTextInvalid(Invalid):
    """A comment has 1 to 1000 characters, and no control characters."""


class MayNotDeleteComment(Forbidden):
    """Only who wrote a comment, or published the video, takes it away."""
