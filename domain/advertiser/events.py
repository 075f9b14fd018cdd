"""What can happen to an advertiser."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.aggregate import Event, InitialEvent
from domain.frequency import FrequencyCap


@dataclass(frozen=True)
class AdvertiserOpened(InitialEvent):
    """Somebody wants to advertise. Currency (ISO 4217) and zone (IANA) stay as they are.

    `website` is the host whose pages the ads lead to; `owner_id` is the first member. A `sandbox`
    stays one: its money is none, and no viewer is shown its ads.
    """

    TOPIC = "advertiser.opened"
    class_version = 2

    name: str
    website: str
    category: str
    currency: str
    zone: str
    owner_id: UUID
    sandbox: bool

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["sandbox"] = False


@dataclass(frozen=True)
class AdvertiserEdited(Event):
    """The advertiser has another name, website or category."""

    TOPIC = "advertiser.edited"

    name: str
    website: str
    category: str
    by: UUID


@dataclass(frozen=True)
class AdvertiserCapsChanged(Event):
    """How often one viewer is shown any ad of the advertiser, from now on."""

    TOPIC = "advertiser.caps_changed"

    caps: tuple[FrequencyCap, ...]
    by: UUID


@dataclass(frozen=True)
class MemberAdmitted(Event):
    """An account acts for the advertiser, as "owner", "editor" or "reader"."""

    TOPIC = "advertiser.member_admitted"

    account_id: UUID
    role: str
    by: UUID


@dataclass(frozen=True)
class MemberRoleChanged(Event):
    """A member may do more, or less, than before."""

    TOPIC = "advertiser.member_role_changed"

    account_id: UUID
    role: str
    by: UUID


@dataclass(frozen=True)
class MemberRemoved(Event):
    """An account acts no longer for the advertiser."""

    TOPIC = "advertiser.member_removed"

    account_id: UUID
    by: UUID


AdvertiserEvent = (
    AdvertiserOpened
    | AdvertiserEdited
    | AdvertiserCapsChanged
    | MemberAdmitted
    | MemberRoleChanged
    | MemberRemoved
)
