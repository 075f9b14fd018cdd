"""Why an account, a claim to a name or a session refuses a command."""

from domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class AccountNotFound(NotFound):
    """There is no such account."""


class HandleTaken(Conflict):
    """Somebody has this handle."""


class EmailTaken(Conflict):
    """There is an account with this e-mail address; sign in instead."""


class HandleInvalid(Invalid):
    """A handle has 3 to 30 of a-z, 0-9 and _, and begins with a letter."""


class EmailInvalid(Invalid):
    """This is no e-mail address."""


class PasswordTooWeak(Invalid):
    """A password has 10 to 200 characters, and not all the same."""


class CredentialsWrong(Unauthenticated):
    """No account has this name and this password."""


class RefreshTokenInvalid(Unauthenticated):
    """The refresh token is not valid (any more); sign in again."""


class InvitationsSpent(Forbidden):
    """The account has no invitation left to issue."""


class DisplayNameInvalid(Invalid):
    """A display name is one line, of more than spaces and what cannot be seen."""


class BioInvalid(Invalid):
    """A bio has no control characters but line breaks."""


class AvatarUnsuitable(Invalid):
    """An avatar is an upload whose purpose is "image"; other uploads are for cameos."""


class ScopeUnknown(Invalid):
    """There is no such scope."""
