"""A cameo: what its owner may say about it, what others may ask, and what stays shut."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cameo.aggregate import Cameo
from domain.cameo.consent import Permission, Relation, rule_on
from domain.cameo.errors import (
    AudienceUnknown,
    CameoNameInvalid,
    CameoWithdrawn,
    ExpiryPast,
    NotCameoOwner,
    OwnerNeedsNoPermission,
    PermissionAlreadyRequested,
    PermissionRequestNotFound,
    RequestMessageInvalid,
    VoiceUnknown,
)
from domain.cameo.events import (
    AudienceChanged,
    CameoRecorded,
    CameoRevoked,
    PermissionCleared,
    PermissionDenied,
    PermissionGranted,
    PermissionRequestDeclined,
    PermissionRequested,
    VoiceChosen,
)
from domain.cameo.voices import VOICES
from domain.errors import DomainError

ALICE, BOB, MALLORY = UUID(int=1), UUID(int=2), UUID(int=3)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
STRANGERS = Relation(blocked=False, mutual=False)


def recorded(audience: str = "approved", name: str = "Alice") -> Cameo:
    return Cameo.record(
        UUID(int=9),
        owner_id=ALICE,
        name=name,
        audience=audience,
        face_upload_id=UUID(int=7),
        voice_upload_id=None,
        face_key="uploads/7/face.png",
        voice_key=None,
        voice_pitch_hz=None,
        at=NOON,
    )


def happened(cameo: Cameo) -> list[type]:
    return [type(event) for event in cameo.pending_events[1:]]


def test_a_grant_answers_the_request() -> None:
    cameo = recorded()
    cameo.request_permission(requester_id=BOB, message="For a film of foxes.", at=NOON)

    cameo.grant_permission(BOB, expires_at=LATER, by=ALICE, at=NOON)

    assert cameo.requests == {}
    assert cameo.permissions == {BOB: Permission("granted", LATER)}
    assert happened(cameo) == [PermissionRequested, PermissionGranted]


def test_a_request_stands_until_it_is_answered() -> None:
    cameo = recorded()
    cameo.request_permission(requester_id=BOB, message="", at=NOON)

    with pytest.raises(PermissionAlreadyRequested):
        cameo.request_permission(requester_id=BOB, message="Please!", at=NOON)
    cameo.decline_request(BOB, by=ALICE, at=NOON)
    with pytest.raises(PermissionRequestNotFound):
        cameo.decline_request(BOB, by=ALICE, at=NOON)

    assert happened(cameo) == [PermissionRequested, PermissionRequestDeclined]


def test_what_changes_nothing_records_nothing() -> None:
    cameo = recorded("everyone")

    cameo.change_audience("everyone", by=ALICE, at=NOON)
    cameo.clear_permission(BOB, by=ALICE, at=NOON)
    for _ in range(2):
        cameo.deny_permission(BOB, expires_at=None, by=ALICE, at=NOON)
    for _ in range(2):
        cameo.grant_permission(BOB, expires_at=None, by=ALICE, at=NOON)
    for _ in range(2):
        cameo.clear_permission(BOB, by=ALICE, at=NOON)
    cameo.change_audience("only_me", by=ALICE, at=NOON)
    for _ in range(2):
        cameo.revoke(by=ALICE, at=NOON)

    assert happened(cameo) == [
        PermissionDenied,
        PermissionGranted,
        PermissionCleared,
        AudienceChanged,
        CameoRevoked,
    ]


def test_a_permission_ends_after_it_begins() -> None:
    with pytest.raises(ExpiryPast):
        recorded().grant_permission(BOB, expires_at=NOON, by=ALICE, at=NOON)


def test_the_owner_neither_asks_nor_permits_themselves() -> None:
    cameo = recorded()

    with pytest.raises(OwnerNeedsNoPermission):
        cameo.deny_permission(ALICE, expires_at=None, by=ALICE, at=NOON)
    with pytest.raises(OwnerNeedsNoPermission):
        cameo.request_permission(requester_id=ALICE, message="", at=NOON)


def test_a_name_can_be_seen_and_a_message_read() -> None:
    with pytest.raises(CameoNameInvalid):
        recorded(name="\u200b ")

    with pytest.raises(RequestMessageInvalid):
        recorded().request_permission(requester_id=BOB, message="\x1b[31m", at=NOON)


def test_there_are_four_audiences() -> None:
    with pytest.raises(AudienceUnknown):
        recorded("followers")
    with pytest.raises(AudienceUnknown):
        recorded().change_audience("", by=ALICE, at=NOON)


def test_a_cameo_speaks_in_the_voice_that_was_chosen_last() -> None:
    cameo = recorded()

    cameo.choose_voice(None, by=ALICE, at=NOON)
    for voice in ("alto", "alto", "bass"):
        cameo.choose_voice(voice, by=ALICE, at=NOON)
    chosen = cameo.voice
    for _ in range(2):
        cameo.choose_voice(None, by=ALICE, at=NOON)

    assert (chosen, cameo.voice) == ("bass", None)
    assert happened(cameo) == [VoiceChosen] * 3


@pytest.mark.parametrize("voice", ["", "Alto", "mallory"])
def test_an_unknown_voice_is_refused_and_the_known_ones_are_named(voice: str) -> None:
    cameo = recorded()

    with pytest.raises(VoiceUnknown) as refused:
        cameo.choose_voice(voice, by=ALICE, at=NOON)

    assert all(name in str(refused.value) for name in VOICES)
    assert happened(cameo) == []


OWNERS_COMMANDS: list[Callable[[Cameo, UUID], None]] = [
    lambda cameo, by: cameo.change_audience("everyone", by=by, at=NOON),
    lambda cameo, by: cameo.grant_permission(MALLORY, expires_at=None, by=by, at=NOON),
    lambda cameo, by: cameo.deny_permission(BOB, expires_at=None, by=by, at=NOON),
    lambda cameo, by: cameo.clear_permission(BOB, by=by, at=NOON),
    lambda cameo, by: cameo.decline_request(BOB, by=by, at=NOON),
    lambda cameo, by: cameo.choose_voice("alto", by=by, at=NOON),
    lambda cameo, by: cameo.revoke(by=by, at=NOON),
]


@pytest.mark.parametrize("command", OWNERS_COMMANDS)
def test_only_the_owner_decides(command: Callable[[Cameo, UUID], None]) -> None:
    cameo = recorded("everyone")
    cameo.request_permission(requester_id=BOB, message="", at=NOON)

    with pytest.raises(NotCameoOwner):
        command(cameo, MALLORY)

    assert happened(cameo) == [PermissionRequested]


@pytest.mark.parametrize("command", OWNERS_COMMANDS[:-1])
def test_what_was_revoked_stays_revoked(command: Callable[[Cameo, UUID], None]) -> None:
    cameo = recorded("everyone")
    cameo.revoke(by=ALICE, at=NOON)

    with pytest.raises(CameoWithdrawn):
        command(cameo, ALICE)
    with pytest.raises(CameoWithdrawn):
        cameo.request_permission(requester_id=BOB, message="", at=NOON)

    assert happened(cameo) == [CameoRevoked]


Command = tuple[str, UUID, int | None]
COMMANDS = st.tuples(
    st.sampled_from(["everyone", "only_me", "request", "grant", "deny", "clear", "decline"]),
    st.sampled_from([BOB, MALLORY]),
    st.none() | st.integers(1, 30),
)


@given(st.lists(COMMANDS, max_size=20))
def test_whatever_happened_the_owners_last_word_on_a_person_holds(commands: list[Command]) -> None:
    # The model: the last grant, denial or clearing that came through, whatever else did.
    cameo = recorded("everyone")
    last: dict[UUID, tuple[str, int | None]] = {}

    for minute, (name, account_id, lasting) in enumerate(commands):
        at = NOON + timedelta(minutes=minute)
        expires_at = None if lasting is None else at + timedelta(minutes=lasting)
        try:
            _command(cameo, name, account_id, expires_at, at)
        except DomainError:
            continue
        if name in {"grant", "deny", "clear"}:
            last[account_id] = (name, None if lasting is None else minute + lasting)

    for account_id, minute in [(a, m) for a in (BOB, MALLORY) for m in range(len(commands), 60)]:
        at = NOON + timedelta(minutes=minute)
        ruling = rule_on(cameo.terms(account_id), STRANGERS, account_id=account_id, at=at)
        word, ends = last.get(account_id, ("clear", None))
        holds = word != "clear" and (ends is None or minute < ends)
        assert (ruling.rule == "denied") == (holds and word == "deny")
        assert (ruling.rule == "granted") == (holds and word == "grant")


def _command(
    cameo: Cameo, name: str, account_id: UUID, expires_at: datetime | None, at: datetime
) -> None:
    match name:
        case "request":
            cameo.request_permission(requester_id=account_id, message="", at=at)
        case "grant":
            cameo.grant_permission(account_id, expires_at=expires_at, by=ALICE, at=at)
        case "deny":
            cameo.deny_permission(account_id, expires_at=expires_at, by=ALICE, at=at)
        case "clear":
            cameo.clear_permission(account_id, by=ALICE, at=at)
        case "decline":
            cameo.decline_request(account_id, by=ALICE, at=at)
        case audience:
            cameo.change_audience(audience, by=ALICE, at=at)


def test_the_first_event_holds_what_was_recorded() -> None:
    assert isinstance(recorded().pending_events[0], CameoRecorded)
