"""Commands on accounts, their invitations and their sessions."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from domain.account.aggregate import Account, Email, Handle, Session
from domain.account.errors import (
    AccountNotFound,
    AvatarUnsuitable,
    CredentialsWrong,
    EmailInvalid,
    EmailTaken,
    HandleInvalid,
    HandleTaken,
    RefreshTokenInvalid,
)
from domain.invitation.aggregate import Invitation
from domain.invitation.errors import InvitationNotFound, InvitationRequired
from domain.upload.aggregate import Upload
from domain.upload.errors import UploadNotFound
from myriorama.application.passwords import Passwords
from myriorama.store.identity import new_id, new_secret
from myriorama.store.log import Log, retried

NEW_ACCOUNT_SCOPES = ("creator", "viewer")

OPERATOR = UUID(int=0)
"""Who changed what the operator changed, who has no account."""
# No letter or digit that is mistaken for another.
_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_CHARACTERS = 10


@dataclass(frozen=True)
class SignUp:
    """What a person who signs up tells of themselves."""

    handle: str
    display_name: str
    email: str
    password: str
    age_band: str
    invitation_code: str | None


@dataclass(frozen=True)
class SignedIn:
    """A session that has just been opened or refreshed. `refresh_token` is told but once."""

    account_id: UUID
    session_id: UUID
    scopes: tuple[str, ...]
    refresh_token: str


class Accounts:
    """Who is who, and how they came in."""

    def __init__(
        self,
        log: Log,
        passwords: Passwords,
        *,
        invite_only: bool,
        allotment: int,
        advertising_open: bool = False,
    ) -> None:
        self._log = log
        self._passwords = passwords
        self._invite_only = invite_only
        self._advertising_open = advertising_open
        self._allotment = allotment

    @retried
    def sign_up(self, form: SignUp, *, at: datetime) -> SignedIn:
        """Open an account, redeem the invitation and open a session: all of it or nothing.

        Raises:
            InvitationRequired: there is none, and the house is not open.
            InvitationNotFound, InvitationSpent, InvitationWithdrawn: it admits nobody.
            HandleTaken, EmailTaken: another account has it.
            HandleInvalid, EmailInvalid, PasswordTooWeak: nobody could have it.
        """
        account_id = new_id()
        invitation = self._invitation(form.invitation_code)
        if invitation:
            invitation.redeem(account_id=account_id, at=at)
        if self._log.find(Handle, Handle.identify(form.handle)):
            raise HandleTaken(f"Somebody has the handle {form.handle}.")
        if self._log.find(Email, Email.identify(form.email)):
            raise EmailTaken("There is an account with this e-mail address; sign in instead.")
        account = Account.open(
            account_id,
            handle=form.handle.lower(),
            display_name=form.display_name,
            email=form.email,
            password_hash=self._passwords.hash(form.password),
            age_band=form.age_band,
            scopes=self._scopes_of(form),
            invitation_id=invitation.id if invitation else None,
            invited_by=invitation.issuer_id if invitation else None,
            at=at,
        )
        account.allot_invitations(self._allotment, at=at)
        session, token = _open_session(account_id, at=at)
        self._log.save(
            account,
            Handle.claim(form.handle, account_id=account_id, at=at),
            Email.claim(form.email, account_id=account_id, at=at),
            *([invitation] if invitation else []),
            session,
        )
        return SignedIn(account_id, session.id, account.scopes, token)

    @retried
    def sign_in(self, *, name: str, password: str, at: datetime) -> SignedIn:
        """Open a session for who has this handle or e-mail address and this password.

        Raises:
            CredentialsWrong: no account has both.
        """
        account = self._named(name)
        if not self._passwords.verify(account.password_hash if account else None, password):
            account = None
        if account is None:
            raise CredentialsWrong("No account has this name and this password.")
        session, token = _open_session(account.id, at=at)
        self._log.save(session, expect={account.id: account.version})
        return SignedIn(account.id, session.id, account.scopes, token)

    @retried
    def refresh(self, refresh_token: str, *, at: datetime) -> SignedIn:
        """Spend a refresh token for the next one. If it was spent before, the session ends.

        Raises:
            RefreshTokenInvalid: it is not ours, was spent, or its session has ended.
        """
        session = self._session_of(refresh_token)
        account = self._account(session.account_id)
        if account.signed_out_at is not None and session.opened_at <= account.signed_out_at:
            raise RefreshTokenInvalid("You signed out everywhere; sign in again.")
        token = _refresh_token(session.id)
        valid = session.refresh(_digest(refresh_token), _digest(token), at=at)
        self._log.save(session, expect={account.id: account.version})
        if not valid:
            raise RefreshTokenInvalid(
                "This refresh token was used before, so the session has ended; sign in again."
            )
        return SignedIn(account.id, session.id, account.scopes, token)

    @retried
    def sign_out(self, session_id: UUID, *, at: datetime) -> None:
        """End one session. To end it again changes nothing."""
        session = self._log.find(Session, session_id)
        if session:
            session.end("signed_out", at=at)
            self._log.save(session)

    @retried
    def sign_out_everywhere(self, account_id: UUID, *, at: datetime) -> None:
        account = self._account(account_id)
        account.sign_out_everywhere(at=at)
        self._log.save(account)

    @retried
    def change_password(self, account_id: UUID, *, old: str, new: str, at: datetime) -> None:
        """Replace the password and end every session.

        Raises:
            CredentialsWrong: `old` is not the password.
            PasswordTooWeak: `new` cannot be one.
        """
        account = self._account(account_id)
        if not self._passwords.verify(account.password_hash, old):
            raise CredentialsWrong("The present password is another.")
        account.change_password(self._passwords.hash(new), at=at)
        self._log.save(account)

    @retried
    def change_scopes(
        self, account_id: UUID, scopes: Iterable[str], *, by: UUID, at: datetime
    ) -> None:
        """Change what an account's tokens may be used for, from its next token on.

        Raises:
            AccountNotFound: there is no such account.
            ScopeUnknown: one of them does not exist.
        """
        account = self._account(account_id)
        account.change_scopes(scopes, by=by, at=at)
        self._log.save(account)

    @retried
    def appoint(self, name: str, scopes: Iterable[str], *, at: datetime) -> tuple[str, ...]:
        """Give an account more scopes as the operator, and return all that it has then.

        Args:
            name: the account's handle, or its ID.
            scopes: which, beside those that it has.
            at: when.

        Raises:
            AccountNotFound: there is no such account.
            ScopeUnknown: one of them does not exist.
        """
        account = account_named(self._log, name)
        account.change_scopes((*account.scopes, *scopes), by=OPERATOR, at=at)
        self._log.save(account)
        return account.scopes

    @retried
    def issue_invitation(self, *, issuer_id: UUID | None, at: datetime) -> str:
        """Issue an invitation, out of the issuer's allotment; the operator (None) has no limit.

        Raises:
            InvitationsSpent: the allotment is used up.
        """
        code = _invitation_code()
        invitation = Invitation.issue(code, issuer_id=issuer_id, at=at)
        if issuer_id is None:
            self._log.save(invitation)
        else:
            account = self._account(issuer_id)
            account.draw_invitation(invitation.id, at=at)
            self._log.save(account, invitation)
        return code

    @retried
    def revoke_invitation(self, code: str, *, by: UUID, at: datetime) -> None:
        """Take an invitation back before it is used.

        Raises:
            InvitationNotFound: no invitation has this code.
            NotInvitationIssuer: another account issued it.
            InvitationSpent: it has been redeemed.
        """
        invitation = self._log.find(Invitation, Invitation.identify(code))
        if invitation is None:
            raise InvitationNotFound("No invitation has this code.")
        invitation.revoke(by=by, at=at)
        self._log.save(invitation)

    def account(self, account_id: UUID) -> Account:
        """Return the account as it is now.

        Raises:
            AccountNotFound: there is none.
        """
        return self._account(account_id)

    @retried
    def change_profile(
        self,
        account_id: UUID,
        edits: Mapping[str, Any],
        *,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> None:
        """Change what others see of an account; what `edits` does not name stays.

        Args:
            account_id: whose profile.
            edits: any of `display_name`, `bio`, `avatar_upload_id`.
            precondition: is given the version that is about to be changed, and raises to stop.
            at: now.

        Raises:
            UploadNotFound, UploadNotCleared, AvatarUnsuitable: the picture is not to be had.
        """
        account = self._account(account_id)
        precondition(account.version)
        kept: dict[str, Any] = {
            "display_name": account.display_name,
            "bio": account.bio,
            "avatar_upload_id": account.avatar_upload_id,
        }
        avatar_id: UUID | None = edits.get("avatar_upload_id")
        read = self._require_picture(avatar_id, by=account_id) if avatar_id else {}
        account.change_profile(**{**kept, **edits}, at=at)
        self._log.save(account, expect=read)

    def _require_picture(self, upload_id: UUID, *, by: UUID) -> dict[UUID, int]:
        upload = self._log.find(Upload, upload_id)
        if upload is None or upload.owner_id != by:
            raise UploadNotFound(upload_id)
        upload.require_cleared()
        if upload.purpose != "image":
            raise AvatarUnsuitable("Upload the picture with the purpose `image`.")
        return {upload.id: upload.version}

    def _account(self, account_id: UUID) -> Account:
        account = self._log.find(Account, account_id)
        if account is None:
            raise AccountNotFound("There is no such account.")
        return account

    def _named(self, name: str) -> Account | None:
        try:
            claim = (
                self._log.find(Email, Email.identify(name))
                if "@" in name
                else self._log.find(Handle, Handle.identify(name))
            )
        except (EmailInvalid, HandleInvalid):
            return None
        return self._account(claim.account_id) if claim else None

    def _scopes_of(self, form: SignUp) -> tuple[str, ...]:
        if self._advertising_open and form.age_band == "18+":
            return ("advertiser", *NEW_ACCOUNT_SCOPES)
        return NEW_ACCOUNT_SCOPES

    def _invitation(self, code: str | None) -> Invitation | None:
        if code is None:
            if self._invite_only:
                raise InvitationRequired("To sign up here, one needs an invitation.")
            return None
        invitation = self._log.find(Invitation, Invitation.identify(code))
        if invitation is None:
            raise InvitationNotFound("No invitation has this code.")
        return invitation

    def _session_of(self, refresh_token: str) -> Session:
        identity, _, _ = refresh_token.partition(".")
        try:
            session = self._log.find(Session, UUID(hex=identity))
        except ValueError:
            session = None
        if session is None:
            raise RefreshTokenInvalid("The refresh token is not valid; sign in again.")
        return session


def account_named(log: Log, name: str) -> Account:
    """Return the account of a handle, or of an ID. Raises AccountNotFound if there is none."""
    try:
        account = log.find(Account, UUID(name))
    except ValueError:
        handle = log.find(Handle, Handle.identify(name))
        account = log.find(Account, handle.account_id) if handle else None
    if account is None:
        raise AccountNotFound(f"There is no account {name}.")
    return account


def _open_session(account_id: UUID, *, at: datetime) -> tuple[Session, str]:
    session_id = new_id()
    token = _refresh_token(session_id)
    digest = _digest(token)
    return Session.open(session_id, account_id=account_id, refresh_digest=digest, at=at), token


def _refresh_token(session_id: UUID) -> str:
    return f"{session_id.hex}.{urlsafe_b64encode(new_secret()).rstrip(b'=').decode()}"


def _invitation_code() -> str:
    drawn, code = int.from_bytes(new_secret()), ""
    for _ in range(_CODE_CHARACTERS):
        drawn, character = divmod(drawn, len(_CODE_ALPHABET))
        code += _CODE_ALPHABET[character]
    return code


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
