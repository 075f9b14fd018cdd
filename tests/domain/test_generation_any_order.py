"""Whatever the order of commands: a generation ends, once, and its seconds are accounted for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.allowance.aggregate import Allowance
from domain.allowance.errors import AllowanceExhausted
from domain.allowance.limit import Limit
from domain.errors import DomainError
from domain.generation.aggregate import ATTEMPTS_MAX, Generation
from domain.generation.events import GenerationCompleted
from tests.domain.generations import MODERATOR, NOON, NUDE, REFUSED, VIDEO, requested

ALICE = uuid4()
LEASE = timedelta(seconds=30)
LIMIT = Limit(seconds=30, window=timedelta(hours=10))
ENDS = frozenset({"completed", "failed", "refused", "cancelled", "discarded"})
KEEPS = frozenset({"queued", "dispatched", "running", "completed", "discarded"})

picks = st.integers(0, 5)
attempts = st.integers(0, ATTEMPTS_MAX + 1)


class Studio(RuleBasedStateMachine):
    """Some generations of one account, with commands of people, workers and the dispatcher."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.allowance = Allowance.open(ALICE, at=NOON)
        self.generations: list[Generation] = []
        self.ended: dict[UUID, str] = {}
        self.holder: dict[UUID, tuple[str, int]] = {}

    @rule(seconds=st.integers(2, 15))
    def ask(self, seconds: int) -> None:
        generation = requested(account_id=ALICE, seconds=seconds)
        if self.allowance.reset_s(seconds, LIMIT, at=self.now):
            with pytest.raises(AllowanceExhausted):
                self.allowance.spend(generation.id, seconds, LIMIT, at=self.now)
        else:
            self.allowance.spend(generation.id, seconds, LIMIT, at=self.now)
            self.generations.append(generation)

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(pick=picks)
    def dispatch(self, pick: int) -> None:
        self.command(pick, lambda g: g.dispatch(at=self.now))

    @rule(pick=picks, worker=st.sampled_from(["w1", "w2"]), attempt=attempts)
    def claim(self, pick: int, worker: str, attempt: int) -> None:
        self.command(pick, lambda g: g.claim(worker, attempt, lease=LEASE, at=self.now))

    @rule(pick=picks, attempt=attempts)
    def beat(self, pick: int, attempt: int) -> None:
        self.command(pick, lambda g: g.extend(attempt, lease=LEASE, at=self.now))

    @rule(pick=picks)
    def expire(self, pick: int) -> None:
        self.command(pick, lambda g: g.expire(at=self.now))

    @rule(pick=picks, attempt=attempts)
    def fail(self, pick: int, attempt: int) -> None:
        self.command(pick, lambda g: g.fail(attempt, reason="x", detail="", at=self.now))

    @rule(pick=picks, attempt=attempts)
    def complete(self, pick: int, attempt: int) -> None:
        self.command(pick, lambda g: g.complete(attempt, VIDEO, at=self.now))

    @rule(pick=picks, attempt=attempts)
    def complete_what_is_refused(self, pick: int, attempt: int) -> None:
        delivery = replace(VIDEO, verdicts=(NUDE,))
        self.command(pick, lambda g: g.complete(attempt, delivery, at=self.now))

    @rule(pick=picks)
    def screen(self, pick: int) -> None:
        self.command(pick, lambda g: g.screen([REFUSED], at=self.now))

    @rule(pick=picks)
    def appeal(self, pick: int) -> None:
        self.command(pick, lambda g: g.appeal("But why?", by=ALICE, at=self.now))

    @rule(pick=picks, overturned=st.booleans())
    def decide(self, pick: int, overturned: bool) -> None:  # noqa: FBT001 - hypothesis names it
        def decide(generation: Generation) -> None:
            generation.decide_appeal(by=MODERATOR, overturned=overturned, note="Seen.", at=self.now)
            if overturned and generation.contest.is_overturned:
                self.ended.pop(generation.id, None)  # It may end otherwise now.

        self.command(pick, decide)

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        self.command(pick, lambda g: g.cancel(by=ALICE, at=self.now))

    @rule(pick=picks)
    def refuse(self, pick: int) -> None:
        self.command(pick, lambda g: g.refuse(reason="x", detail="", at=self.now))

    @rule(pick=picks)
    def discard(self, pick: int) -> None:
        self.command(pick, lambda g: g.discard(by=ALICE, at=self.now))

    def command(self, pick: int, command: Callable[[Generation], object]) -> None:
        """Do what the write side does: command, then give back what did not come to be."""
        if not self.generations:
            return
        generation = self.generations[pick % len(self.generations)]
        attempt_before, state_before = generation.attempt, generation.state
        try:
            command(generation)
        except DomainError:
            assert (generation.attempt, generation.state) == (attempt_before, state_before)
        if not generation.keeps_seconds:
            self.allowance.give_back(generation.id, at=self.now)
        for event in generation.collect_events():
            if isinstance(event, GenerationCompleted):
                assert (state_before, event.attempt) == ("running", attempt_before)
        if generation.state == "completed":
            assert generation.require_draft(by=ALICE).attempt == generation.attempt

    @invariant()
    def spent_is_what_lives_or_was_delivered(self) -> None:
        kept = sum(
            g.recipe.seconds
            for g in self.generations
            if (g.state in KEEPS or g.completed) and not g.contest.is_overturned
        )
        assert self.allowance.spent(LIMIT, at=self.now) == kept <= LIMIT.seconds

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        for generation in self.generations:
            before = self.ended.get(generation.id)
            if before and before != generation.state:
                assert (before, generation.state) == ("completed", "discarded")
            if generation.state in ENDS:
                self.ended[generation.id] = generation.state

    @invariant()
    def attempts_are_bounded(self) -> None:
        assert all(g.attempt <= ATTEMPTS_MAX for g in self.generations)

    def teardown(self) -> None:
        """With a dispatcher that goes on and no worker that answers, everything ends."""
        for generation in self.generations:
            for _ in range(ATTEMPTS_MAX + 1):
                generation.dispatch(at=self.now)
                if generation.state == "dispatched":
                    generation.claim("silent", generation.attempt, lease=LEASE, at=self.now)
                self.now += LEASE * 2
                generation.expire(at=self.now)
            assert generation.state in ENDS


TestAnyOrder = Studio.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
