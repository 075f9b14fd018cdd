"""An advertiser, and whose accounts act for it."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.ad_categories import CategoryUnknown
from domain.advertiser.aggregate import Advertiser
from domain.advertiser.errors import (
    AdvertiserNameInvalid,
    AdvertiserNotFound,
    CurrencyUnknown,
    LastOwner,
    MemberNotFound,
    RoleTooLow,
    RoleUnknown,
    WebsiteInvalid,
    ZoneUnknown,
)
from domain.advertiser.events import (
    AdvertiserCapsChanged,
    AdvertiserEdited,
    AdvertiserOpened,
    MemberAdmitted,
    MemberRemoved,
    MemberRoleChanged,
)
from domain.errors import DomainError
from domain.frequency import FrequencyCap, FrequencyCapInvalid
from tests.advertising import NOON, advertiser

ALICE, BOB, MALLORY = uuid4(), uuid4(), uuid4()
FORM: dict[str, Any] = {
    "name": "Fox and Sons",
    "website": "shop.example.com",
    "category": "toys",
    "currency": "USD",
    "zone": "Europe/Berlin",
}


def recorded(of: Advertiser) -> list[type]:
    return [type(event) for event in of.collect_events()]


@pytest.fixture
def hers() -> Advertiser:
    opened = advertiser(ALICE)
    assert recorded(opened) == [AdvertiserOpened]
    return opened


@pytest.mark.parametrize(
    ("differing", "refusal"),
    [
        ({"name": " "}, AdvertiserNameInvalid),
        ({"website": "localhost"}, WebsiteInvalid),
        ({"website": "127.0.0.1"}, WebsiteInvalid),
        ({"website": "Shop.example.com"}, WebsiteInvalid),
        ({"category": "weapons"}, CategoryUnknown),
        ({"currency": "usd"}, CurrencyUnknown),
        ({"currency": "JPY"}, CurrencyUnknown),
        ({"zone": "Mars/Olympus"}, ZoneUnknown),
        ({"zone": "../../etc/passwd"}, ZoneUnknown),
        ({"zone": "localtime"}, ZoneUnknown),
        ({"zone": "posix/Europe/Berlin"}, ZoneUnknown),
        ({"name": "Toys \u202egniK"}, AdvertiserNameInvalid),
    ],
)
def test_what_no_advertiser_can_be_is_refused(
    differing: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        Advertiser.open(uuid4(), **{**FORM, **differing}, by=ALICE, at=NOON)


def test_to_a_stranger_it_is_not_there_and_a_member_may_what_the_role_says(
    hers: Advertiser,
) -> None:
    hers.admit(BOB, "reader", by=ALICE, at=NOON)

    hers.require("reader", by=BOB)
    with pytest.raises(RoleTooLow):
        hers.require("editor", by=BOB)
    with pytest.raises(AdvertiserNotFound):
        hers.require("reader", by=MALLORY)
    hers.require("owner", by=ALICE)


def test_members_come_change_and_go(hers: Advertiser) -> None:
    hers.admit(BOB, "reader", by=ALICE, at=NOON)
    hers.admit(BOB, "reader", by=ALICE, at=NOON)
    hers.admit(BOB, "editor", by=ALICE, at=NOON)
    hers.remove(BOB, by=BOB, at=NOON)

    assert recorded(hers) == [MemberAdmitted, MemberRoleChanged, MemberRemoved]
    assert hers.role_of(BOB) is None
    with pytest.raises(MemberNotFound):
        hers.remove(BOB, by=ALICE, at=NOON)


@pytest.mark.parametrize("by", [BOB, MALLORY])
def test_only_an_owner_names_members(hers: Advertiser, by: UUID) -> None:
    hers.admit(BOB, "editor", by=ALICE, at=NOON)

    with pytest.raises((RoleTooLow, AdvertiserNotFound)):
        hers.admit(MALLORY, "owner", by=by, at=NOON)
    with pytest.raises((RoleTooLow, AdvertiserNotFound)):
        hers.remove(ALICE, by=by, at=NOON)
    with pytest.raises(RoleUnknown):
        hers.admit(MALLORY, "king", by=ALICE, at=NOON)


def test_an_advertiser_always_has_an_owner(hers: Advertiser) -> None:
    with pytest.raises(LastOwner):
        hers.remove(ALICE, by=ALICE, at=NOON)
    with pytest.raises(LastOwner):
        hers.admit(ALICE, "reader", by=ALICE, at=NOON)

    hers.admit(BOB, "owner", by=ALICE, at=NOON)
    hers.remove(ALICE, by=ALICE, at=NOON)

    assert hers.role_of(BOB) == "owner"


def test_an_edit_records_what_changed_alone(hers: Advertiser) -> None:
    shown = {"name": hers.name, "website": hers.website, "category": hers.category}
    cap = FrequencyCap(3, 86_400)

    hers.edit(**shown, caps=(), by=ALICE, at=NOON)
    hers.edit(**shown, caps=(cap,), by=ALICE, at=NOON)
    hers.edit(**{**shown, "name": "Fox"}, caps=(cap,), by=ALICE, at=NOON)

    assert recorded(hers) == [AdvertiserCapsChanged, AdvertiserEdited]
    for caps in ((FrequencyCap(0, 60),), (FrequencyCap(1, 59),), (cap, cap)):
        with pytest.raises(FrequencyCapInvalid):
            hers.edit(**shown, caps=caps, by=ALICE, at=NOON)
