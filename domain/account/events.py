"""What can happen to an account, to the names it claims and to its sessions."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class AccountOpened(InitialEvent):
    """A person signed up. `age_band` is one of "13-15", "16-17", "18+"."""

    TOPIC = "account.opened"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"email", "password_hash"})

    handle: str
    display_name: str
    email: str
    password_hash: str
    age_band: str
    scopes: tuple[str, ...]
    invitation_id: UUID | None
    invited_by: UUID | None


@dataclass(frozen=True)
class ProfileChanged(Event):
    """The person changed what others see of them."""

    TOPIC = "account.profile_changed"

    display_name: str
    bio: str
    avatar_upload_id: UUID | None


@dataclass(frozen=True)
class PasswordChanged(Event):
    """The person chose another password."""

    TOPIC = "account.password_changed"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"password_hash"})

    password_hash: str


@dataclass(frozen=True)
class ScopesChanged(Event):
    """An admin changed what the account's tokens may be used for."""

    TOPIC = "account.scopes_changed"

    scopes: tuple[str, ...]
    changed_by: UUID


@dataclass(frozen=True)
class InvitationsAllotted(Event):
    """The account may issue `count` more invitations."""

    TOPIC = "account.invitations_allotted"

    count: int


@dataclass(frozen=True)
class InvitationDrawn(Event):
    """The account used one of its allotted invitations."""

    TOPIC = "account.invitation_drawn"

    invitation_id: UUID


@dataclass(frozen=True)
class SignedOutEverywhere(Event):
    """Every session of the account that was opened until now has ended."""

    TOPIC = "account.signed_out_everywhere"


AccountEvent = (
    AccountOpened
    | ProfileChanged
    | PasswordChanged
    | ScopesChanged
    | InvitationsAllotted
    | InvitationDrawn
    | SignedOutEverywhere
)


@dataclass(frozen=True)
class HandleClaimed(InitialEvent):
    """An account took a handle, which no other can take any more."""

    TOPIC = "account.handle_claimed"

    handle: str
    account_id: UUID


@dataclass(frozen=True)
class EmailClaimed(InitialEvent):
    """An account took an e-mail address; the address itself stands in `AccountOpened` alone."""

    TOPIC = "account.email_claimed"

    account_id: UUID


@dataclass(frozen=True)
class SessionOpened(InitialEvent):
    """A person signed in on a device. `refresh_digest` is the SHA-256 of the refresh token."""

    TOPIC = "account.session_opened"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"refresh_digest"})

    account_id: UUID
    refresh_digest: str


@dataclass(frozen=True)
class SessionRefreshed(Event):
    """The refresh token was spent and replaced by another."""

    TOPIC = "account.session_refreshed"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"refresh_digest"})

    refresh_digest: str


@dataclass(frozen=True)
class SessionEnded(Event):
    """The session is over. `reason` is "signed_out" or "refresh_token_reused"."""

    TOPIC = "account.session_ended"

    account_id: UUID
    reason: str


SessionEvent = SessionOpened | SessionRefreshed | SessionEnded
