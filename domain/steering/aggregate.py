"""The rules of what one account says of its feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.identity import named
from domain.steering.errors import (
    SteeringRuleInvalid,
    SteeringRuleNotFound,
    TooManySteeringRules,
)
from domain.steering.events import (
    HistoryForgotten,
    LessAsked,
    LessTakenBack,
    PersonalisationSwitched,
    RuleAdded,
    RuleChanged,
    RuleRemoved,
    SteeringBegun,
    SteeringEvent,
    SteeringReset,
)

RULES_MAX = 60
STRENGTH_MAX = 100
LASTS_MAX = timedelta(days=3660)


@dataclass(frozen=True)
class Wish:
    """A rule that somebody asks for: its fields are those of `RuleAdded`."""

    rule_id: UUID
    kind: str
    about: str
    terms: tuple[str, ...]
    author_id: UUID | None
    strength: int
    expires_at: datetime | None
    said: str

    @property
    def subject(self) -> str:
        """Return what the rule is about, the same for two rules of the same subject."""
        author = (str(self.author_id),) if self.author_id else ()
        return "\x1f".join((self.about, *(author or sorted(self.terms))))


class Steering(Aggregate):
    """What an account wants more of, less of and none of. What changes nothing records nothing."""

    TOPIC = "steering"

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        self.personalised = True
        # Dictionaries with str keys: a snapshot is JSON. By rule: its subject, kind, strength, end.
        self._subjects: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._strengths: dict[str, int] = {}
        self._ends: dict[str, str] = {}
        self._less: dict[str, bool] = {}

    @staticmethod
    def identify(account_id: UUID) -> UUID:
        """Return the ID of the steering of an account."""
        return named("steering", account_id)

    @classmethod
    def start(cls, account_id: UUID, *, at: datetime) -> Self:
        """Return the steering of an account that never steered."""
        return cls.begin(SteeringBegun, cls.identify(account_id), at, account_id=account_id)

    def live(self, at: datetime) -> Sequence[UUID]:
        """Return the rules that have not ended, the oldest first."""
        return [UUID(rule) for rule in self._subjects if not self._has_ended(rule, at)]

    def add(self, wishes: Sequence[Wish], *, at: datetime) -> Sequence[UUID]:
        """Take rules on, and return the ID under which each is kept.

        A rule takes the place of another of the same subject. One that says the same again keeps
        the other's ID, and its strength and end are as said last.

        Raises:
            SteeringRuleInvalid: one is too weak, too strong, over already, or to last for
                more than ten years.
            TooManySteeringRules: the account would have more than `RULES_MAX`; none is taken on.
        """
        for wish in wishes:
            _require_sound(wish.strength, wish.expires_at, at)
        kept = [self._add(wish, at) for wish in wishes]
        if len(self.live(at)) > RULES_MAX:
            raise TooManySteeringRules(f"A feed has at most {RULES_MAX} rules.")
        return kept

    def change(
        self, rule_id: UUID, *, strength: int, expires_at: datetime | None, at: datetime
    ) -> None:
        """Give a rule another strength and end. The same again records nothing.

        Raises:
            SteeringRuleNotFound: there is none, or it has ended.
            SteeringRuleInvalid: it would be too weak, too strong, over already, or to last for
                more than ten years.
        """
        rule = str(rule_id)
        if rule not in self._subjects or self._has_ended(rule, at):
            raise SteeringRuleNotFound("You have no such rule, or it has ended.")
        _require_sound(strength, expires_at, at)
        if (strength, _text(expires_at)) != (self._strengths[rule], self._ends[rule]):
            self.trigger(
                RuleChanged,
                at,
                account_id=self.account_id,
                rule_id=rule_id,
                strength=strength,
                expires_at=expires_at,
            )

    def end_of(self, rule_id: UUID) -> datetime | None:
        """Return when a rule ends, if it ever does."""
        end = self._ends.get(str(rule_id), "")
        return datetime.fromisoformat(end) if end else None

    def strength_of(self, rule_id: UUID) -> int:
        """Return how strong a rule is, or 1 if there is none."""
        return self._strengths.get(str(rule_id), 1)

    def remove(self, rule_id: UUID, *, at: datetime) -> None:
        """Take one rule back. One that is not there any more stays away."""
        if str(rule_id) in self._subjects:
            self.trigger(RuleRemoved, at, account_id=self.account_id, rule_id=rule_id)

    def reset(self, *, at: datetime) -> None:
        """Take back all rules, and all that less was asked of."""
        if self._subjects or self._less:
            self.trigger(SteeringReset, at, account_id=self.account_id)

    def ask_less(self, video_id: UUID, *, at: datetime) -> None:
        """Ask for less like a video."""
        if str(video_id) not in self._less:
            self.trigger(LessAsked, at, account_id=self.account_id, video_id=video_id)

    def take_less_back(self, video_id: UUID, *, at: datetime) -> None:
        if str(video_id) in self._less:
            self.trigger(LessTakenBack, at, account_id=self.account_id, video_id=video_id)

    def switch_personalisation(self, *, personalised: bool, at: datetime) -> None:
        """Let the feed follow what the account did, or not."""
        if personalised != self.personalised:
            self.trigger(
                PersonalisationSwitched, at, account_id=self.account_id, personalised=personalised
            )

    def forget_history(self, *, at: datetime) -> None:
        """Let what was watched and liked until now say nothing of the account's taste."""
        self.trigger(HistoryForgotten, at, account_id=self.account_id)

    def evolve(self, event: SteeringEvent) -> None:  # noqa: C901 - one arm an event
        match event:
            case SteeringBegun():
                pass  # __init__ took its fields.
            case RuleAdded():
                rule = str(event.rule_id)
                self._subjects[rule] = _wish(event).subject
                self._kinds[rule] = event.kind
                self._strengths[rule], self._ends[rule] = event.strength, _text(event.expires_at)
            case RuleChanged():
                rule = str(event.rule_id)
                self._strengths[rule], self._ends[rule] = event.strength, _text(event.expires_at)
            case RuleRemoved():
                for rules in (self._subjects, self._kinds, self._strengths, self._ends):
                    rules.pop(str(event.rule_id), None)
            case SteeringReset():
                for rules in (self._subjects, self._kinds, self._strengths, self._ends):
                    rules.clear()
                self._less.clear()
            case LessAsked():
                self._less[str(event.video_id)] = True
            case LessTakenBack():
                self._less.pop(str(event.video_id), None)
            case PersonalisationSwitched():
                self.personalised = event.personalised
            case HistoryForgotten():
                pass  # It matters to who folds the history.
            case _:
                assert_never(event)

    def _add(self, wish: Wish, at: datetime) -> UUID:
        same = [rule for rule, subject in self._subjects.items() if subject == wish.subject]
        for rule in same:
            if self._kinds[rule] == wish.kind and not self._has_ended(rule, at):
                kept = UUID(rule)
                self.change(kept, strength=wish.strength, expires_at=wish.expires_at, at=at)
                return kept
            self.remove(UUID(rule), at=at)
        self.trigger(
            RuleAdded,
            at,
            account_id=self.account_id,
            rule_id=wish.rule_id,
            kind=wish.kind,
            about=wish.about,
            terms=wish.terms,
            author_id=wish.author_id,
            strength=wish.strength,
            expires_at=wish.expires_at,
            said=wish.said,
        )
        return wish.rule_id

    def _has_ended(self, rule: str, at: datetime) -> bool:
        return bool(self._ends[rule]) and datetime.fromisoformat(self._ends[rule]) <= at


def _wish(event: RuleAdded) -> Wish:
    return Wish(
        event.rule_id,
        event.kind,
        event.about,
        event.terms,
        event.author_id,
        event.strength,
        event.expires_at,
        event.said,
    )


def _text(end: datetime | None) -> str:
    return end.isoformat() if end else ""


def _require_sound(strength: int, expires_at: datetime | None, at: datetime) -> None:
    if not 1 <= strength <= STRENGTH_MAX:
        raise SteeringRuleInvalid(f"A rule has a strength of 1 to {STRENGTH_MAX}.")
    if expires_at is not None and expires_at <= at:
        raise SteeringRuleInvalid("A rule ends in the future, if it ends.")
    if expires_at is not None and expires_at > at + LASTS_MAX:
        raise SteeringRuleInvalid("A rule ends within ten years, if it ends.")
