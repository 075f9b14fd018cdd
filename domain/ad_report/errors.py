"""Why a report of an ad is refused."""

from domain.errors import Invalid


class AdReportInvalid(Invalid):
    """A report of an ad has one of the reasons that there are, and a note that can be read."""
