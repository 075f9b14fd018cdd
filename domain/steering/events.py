"""What an account can say of its feed. A rule is recorded as it was understood, for good."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class SteeringBegun(InitialEvent):
    """The account steered its feed for the first time."""

    TOPIC = "steering.begun"

    account_id: UUID


@dataclass(frozen=True)
class RuleAdded(Event):
    """The account wants more of something ("boost"), less of it ("limit") or none ("hide").

    `about` says what `terms` are: the words of a "topic", a "hashtag" without its sign, the handle
    of an "author" (`author_id`), a "length" ("under" or "over" and milliseconds), a "mood", a
    "form" ("remix", "original", "cameo") or a "circle" ("following", "strangers"). `strength` is 1
    to 100. It ends at `expires_at`, if it ever does.
    """

    TOPIC = "steering.rule_added"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"terms", "author_id", "said"})

    account_id: UUID
    rule_id: UUID
    kind: str
    about: str
    terms: tuple[str, ...]
    author_id: UUID | None
    strength: int
    expires_at: datetime | None
    said: str


@dataclass(frozen=True)
class RuleChanged(Event):
    """The account made a rule weaker or stronger, or let it end at another time."""

    TOPIC = "steering.rule_changed"

    account_id: UUID
    rule_id: UUID
    strength: int
    expires_at: datetime | None


@dataclass(frozen=True)
class RuleRemoved(Event):
    """The account took one rule back, or said another of the same subject in its place."""

    TOPIC = "steering.rule_removed"

    account_id: UUID
    rule_id: UUID


@dataclass(frozen=True)
class SteeringReset(Event):
    """The account took back all its rules, and all that it asked to see less of."""

    TOPIC = "steering.reset"

    account_id: UUID


@dataclass(frozen=True)
class LessAsked(Event):
    """The account wants to see less like this video; the wish fades with time."""

    TOPIC = "steering.less_asked"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class LessTakenBack(Event):
    """The account does not ask for less like this video any more."""

    TOPIC = "steering.less_taken_back"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class PersonalisationSwitched(Event):
    """From now on the account's feed follows what the account did, or knows nothing of it."""

    TOPIC = "steering.personalisation_switched"

    account_id: UUID
    personalised: bool


@dataclass(frozen=True)
class HistoryForgotten(Event):
    """What the account watched and liked until now says nothing of its taste any more."""

    TOPIC = "steering.history_forgotten"

    account_id: UUID


SteeringEvent = (
    SteeringBegun
    | RuleAdded
    | RuleChanged
    | RuleRemoved
    | SteeringReset
    | LessAsked
    | LessTakenBack
    | PersonalisationSwitched
    | HistoryForgotten
)
