"""Commands on what an account says of its feed: steer it, see less, forget."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.account.aggregate import Handle
from domain.account.errors import HandleInvalid
from domain.steering.aggregate import Steering, Wish
from myriorama.application.relations import visible_video
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried
from ranking.steering.said import Asked, Missed, Said


class Steered(NamedTuple):
    """The rules that a text became, under the IDs that they are kept by, and what became none."""

    rules: Sequence[Wish]
    not_understood: Sequence[Missed]


class Edit(NamedTuple):
    """What is to be different of a rule; an end of None is none, unless the rule `keeps_end`."""

    strength: int | None
    expires_at: datetime | None
    keeps_end: bool


class Strength(NamedTuple):
    """How strong a rule is, and until when, as it is now."""

    strength: int
    expires_at: datetime | None


class Steerings:
    """What people say of their feeds. What changes nothing records nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def steer(self, said: Said, *, by: UUID, at: datetime) -> Steered:
        """Take on the rules that somebody said, but for those about people that nobody knows.

        Raises:
            TooManySteeringRules: the account has as many as it may have.
        """
        wishes, missed = list[Wish](), list(said.not_understood)
        for asked in said.rules:
            wish = self._wish(asked)
            if wish is None:
                missed.append(Missed(asked.said, "unknown_account"))
            else:
                wishes.append(wish)
        if not wishes:
            return Steered((), missed)
        steering = self._started(by, at)
        kept = steering.add(wishes, at=at)
        self._log.save(steering)
        rules = [replace(wish, rule_id=kept_as) for wish, kept_as in zip(wishes, kept, strict=True)]
        return Steered(rules, missed)

    @retried
    def change(self, rule_id: UUID, edit: Edit, *, by: UUID, at: datetime) -> Strength:
        """Make a rule weaker or stronger, or let it end at another time; return what it is now.

        Raises:
            SteeringRuleNotFound: `by` has no such rule, or it has ended.
            SteeringRuleInvalid: it would be too weak, too strong or over already.
        """
        steering = self._started(by, at)
        now = Strength(
            steering.strength_of(rule_id) if edit.strength is None else edit.strength,
            steering.end_of(rule_id) if edit.keeps_end else edit.expires_at,
        )
        steering.change(rule_id, strength=now.strength, expires_at=now.expires_at, at=at)
        self._log.save(steering)
        return now

    @retried
    def remove(self, rule_id: UUID, *, by: UUID, at: datetime) -> None:
        """Take one rule back. Again changes nothing."""
        if steering := self._find(by):
            steering.remove(rule_id, at=at)
            self._log.save(steering)

    @retried
    def reset(self, *, by: UUID, at: datetime) -> None:
        """Take back all rules, and all that less was asked of."""
        if steering := self._find(by):
            steering.reset(at=at)
            self._log.save(steering)

    @retried
    def ask_less(self, video_id: UUID, *, by: UUID, at: datetime) -> None:
        """Ask for less like a video. Again changes nothing.

        Raises:
            VideoNotFound: there is none, or `by` may not see it.
        """
        _, read = visible_video(self._log, video_id, to=by)
        steering = self._started(by, at)
        steering.ask_less(video_id, at=at)
        self._log.save(steering, expect=read)

    @retried
    def take_less_back(self, video_id: UUID, *, by: UUID, at: datetime) -> None:
        """Ask for less like a video no longer, whether it may still be seen or not."""
        if steering := self._find(by):
            steering.take_less_back(video_id, at=at)
            self._log.save(steering)

    @retried
    def personalise(self, *, personalised: bool, by: UUID, at: datetime) -> None:
        """Let a feed follow what its owner did, or know nothing of it."""
        steering = self._started(by, at)
        steering.switch_personalisation(personalised=personalised, at=at)
        self._log.save(steering)

    @retried
    def forget_history(self, *, by: UUID, at: datetime) -> None:
        """Let what somebody watched and liked until now say nothing of their taste."""
        steering = self._started(by, at)
        steering.forget_history(at=at)
        self._log.save(steering)

    def _wish(self, asked: Asked) -> Wish | None:
        """Return what is to be recorded, or None if it is about somebody whom nobody knows."""
        author_id = None
        if asked.about == "author":
            author_id = self._account_id(asked.terms[0])
            if author_id is None:
                return None
        return Wish(
            rule_id=new_id(),
            kind=asked.kind,
            about=asked.about,
            terms=asked.terms,
            author_id=author_id,
            strength=asked.strength,
            expires_at=asked.expires_at,
            said=asked.said,
        )

    def _account_id(self, handle: str) -> UUID | None:
        try:
            claim = self._log.find(Handle, Handle.identify(handle))
        except HandleInvalid:
            return None
        return claim.account_id if claim else None

    def _find(self, account_id: UUID) -> Steering | None:
        return self._log.find(Steering, Steering.identify(account_id))

    def _started(self, account_id: UUID, at: datetime) -> Steering:
        return self._find(account_id) or Steering.start(account_id, at=at)
