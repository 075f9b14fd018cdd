"""Advertisers in tests of the API: people with the scope, and what they have opened."""

import time
from dataclasses import dataclass
from uuid import UUID, uuid4

from domain.creative.aggregate import Creative
from domain.creative.review import Check
from myriorama.api.tokens import AccessTokens, Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.advertising import NOON, advertiser, campaign, creative, line_item
from tests.people import Person


@dataclass(frozen=True)
class Advertised:
    """What somebody has who advertises: one of each."""

    advertiser_id: UUID
    campaign_id: UUID
    line_item_id: UUID
    creative_id: UUID

    @property
    def ids(self) -> dict[str, str]:
        """The IDs by the names that they have in paths."""
        return {name: str(value) for name, value in vars(self).items()}


def with_scopes(who: Person, settings: Settings, *scopes: Scope) -> Person:
    """Return a person whose token is for viewing, creating, and for what is named."""
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    names = tuple(map(str, (Scope.VIEWER, Scope.CREATOR, *scopes)))
    token = tokens.issue(who.account_id, uuid4(), names, now=time.time())
    return Person(who.client, who.handle, who.account_id, {**who.tokens, "access_token": token})


def advertised(log: Log, owner_id: UUID) -> Advertised:
    """Record an advertiser of somebody's, with a campaign, a line item and a creative."""
    opened = advertiser(owner_id)
    planned = campaign(opened)
    bid, shown = line_item(planned), creative(opened.id)
    log.save(opened, planned, bid, shown)
    return Advertised(opened.id, planned.id, bid.id, shown.id)


def approve(log: Log, creative_id: UUID) -> None:
    """Let a draft pass its review, in which no check is in doubt."""
    creative = log.find(Creative, creative_id)
    assert creative is not None
    creative.submit([Check("format", "1", "allow")], by=uuid4(), at=NOON)
    log.save(creative)
