"""The rules of an account, of the names that it claims, and of its sessions."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.account.errors import (
    BioInvalid,
    DisplayNameInvalid,
    EmailInvalid,
    HandleInvalid,
    InvitationsSpent,
    RefreshTokenInvalid,
    ScopeUnknown,
)
from domain.account.events import (
    AccountEvent,
    AccountOpened,
    EmailClaimed,
    HandleClaimed,
    InvitationDrawn,
    InvitationsAllotted,
    PasswordChanged,
    ProfileChanged,
    ScopesChanged,
    SessionEnded,
    SessionEvent,
    SessionOpened,
    SessionRefreshed,
    SignedOutEverywhere,
)
from domain.aggregate import Aggregate
from domain.identity import named
from domain.text import is_name, is_readable

GRANTABLE_SCOPES = frozenset(
    {"viewer", "creator", "advertiser", "seller", "analyst", "moderator", "admin"}
)
_HANDLE = re.compile(r"[a-z][a-z0-9_]{2,29}")
_EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}\.[^@\s.\x00-\x1f\x7f]{2,63}"
)


class Account(Aggregate):
    """A person: how others see them, and what they may do."""

    TOPIC = "account"

    def __init__(  # noqa: PLR0913 - as many as the first event has
        self,
        *,
        handle: str,
        display_name: str,
        password_hash: str,
        age_band: str,
        scopes: tuple[str, ...],
        invited_by: UUID | None,
    ) -> None:
        self.handle = handle
        self.display_name = display_name
        self.bio = ""
        self.avatar_upload_id: UUID | None = None
        self.password_hash = password_hash
        self.age_band = age_band
        self.scopes = tuple(scopes)
        self.invited_by = invited_by
        self.invitations_left = 0
        self.signed_out_at: datetime | None = None

    @classmethod
    def open(  # noqa: PLR0913 - the fields of a sign-up
        cls,
        account_id: UUID,
        *,
        handle: str,
        display_name: str,
        email: str,
        password_hash: str,
        age_band: str,
        scopes: tuple[str, ...],
        invitation_id: UUID | None,
        invited_by: UUID | None,
        at: datetime,
    ) -> Self:
        """Open an account.

        Raises:
            DisplayNameInvalid: nobody could read it.
        """
        _check_display_name(display_name)
        return cls.begin(
            AccountOpened,
            account_id,
            at,
            handle=handle,
            display_name=display_name,
            email=email,
            password_hash=password_hash,
            age_band=age_band,
            scopes=scopes,
            invitation_id=invitation_id,
            invited_by=invited_by,
        )

    def change_profile(
        self, *, display_name: str, bio: str, avatar_upload_id: UUID | None, at: datetime
    ) -> None:
        """Change what others see. The same again records nothing.

        Raises:
            DisplayNameInvalid, BioInvalid: nobody could read it.
        """
        _check_display_name(display_name)
        if not is_readable(bio):
            raise BioInvalid("A bio has no control characters but line breaks.")
        if (display_name, bio, avatar_upload_id) != (
            self.display_name,
            self.bio,
            self.avatar_upload_id,
        ):
            self.trigger(
                ProfileChanged,
                at,
                display_name=display_name,
                bio=bio,
                avatar_upload_id=avatar_upload_id,
            )

    def change_password(self, password_hash: str, *, at: datetime) -> None:
        """Replace the password and end every session."""
        self.trigger(PasswordChanged, at, password_hash=password_hash)
        self.trigger(SignedOutEverywhere, at)

    def change_scopes(self, scopes: Iterable[str], *, by: UUID, at: datetime) -> None:
        """Change what the account's tokens may be used for.

        Raises:
            ScopeUnknown: one of them does not exist, or is no person's.
        """
        wanted = tuple(sorted(set(scopes)))
        if unknown := set(wanted) - GRANTABLE_SCOPES:
            raise ScopeUnknown(f"There is no scope {', '.join(sorted(unknown))}.")
        if wanted != self.scopes:
            self.trigger(ScopesChanged, at, scopes=wanted, changed_by=by)

    def allot_invitations(self, count: int, *, at: datetime) -> None:
        if count > 0:
            self.trigger(InvitationsAllotted, at, count=count)

    def draw_invitation(self, invitation_id: UUID, *, at: datetime) -> None:
        """Use one of the allotted invitations.

        Raises:
            InvitationsSpent: none is left.
        """
        if self.invitations_left < 1:
            raise InvitationsSpent("You have no invitation left to issue.")
        self.trigger(InvitationDrawn, at, invitation_id=invitation_id)

    def sign_out_everywhere(self, *, at: datetime) -> None:
        self.trigger(SignedOutEverywhere, at)

    def evolve(self, event: AccountEvent) -> None:
        match event:
            case AccountOpened():
                pass  # __init__ took its fields.
            case ProfileChanged():
                self.display_name = event.display_name
                self.bio = event.bio
                self.avatar_upload_id = event.avatar_upload_id
            case PasswordChanged():
                self.password_hash = event.password_hash
            case ScopesChanged():
                self.scopes = tuple(event.scopes)
            case InvitationsAllotted():
                self.invitations_left += event.count
            case InvitationDrawn():
                self.invitations_left -= 1
            case SignedOutEverywhere():
                self.signed_out_at = event.timestamp
            case _:
                assert_never(event)


class Handle(Aggregate):
    """A handle, which one account at most can have: its ID follows from the name."""

    TOPIC = "handle"

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id

    @staticmethod
    def identify(handle: str) -> UUID:
        """Return the ID of a handle's claim.

        Raises:
            HandleInvalid: nobody can have such a handle.
        """
        name = handle.lower()
        if not _HANDLE.fullmatch(name):
            raise HandleInvalid("A handle has 3 to 30 of a-z, 0-9 and _, and begins with a letter.")
        return named("handle", name)

    @classmethod
    def claim(cls, handle: str, *, account_id: UUID, at: datetime) -> Self:
        identity = cls.identify(handle)
        return cls.begin(HandleClaimed, identity, at, handle=handle.lower(), account_id=account_id)

    def evolve(self, event: HandleClaimed) -> None:
        """Nothing: `__init__` took the fields."""


class Email(Aggregate):
    """An e-mail address, which one account at most can have."""

    TOPIC = "email"

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id

    @staticmethod
    def identify(email: str) -> UUID:
        """Return the ID of an address's claim.

        Raises:
            EmailInvalid: this is no address.
        """
        if not _EMAIL.fullmatch(email):
            raise EmailInvalid("This is no e-mail address.")
        return named("email", email.lower())

    @classmethod
    def claim(cls, email: str, *, account_id: UUID, at: datetime) -> Self:
        return cls.begin(EmailClaimed, cls.identify(email), at, account_id=account_id)

    def evolve(self, event: EmailClaimed) -> None:
        """Nothing: `__init__` took the fields."""


class Session(Aggregate):
    """One sign-in on one device, kept alive by a refresh token that is spent at each use."""

    TOPIC = "session"

    def __init__(self, account_id: UUID, refresh_digest: str) -> None:
        self.account_id = account_id
        self.refresh_digest = refresh_digest
        self.opened_at: datetime = self.created_on
        self.ended = False

    @classmethod
    def open(cls, session_id: UUID, *, account_id: UUID, refresh_digest: str, at: datetime) -> Self:
        return cls.begin(
            SessionOpened, session_id, at, account_id=account_id, refresh_digest=refresh_digest
        )

    def refresh(self, shown_digest: str, next_digest: str, *, at: datetime) -> bool:
        """Spend the refresh token for the next one.

        Returns:
            False if the token had been spent before: somebody has a copy, so the session ends.

        Raises:
            RefreshTokenInvalid: the session has ended.
        """
        if self.ended:
            raise RefreshTokenInvalid("The session has ended; sign in again.")
        if shown_digest != self.refresh_digest:
            self.end("refresh_token_reused", at=at)
            return False
        self.trigger(SessionRefreshed, at, refresh_digest=next_digest)
        return True

    def end(self, reason: str, *, at: datetime) -> None:
        """End the session. To end it again records nothing."""
        if not self.ended:
            self.trigger(SessionEnded, at, account_id=self.account_id, reason=reason)

    def evolve(self, event: SessionEvent) -> None:
        match event:
            case SessionOpened():
                pass  # __init__ took its fields.
            case SessionRefreshed():
                self.refresh_digest = event.refresh_digest
            case SessionEnded():
                self.ended = True
            case _:
                assert_never(event)


def _check_display_name(name: str) -> None:
    if not is_name(name):
        raise DisplayNameInvalid("A display name is one line that can be seen.")
