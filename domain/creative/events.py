"""What can happen to a creative."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Event, InitialEvent
from domain.creative.content import Content
from domain.frequency import FrequencyCap


@dataclass(frozen=True)
class CreativeDrafted(InitialEvent):
    """An advertiser wants to show a video as an ad."""

    TOPIC = "creative.drafted"

    advertiser_id: UUID
    name: str
    content: Content
    caps: tuple[FrequencyCap, ...]
    by: UUID


@dataclass(frozen=True)
class CreativeRenamed(Event):
    """It is called otherwise, by the advertiser alone: viewers never see the name."""

    TOPIC = "creative.renamed"

    name: str
    by: UUID


@dataclass(frozen=True)
class CreativeCapsChanged(Event):
    """It is shown to one viewer more or less often."""

    TOPIC = "creative.caps_changed"

    caps: tuple[FrequencyCap, ...]
    by: UUID


@dataclass(frozen=True)
class CreativeEdited(Event):
    """It shows something else, or leads elsewhere: what was decided on it before is void."""

    TOPIC = "creative.edited"

    content: Content
    by: UUID


@dataclass(frozen=True)
class CreativeSubmitted(Event):
    """The checks are to look at it, and people if a check is in doubt."""

    TOPIC = "creative.submitted"

    by: UUID


@dataclass(frozen=True)
class CreativeChecked(Event):
    """A check said "allow", "doubt" or "refuse"; `code` is stable, and empty where it allows."""

    TOPIC = "creative.checked"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"detail"})

    check: str
    version: str
    verdict: str
    code: str
    detail: str


@dataclass(frozen=True)
class CreativeApproved(Event):
    """It may be shown; nobody (None) decided where no check was in doubt."""

    TOPIC = "creative.approved"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"note"})

    by: UUID | None
    note: str


@dataclass(frozen=True)
class CreativeRejected(Event):
    """It may not be shown, for these reasons; nobody (None) decided where a check refused."""

    TOPIC = "creative.rejected"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"note"})

    by: UUID | None
    reasons: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class CreativeAppealed(Event):
    """The advertiser holds that the rejection is wrong: a person looks at it."""

    TOPIC = "creative.appealed"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"statement"})

    statement: str
    by: UUID


@dataclass(frozen=True)
class CreativeWithdrawn(Event):
    """The advertiser shows it no more, for good."""

    TOPIC = "creative.withdrawn"

    by: UUID


CreativeEvent = (
    CreativeDrafted
    | CreativeRenamed
    | CreativeCapsChanged
    | CreativeEdited
    | CreativeSubmitted
    | CreativeChecked
    | CreativeApproved
    | CreativeRejected
    | CreativeAppealed
    | CreativeWithdrawn
)
