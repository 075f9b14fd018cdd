"""A rule read off the log alone: a generation starts only while its cameos grant."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from domain.cameo.events import (
    AudienceChanged,
    CameoRecorded,
    CameoRevoked,
    PermissionCleared,
    PermissionDenied,
    PermissionGranted,
)
from domain.generation.events import GenerationRequested
from tests.crash.checker import DomainLog, LogEvent, Violation
from tests.crash.history import History


class _Cameo:
    """What a cameo allows at one position, kept without a line of the product's own rule."""

    def __init__(self) -> None:
        self.audience = ""
        self.owner = ""
        self.revoked = False
        self.granted: set[str] = set()
        self.denied: set[str] = set()

    def allows(self, account: str) -> bool:
        if self.revoked:
            return False
        if account == self.owner:
            return True
        open_to_all = self.audience == "everyone"
        return account not in self.denied and (account in self.granted or open_to_all)


class _State(msgspec.Struct, frozen=True):
    timestamp: datetime
    audience: str = ""
    owner_id: str = ""
    grantee_id: str = ""
    account_id: str = ""
    cameo_ids: tuple[UUID, ...] = ()


def generations_start_only_with_consent(
    _: Sequence[History], log: DomainLog
) -> Iterator[Violation]:
    """Fold the log: every generation stands where all its cameos allowed its account to cast them.

    Audiences are "approved" and "everyone"; permissions do not expire; nobody blocks anybody.
    """
    decode = msgspec.json.Decoder(_State).decode
    cameos: dict[UUID, _Cameo] = {}
    for event in log.events:
        if event.topic == GenerationRequested.TOPIC:
            state = decode(event.state)
            for cameo_id in state.cameo_ids:
                if cameo_id not in cameos or not cameos[cameo_id].allows(state.account_id):
                    yield Violation(
                        "a generation started without consent",
                        f"{event.originator_id} at {event.position} with {cameo_id}",
                    )
        elif event.topic.startswith("cameo."):
            cameo = cameos.setdefault(event.originator_id, _Cameo())
            _evolve(cameo, event, decode(event.state))


def _evolve(cameo: _Cameo, event: LogEvent, state: _State) -> None:
    match event.topic:
        case CameoRecorded.TOPIC:
            cameo.owner, cameo.audience = state.owner_id, state.audience
        case AudienceChanged.TOPIC:
            cameo.audience = state.audience
        case PermissionGranted.TOPIC:
            cameo.denied.discard(state.grantee_id)
            cameo.granted.add(state.grantee_id)
        case PermissionDenied.TOPIC:
            cameo.granted.discard(state.grantee_id)
            cameo.denied.add(state.grantee_id)
        case PermissionCleared.TOPIC:
            cameo.granted.discard(state.grantee_id)
            cameo.denied.discard(state.grantee_id)
        case CameoRevoked.TOPIC:
            cameo.revoked = True
        case _:
            pass
