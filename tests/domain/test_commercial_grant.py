"""Whose cameo an advertiser may show, and until when."""

from uuid import uuid4

import pytest

from domain.commercial_grant.aggregate import CommercialGrant
from domain.commercial_grant.errors import CommercialGrantNotFound, GrantExpiryPast
from domain.commercial_grant.events import (
    CommercialUseGranted,
    CommercialUseRenewed,
    CommercialUseWithdrawn,
)
from tests.advertising import DAY, NOON

CAMEO, ADVERTISER = uuid4(), uuid4()


def test_a_grant_holds_until_it_is_over() -> None:
    grant = CommercialGrant.give(CAMEO, ADVERTISER, expires_at=NOON + DAY, at=NOON)

    assert grant.holds(NOON)
    assert not grant.holds(NOON + DAY)


def test_it_is_withdrawn_and_given_again() -> None:
    grant = CommercialGrant.give(CAMEO, ADVERTISER, expires_at=None, at=NOON)

    grant.renew(expires_at=None, at=NOON)
    grant.withdraw(at=NOON)
    assert not grant.holds(NOON)
    with pytest.raises(CommercialGrantNotFound):
        grant.withdraw(at=NOON)
    grant.renew(expires_at=None, at=NOON)

    assert grant.holds(NOON)
    assert [type(event) for event in grant.collect_events()] == [
        CommercialUseGranted,
        CommercialUseWithdrawn,
        CommercialUseRenewed,
    ]


def test_a_grant_that_is_over_already_is_none() -> None:
    with pytest.raises(GrantExpiryPast):
        CommercialGrant.give(CAMEO, ADVERTISER, expires_at=NOON, at=NOON)
