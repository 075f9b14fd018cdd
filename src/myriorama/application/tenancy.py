"""Tenancy: the one place where the write side asks whether an account acts for an advertiser."""

from uuid import UUID

from domain.advertiser.aggregate import Advertiser
from domain.advertiser.errors import AdvertiserNotFound, NoSandbox, SandboxTakesNoMoney
from domain.advertiser.membership import Role
from myriorama.store.log import Log


def advertiser_of(log: Log, advertiser_id: UUID, *, by: UUID, needs: Role) -> Advertiser:
    """Return the advertiser, for which `by` acts in the role that is needed, or a higher one.

    Whoever decides on it passes its version to `Log.save(expect=...)`, so that nobody commands who
    was removed meanwhile.

    Raises:
        AdvertiserNotFound: there is none, or `by` does not act for it.
        RoleTooLow: another member may do this.
    """
    advertiser = log.find(Advertiser, advertiser_id)
    if advertiser is None:
        raise AdvertiserNotFound("There is no such advertiser.")
    advertiser.require(needs, by=by)
    return advertiser


def sandbox_of(log: Log, advertiser_id: UUID, *, by: UUID, needs: Role) -> Advertiser:
    """Return the same of a sandbox.

    Raises:
        AdvertiserNotFound, RoleTooLow: `by` may not.
        NoSandbox: it is a real advertiser.
    """
    advertiser = advertiser_of(log, advertiser_id, by=by, needs=needs)
    if not advertiser.sandbox:
        raise NoSandbox("This advertiser is no sandbox: open one with sandbox: true.")
    return advertiser


class Tenancy:
    """The same, for what is given it as a collaborator."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def currency(self, account_id: UUID, advertiser_id: UUID) -> str:
        """Return the currency that an advertiser pays in, to who may spend its money.

        Raises:
            AdvertiserNotFound: there is none, or the account does not act for it.
            RoleTooLow: another member may do this.
            SandboxTakesNoMoney: what a sandbox spends is no money.
        """
        advertiser = advertiser_of(self._log, advertiser_id, by=account_id, needs="editor")
        if advertiser.sandbox:
            raise SandboxTakesNoMoney("A sandbox is topped up at sandbox-top-ups, without money.")
        return advertiser.currency
