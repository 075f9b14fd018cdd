"""Why a reaction refuses a command."""

from domain.errors import Invalid


class ReportInvalid(Invalid):
    """A report has a reason that there is, and at most 1000 readable characters beside it."""
