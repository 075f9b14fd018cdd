"""What the writers of a campaign do: commands of the real domain, decided on what was just read."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.aggregate import Aggregate
from domain.cameo.aggregate import Cameo
from domain.cameo.consent import Relation, rule_on
from domain.generation.aggregate import Generation
from domain.generation.recipe import Recipe
from domain.identity import named
from domain.reaction.aggregate import Reaction
from myriorama.store.identity import new_id
from myriorama.store.log import Log
from myriorama.store.mapper import JSONMapper
from myriorama.studio.procedural import CAPABILITIES

CAMEOS = tuple(named("crash cameo", number) for number in range(12))
ACCOUNTS = tuple(named("crash account", number) for number in range(6))
VIDEOS = tuple(named("crash video", number) for number in range(40))
_STRANGERS = Relation(blocked=False, mutual=False)


class Story(NamedTuple):
    """What a command would record, and the versions that it rests on."""

    events: Sequence[StoredEvent]
    expect: Mapping[UUID, int]


class Teller:
    """Makes up commands, by a seed; what they are decided on is read from the log."""

    def __init__(self, log: Log, seed: str) -> None:
        self._log = log
        self._mapper = JSONMapper()
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def tell(self) -> Story | None:
        """Decide the next command; None if it would change nothing."""
        (kind,) = self._random.choices(
            (self._react, self._react_to_several, self._cast, self._change_terms, self._react_anew),
            (30, 10, 30, 15, 15),
        )
        return kind()

    def _react(self) -> Story | None:
        return self._story(self._reaction())

    def _react_to_several(self) -> Story | None:
        reactions = {r.id: r for r in (self._reaction() for _ in range(3))}
        return self._story(*reactions.values())

    def _react_anew(self) -> Story | None:
        """React to what nobody has reacted to: a command that nothing can be in the way of."""
        reaction = Reaction.start(self._random.choice(ACCOUNTS), new_id(), at=_now())
        reaction.like(at=_now())
        return self._story(reaction)

    def _reaction(self) -> Reaction:
        account, video = self._random.choice(ACCOUNTS), self._random.choice(VIDEOS)
        reaction = self._log.find(Reaction, Reaction.identify(account, video))
        reaction = reaction or Reaction.start(account, video, at=_now())
        turn = reaction.unlike if reaction.liked else reaction.like
        turn(at=_now())
        return reaction

    def _cast(self) -> Story | None:
        """Ask for a video with cameos, if all of them may be cast by what has been read."""
        account = self._random.choice(ACCOUNTS)
        expect: dict[UUID, int] = {}
        for cameo_id in self._random.sample(CAMEOS, self._random.randint(1, 2)):
            cameo = self._log.find(Cameo, cameo_id)
            if cameo is None:
                return None
            ruling = rule_on(cameo.terms(account), _STRANGERS, account_id=account, at=_now())
            if ruling.verdict != "allow":
                return None
            expect[cameo_id] = cameo.version
        recipe = Recipe(
            prompt="a red ball bounces on the beach",
            seconds=2,
            orientation="square",
            resolution="480p",
            seed=1,
            model=CAPABILITIES.model,
            cameo_ids=tuple(expect),
        )
        generation = Generation.request(
            new_id(), recipe, account_id=account, capabilities=CAPABILITIES, at=_now()
        )
        return self._story(generation, expect=expect)

    def _change_terms(self) -> Story | None:
        cameo_id, owner = self._random.choice(CAMEOS), ACCOUNTS[0]
        cameo = self._log.find(Cameo, cameo_id)
        if cameo is None:
            cameo = Cameo.record(
                cameo_id,
                owner_id=owner,
                name="Alice",
                audience="everyone",
                face_upload_id=named("crash upload", cameo_id),
                voice_upload_id=None,
                face_key="uploads/face",
                voice_key=None,
                voice_pitch_hz=None,
                at=_now(),
            )
            return self._story(cameo)
        account = self._random.choice(ACCOUNTS[1:])
        match self._random.randrange(4):
            case 0:
                cameo.deny_permission(account, expires_at=None, by=owner, at=_now())
            case 1:
                cameo.grant_permission(account, expires_at=None, by=owner, at=_now())
            case 2:
                cameo.clear_permission(account, by=owner, at=_now())
            case _:
                audience = "approved" if cameo.audience == "everyone" else "everyone"
                cameo.change_audience(audience, by=owner, at=_now())
        return self._story(cameo)

    def _story(
        self, *aggregates: Aggregate, expect: Mapping[UUID, int] | None = None
    ) -> Story | None:
        events = [event for aggregate in aggregates for event in aggregate.collect_events()]
        stored = [self._mapper.to_stored_event(event) for event in events]
        return Story(stored, expect or {}) if stored else None


def _now() -> datetime:
    return datetime.now(UTC)
