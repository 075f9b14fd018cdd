"""Given an account, an invitation or a session, when a command comes, what then."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.account.aggregate import Account, Email, Handle, Session
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
    AccountOpened,
    InvitationDrawn,
    InvitationsAllotted,
    PasswordChanged,
    SessionEnded,
    SessionOpened,
    SessionRefreshed,
    SignedOutEverywhere,
)
from domain.aggregate import Aggregate
from domain.invitation.aggregate import Invitation
from domain.invitation.errors import InvitationSpent, InvitationWithdrawn, NotInvitationIssuer

ALICE, BOB, MALLORY, SESSION = (UUID(int=number) for number in range(1, 5))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def happened(aggregate: Aggregate) -> list[type]:
    return [type(event) for event in aggregate.pending_events]


@pytest.fixture
def account() -> Account:
    return Account.open(
        ALICE,
        handle="alice",
        display_name="Alice",
        email="alice@example.org",
        password_hash="hash",  # noqa: S106 - of the tests alone
        age_band="18+",
        scopes=("creator", "viewer"),
        invitation_id=None,
        invited_by=BOB,
        at=NOON,
    )


def test_an_allotment_is_drawn_until_it_is_used_up(account: Account) -> None:
    account.allot_invitations(1, at=NOON)
    account.draw_invitation(UUID(int=9), at=NOON)

    with pytest.raises(InvitationsSpent):
        account.draw_invitation(UUID(int=10), at=NOON)

    assert happened(account) == [AccountOpened, InvitationsAllotted, InvitationDrawn]


def test_a_new_password_ends_every_session(account: Account) -> None:
    account.change_password("other", at=NOON)

    assert happened(account) == [AccountOpened, PasswordChanged, SignedOutEverywhere]
    assert account.signed_out_at == NOON


def test_the_same_profile_again_records_nothing(account: Account) -> None:
    account.change_profile(display_name="Alice", bio="", avatar_upload_id=None, at=NOON)

    assert happened(account) == [AccountOpened]


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3000\u2028", "Alice\nBob", "\x1b[31mAlice"])
def test_a_display_name_that_nobody_can_read(account: Account, name: str) -> None:
    with pytest.raises(DisplayNameInvalid):
        account.change_profile(display_name=name, bio="", avatar_upload_id=None, at=NOON)


def test_a_bio_has_lines_and_no_control_characters(account: Account) -> None:
    account.change_profile(display_name="🦊", bio="one\ntwo", avatar_upload_id=None, at=NOON)

    with pytest.raises(BioInvalid):
        account.change_profile(display_name="🦊", bio="\x07", avatar_upload_id=None, at=NOON)


@pytest.mark.parametrize("scope", ["worker", "public", "root"])
def test_no_person_is_given_a_scope_that_is_not_for_people(account: Account, scope: str) -> None:
    with pytest.raises(ScopeUnknown):
        account.change_scopes([scope], by=BOB, at=NOON)


@pytest.mark.parametrize("handle", ["al", "1alice", "_alice", "alice!", "a" * 31, "älice", ""])
def test_a_handle_that_nobody_can_have(handle: str) -> None:
    with pytest.raises(HandleInvalid):
        Handle.identify(handle)


@pytest.mark.parametrize(
    "email", ["alice", "alice@", "@example.org", "a b@example.org", "a@b", "\x07@a.org"]
)
def test_an_address_that_nobody_can_have(email: str) -> None:
    with pytest.raises(EmailInvalid):
        Email.identify(email)


def test_names_that_differ_in_case_alone_are_one() -> None:
    assert Handle.identify("Alice") == Handle.identify("alice")
    assert Email.identify("A@Example.org") == Email.identify("a@example.org")
    assert Invitation.identify(" abc ") == Invitation.identify("ABC")


@pytest.fixture
def session() -> Session:
    return Session.open(SESSION, account_id=ALICE, refresh_digest="first", at=NOON)


def test_a_refresh_token_is_spent_for_the_next(session: Session) -> None:
    assert session.refresh("first", "second", at=NOON)
    assert session.refresh("second", "third", at=NOON)

    assert happened(session) == [SessionOpened, SessionRefreshed, SessionRefreshed]


def test_a_spent_refresh_token_ends_the_session(session: Session) -> None:
    session.refresh("first", "second", at=NOON)

    assert not session.refresh("first", "stolen", at=NOON)

    assert happened(session)[-1] is SessionEnded
    with pytest.raises(RefreshTokenInvalid):
        session.refresh("second", "third", at=NOON)


def test_a_session_ends_once(session: Session) -> None:
    session.end("signed_out", at=NOON)
    session.end("signed_out", at=NOON)

    assert happened(session) == [SessionOpened, SessionEnded]


@pytest.fixture
def invitation() -> Invitation:
    return Invitation.issue("CODE", issuer_id=ALICE, at=NOON)


def test_an_invitation_is_redeemed_once(invitation: Invitation) -> None:
    invitation.redeem(account_id=BOB, at=NOON)

    with pytest.raises(InvitationSpent):
        invitation.redeem(account_id=MALLORY, at=NOON)
    with pytest.raises(InvitationSpent):
        invitation.revoke(by=ALICE, at=NOON)


def test_a_code_that_was_taken_back_admits_nobody(invitation: Invitation) -> None:
    with pytest.raises(NotInvitationIssuer):
        invitation.revoke(by=MALLORY, at=NOON)
    invitation.revoke(by=ALICE, at=NOON)
    invitation.revoke(by=ALICE, at=NOON)

    with pytest.raises(InvitationWithdrawn):
        invitation.redeem(account_id=BOB, at=NOON)
    assert len(happened(invitation)) == 2
