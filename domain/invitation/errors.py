"""Why an invitation refuses a command."""

from domain.errors import Conflict, Forbidden, NotFound


class InvitationNotFound(NotFound):
    """No invitation has this code."""


class InvitationSpent(Conflict):
    """Somebody has signed up with this code."""


class InvitationWithdrawn(Conflict):
    """The code was taken back."""


class InvitationRequired(Forbidden):
    """To sign up here, one needs an invitation."""


class NotInvitationIssuer(Forbidden):
    """Only who issued an invitation takes it back."""
