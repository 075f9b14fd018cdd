"""Why an advertiser refuses a command."""

from domain.errors import Conflict, Forbidden, Invalid, NotFound


class AdvertiserNotFound(NotFound):
    """There is no such advertiser, or none that you act for."""


class MemberNotFound(NotFound):
    """This account does not act for the advertiser."""


class RoleTooLow(Forbidden):
    """Another member of the advertiser may do this; the detail says in which role."""


class LastOwner(Conflict):
    """An advertiser has an owner: name another one first."""


class TooManyMembers(Conflict):
    """An advertiser has 100 members at most."""


class RoleUnknown(Invalid):
    """A member is an owner, an editor or a reader."""


class SandboxTakesNoMoney(Conflict):
    """A sandbox takes no money: top it up at `sandbox-top-ups`, which costs nothing."""


class NoSandbox(Conflict):
    """This advertiser is real: only a sandbox, which is opened as one, has what is asked for."""


class AdvertiserNameInvalid(Invalid):
    """The name of an advertiser is one line of 1 to 100 characters, with something to be seen."""


class WebsiteInvalid(Invalid):
    """The website is the public host that ads lead to, such as example.com."""


class CurrencyUnknown(Invalid):
    """The currency is none in which ads can be paid; the detail names those that there are."""


class ZoneUnknown(Invalid):
    """The zone is none of the IANA time zone database, such as Europe/Berlin."""
