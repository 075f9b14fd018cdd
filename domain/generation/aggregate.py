"""The rules of a generation: how it waits, runs and ends, and that it always does."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.generation.contest import Contest
from domain.generation.errors import (
    AttemptStale,
    DraftNotFound,
    GenerationEnded,
    GenerationNotFound,
    GenerationNotWaiting,
    OwnAppeal,
)
from domain.generation.events import (
    AppealDecided,
    AttemptFailed,
    DraftDiscarded,
    GenerationAppealed,
    GenerationCancelled,
    GenerationCompleted,
    GenerationDispatched,
    GenerationEvent,
    GenerationFailed,
    GenerationRefused,
    GenerationRequested,
    GenerationScreened,
    GenerationStarted,
    LeaseExpired,
    LeaseExtended,
)
from domain.generation.models import Capabilities
from domain.generation.recipe import Recipe
from domain.generation.shapes import Size, classify
from domain.generation.states import LIVE, WITHOUT_VIDEO
from domain.generation.stitching import stitched
from domain.generation.work import Delivery, Verdict

ATTEMPTS_MAX = 2
RUN_MAX = timedelta(hours=1)
"""A lease is not extended beyond this: a worker that is alive but stuck loses its work too."""


class Generation(Aggregate):
    """One request: queued, dispatched, running, and then ended for good.

    Only an appeal begins it again, or lets out what came of it. `attempt` is the fencing token:
    the number of the last dispatch, 0 before the first.
    """

    TOPIC = "generation"

    # Out of the first event, which has a field for each part of the recipe.
    account_id: UUID
    recipe: Recipe
    size: Size

    def __init__(self) -> None:
        self.state = "queued"
        self.attempt = 0
        self.worker: str | None = None
        self.started_at: datetime | None = None
        self.lease_expires_at: datetime | None = None
        self.completed: GenerationCompleted | None = None
        self.contest = Contest()

    @classmethod
    def request(
        cls,
        generation_id: UUID,
        recipe: Recipe,
        *,
        account_id: UUID,
        capabilities: Capabilities,
        at: datetime,
    ) -> Self:
        """Ask for a video.

        Raises:
            PromptInvalid, LengthInvalid, SeedInvalid, CameosInvalid, StoryboardInvalid,
            ExtensionInvalid: as they say.
            ModelCannot: the model does not render that.
        """
        recipe.require_sound()
        recipe.require_possible(capabilities)
        work_class = _work_class(recipe)
        return cls._begin_with(
            generation_id,
            recipe,
            account_id=account_id,
            size=capabilities.sizes[recipe.orientation, recipe.resolution],
            work_class=work_class,
            estimate_ms=capabilities.gpu_ms_per_second[work_class] * recipe.rendered_seconds,
            at=at,
        )

    @classmethod
    def stitch(
        cls,
        generation_id: UUID,
        parts: "Sequence[Generation]",
        *,
        account_id: UUID,
        remake_of: UUID | None,
        at: datetime,
    ) -> Self:
        """Ask for finished videos to be joined, in order. No model is needed for it.

        Who is in one of the parts is in the whole, and what the parts remix it remixes.

        Raises:
            StitchInvalid: too few, too many, too long, or of several sizes.
            RemixAmbiguous: they remix several videos.
        """
        parts_of = [(part.id, part.recipe, part.size) for part in parts]
        recipe = stitched(parts_of, remake_of=remake_of)
        return cls._begin_with(
            generation_id,
            recipe,
            account_id=account_id,
            size=parts[0].size,
            work_class="plain",
            estimate_ms=0,
            at=at,
        )

    @property
    def is_live(self) -> bool:
        """Whether it waits or runs, and so will still end."""
        return self.state in LIVE

    @property
    def keeps_seconds(self) -> bool:
        """Whether what it took of the allowance stays taken.

        What was rendered and then refused does, until that is overturned.
        """
        is_made = self.state not in WITHOUT_VIDEO or self.completed is not None
        return is_made and not self.contest.is_overturned

    def dispatch(self, *, at: datetime) -> None:
        """Hand the next attempt to a queue. One that is not waiting for that stays as it is."""
        if self.state == "queued":
            self.trigger(GenerationDispatched, at, attempt=self.attempt + 1)

    def claim(self, worker: str, attempt: int, *, lease: timedelta, at: datetime) -> None:
        """Give a dispatched attempt to one worker. To claim again what one has records nothing.

        Raises:
            GenerationEnded: it was cancelled, say.
            AttemptStale: the command is of another attempt.
            GenerationNotWaiting: another worker has it, or it is not dispatched.
        """
        self._require_live()
        if attempt != self.attempt:
            raise AttemptStale("The command is of another attempt.")
        if self.state == "running" and worker == self.worker:
            return
        if self.state != "dispatched":
            raise GenerationNotWaiting("Another worker has it, or its turn has not come.")
        self.trigger(
            GenerationStarted, at, attempt=attempt, worker=worker, lease_expires_at=at + lease
        )

    def extend(self, attempt: int, *, lease: timedelta, at: datetime) -> bool:
        """Keep the attempt. Recorded only when less than half of the lease is left.

        Returns:
            Whether to go on: False once the person has cancelled, or a rule has refused.

        Raises:
            AttemptStale: the work was given to another, or has ended.
        """
        if self.state in {"cancelled", "refused"} and attempt == self.attempt:
            return False
        self._require_running(attempt)
        until = min(at + lease, (self.started_at or at) + RUN_MAX)
        left = (self.lease_expires_at or at) - at
        if left < lease / 2 and until > (self.lease_expires_at or at):
            self.trigger(LeaseExtended, at, attempt=attempt, lease_expires_at=until)
        return True

    def expire(self, *, at: datetime) -> None:
        """Take the work from a worker that fell silent; nothing while its lease lasts."""
        if self.state != "running" or self.lease_expires_at is None or at < self.lease_expires_at:
            return
        attempt = self.attempt
        self.trigger(LeaseExpired, at, attempt=attempt)
        if attempt >= ATTEMPTS_MAX:
            detail = "No worker finished it; the last one fell silent."
            self.trigger(
                GenerationFailed, at, attempt=attempt, reason="lease_expired", detail=detail
            )

    def fail(self, attempt: int, *, reason: str, detail: str, at: datetime) -> None:
        """Give an attempt up: the next one waits, or the generation has failed.

        Raises:
            AttemptStale: the work was given to another, or has ended.
        """
        self._require_running(attempt)
        event = AttemptFailed if attempt < ATTEMPTS_MAX else GenerationFailed
        self.trigger(event, at, attempt=attempt, reason=reason, detail=detail)

    def complete(self, attempt: int, delivery: Delivery, *, at: datetime) -> None:
        """Deliver the video as a private draft, or to nobody if a check refuses it. Once.

        Raises:
            GenerationEnded: it ended otherwise.
            AttemptStale: the work was given to another.
        """
        done = self.completed
        if done and (done.attempt, done.sha256) == (attempt, delivery.sha256):
            return
        self._require_live()
        self._require_running(attempt)
        made = vars(delivery).copy()
        verdicts: Sequence[Verdict] = made.pop("verdicts")
        size_bytes = made.pop("size_bytes")
        # What is refused is refused before it is there: it is a draft at no moment.
        self._judge(verdicts, at=at)
        self.trigger(GenerationCompleted, at, attempt=attempt, bytes=size_bytes, **made)

    def screen(self, verdicts: Sequence[Verdict], *, at: datetime) -> None:
        """Record what the checks say of the prompt; the first that refuses ends it.

        Raises:
            GenerationEnded: it has ended.
        """
        self._require_live()
        self._judge(verdicts, at=at)

    def appeal(self, statement: str, *, by: UUID, at: datetime) -> None:
        """Ask for somebody to look at the refusal. Again, while nobody has, records nothing.

        Raises:
            GenerationNotFound: it is not `by`'s.
            StatementInvalid: it is empty, too long, or cannot be read.
            AppealImpossible: no check refused it, or the refusal was appealed before.
        """
        self.require_owner(by)
        if self.contest.require_appealable(statement, is_refused=self.state == "refused"):
            self.trigger(GenerationAppealed, at, statement=statement)

    def decide_appeal(self, *, by: UUID, overturned: bool, note: str, at: datetime) -> None:
        """Let the refusal stand or fall. The same again records nothing.

        A video that is there becomes a draft. If there is none, it waits to be made after all.

        Raises:
            AppealNotOpen: nobody waits for it, or it was decided otherwise.
            OwnAppeal: `by` asked for the generation.
            StatementInvalid: the note is empty, too long, or cannot be read.
        """
        if by == self.account_id:
            raise OwnAppeal("Somebody else decides on this appeal.")
        if self.contest.require_decidable(note, overturned=overturned):
            self.trigger(AppealDecided, at, by=by, overturned=overturned, note=note)

    def refuse(self, *, reason: str, detail: str, at: datetime) -> None:
        """End it because a rule does not let it go on.

        Raises:
            GenerationEnded: it has ended.
        """
        self._require_live()
        self.trigger(GenerationRefused, at, reason=reason, detail=detail)

    def cancel(self, *, by: UUID, at: datetime) -> None:
        """End it because the person does not want it any more. Again records nothing.

        Raises:
            GenerationNotFound: it is not `by`'s.
            GenerationEnded: it ended otherwise.
        """
        self.require_owner(by)
        if self.state != "cancelled":
            self._require_live()
            self.trigger(GenerationCancelled, at)

    def require_owner(self, by: UUID) -> None:
        """Let pass who asked for it; others may not know of it."""
        if by != self.account_id:
            raise GenerationNotFound("There is no such generation.")

    def require_draft(self, *, by: UUID) -> GenerationCompleted:
        """Return the video that may be published, with its files.

        Raises:
            DraftNotFound: it is somebody else's, not finished, or discarded.
        """
        if by != self.account_id or self.state != "completed" or self.completed is None:
            raise DraftNotFound("There is no such draft.")
        return self.completed

    def discard(self, *, by: UUID, at: datetime) -> None:
        """Throw the draft away. Again records nothing.

        Raises:
            DraftNotFound: it is somebody else's, or not finished.
        """
        if by == self.account_id and self.state == "discarded":
            return
        self.require_draft(by=by)
        self.trigger(DraftDiscarded, at)

    def evolve(self, event: GenerationEvent) -> None:  # noqa: C901, PLR0912 - one case an event
        match event:
            case GenerationRequested():
                self.account_id, self.recipe = event.account_id, _recipe(event)
                self.size = Size(event.width, event.height)
            case GenerationDispatched():
                self.state, self.attempt = "dispatched", event.attempt
            case GenerationStarted():
                self.state, self.worker = "running", event.worker
                self.started_at, self.lease_expires_at = event.timestamp, event.lease_expires_at
            case LeaseExtended():
                self.lease_expires_at = event.lease_expires_at
            case LeaseExpired() | AttemptFailed():
                self.state, self.worker, self.lease_expires_at = "queued", None, None
            case GenerationCompleted():
                self.completed = event
                self.state = "completed" if self.state == "running" else self.state
            case GenerationFailed():
                self.state = "failed"
            case GenerationRefused():
                self.state = "refused"
            case GenerationScreened() | GenerationAppealed():
                self.contest = self.contest.after(event)
            case AppealDecided():
                self.contest = self.contest.after(event)
                if event.overturned:
                    self.state = "completed" if self.completed else "queued"
            case GenerationCancelled():
                self.state = "cancelled"
            case DraftDiscarded():
                self.state = "discarded"
            case _:
                assert_never(event)

    @classmethod
    def _begin_with(  # noqa: PLR0913 - what is known of a request beside its recipe
        cls,
        generation_id: UUID,
        recipe: Recipe,
        *,
        account_id: UUID,
        size: Size,
        work_class: str,
        estimate_ms: int,
        at: datetime,
    ) -> Self:
        return cls.begin(
            GenerationRequested,
            generation_id,
            at,
            account_id=account_id,
            width=size.width,
            height=size.height,
            work_class=work_class,
            estimate_ms=estimate_ms,
            **vars(recipe),
        )

    def _judge(self, verdicts: Sequence[Verdict], *, at: datetime) -> None:
        for verdict in verdicts:
            said = {name: value for name, value in vars(verdict).items() if name != "words"}
            self.trigger(GenerationScreened, at, **said)
        refusing = [verdict for verdict in verdicts if verdict.verdict == "refuse"]
        if refusing:
            first = refusing[0]
            self.trigger(GenerationRefused, at, reason=first.code, detail=first.words)

    def _require_live(self) -> None:
        if not self.is_live:
            raise GenerationEnded(f"The generation has ended: it is {self.state}.")

    def _require_running(self, attempt: int) -> None:
        if self.state != "running" or attempt != self.attempt:
            raise AttemptStale("The work was given to another, or has ended.")


def _recipe(event: GenerationRequested) -> Recipe:
    return Recipe(**{field.name: getattr(event, field.name) for field in fields(Recipe)})


def _work_class(recipe: Recipe) -> str:
    return classify(
        cameo_ids=recipe.cameo_ids, seconds=recipe.seconds, resolution=recipe.resolution
    )
