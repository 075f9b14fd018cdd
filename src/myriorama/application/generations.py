"""Commands of people on generations: ask for one, make it again, cancel it, discard its draft."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.allowance.aggregate import Allowance
from domain.allowance.events import AllowanceSpent
from domain.allowance.limit import Limit
from domain.generation.aggregate import Generation
from domain.generation.errors import DraftNotFound, GenerationNotFound, TooManyInFlight
from domain.generation.events import GenerationRequested
from domain.generation.models import Capabilities, ModelUnknown
from domain.generation.recipe import SEED_MAX, Recipe, rerolled
from domain.generation.states import LIVE
from domain.generation.wish import Wish, possible_seconds, recipe_of
from domain.generation.work import Verdict
from domain.video.aggregate import Video
from myriorama.application.allowances import Remaining, remaining
from myriorama.application.consent import Consent
from myriorama.application.relations import joined
from myriorama.application.sources import Sources
from myriorama.store.front import rows
from myriorama.store.identity import new_id, new_secret
from myriorama.store.log import Log, retried
from myriorama.store.postgres import Pool

_LIVE_OR_SPENT = """
    SELECT generation_id, state FROM generations
    WHERE account_id = %s AND generation_id <> %s AND (state = ANY(%s) OR generation_id = ANY(%s))
"""

_IN_FLIGHT_RETRY_S = 5
_READ_SIDE_LATE_MAX = timedelta(hours=1)


@dataclass(frozen=True)
class Submitted:
    """What became of a request: it is queued, or refused for a `reason`, by its stable code.

    `model` and `seconds` are of its recipe.
    """

    generation_id: UUID
    state: str
    reason: str | None
    model: str
    seconds: int


@dataclass(frozen=True)
class Cost:
    """What a request would take if it were made now, `purchased` of its seconds of the balance."""

    seconds: int
    purchased: int
    work_class: str
    estimate_ms: int
    left: Remaining


class _Decided(NamedTuple):
    """A request that may be recorded, and what that rests on."""

    generation: Generation
    allowance: Allowance
    read: Mapping[UUID, int]


class Generations:
    """What people ask the studio for, within their allowance."""

    def __init__(  # noqa: PLR0913 - what the rules of a request rest on
        self,
        log: Log,
        pool: Pool,
        consent: Consent,
        *,
        models: Mapping[str, Capabilities],
        default_model: str,
        screen: Callable[[str], Sequence[Verdict]],
        limit: Limit,
        in_flight_max: int,
    ) -> None:
        self._log = log
        self._pool = pool
        self._consent = consent
        self._sources = Sources(log)
        self._models = models
        self._default_model = default_model
        self._screen = screen
        self._limit = limit
        self._in_flight_max = in_flight_max

    @retried
    def request(self, wish: Wish, *, by: UUID, at: datetime) -> Submitted:
        """Ask for a video: a new one, a storyboard, an extension or a remix.

        The allowance, the consent of all cameos, the images and what it is made from are as they
        were read when it is recorded, or it is decided anew. What the screening refuses is
        recorded as refused, and takes nothing.

        Raises:
            PromptInvalid, LengthInvalid, SeedInvalid, CameosInvalid, StoryboardInvalid,
            ExtensionInvalid, ModelUnknown, ModelCannot: as they say.
            AllowanceExhausted: fewer seconds are left.
            TooManyInFlight: others of the account have to end first.
            CastingForbidden, CameoNotFound: a cameo may not be cast, or does not exist.
            UploadNotFound, UploadNotCleared, ImageUnsuitable: an image is not to be had.
            VideoNotFound, RemixingForbidden: what it remixes is hidden, or not to be remixed.
            GenerationNotFound, MasterMissing: what it extends is not there to go on from.
        """
        return self._submit(self._rendered(self._recipe(wish, by=by), by=by, at=at), at=at)

    @retried
    def remake(self, generation_id: UUID, *, by: UUID, at: datetime) -> Submitted:
        """Ask for one's own generation again, by the same recipe: it comes out the same.

        Raises:
            GenerationNotFound: there is none, or it is somebody else's.
            ModelUnknown: its model is not here any more.
            Others: as `request`.
        """
        recipe = self._own(generation_id, by=by).recipe
        if recipe.stitches:
            again = self._stitched(recipe.stitches, remake_of=generation_id, by=by, at=at)
            return self._submit(again, at=at)
        recipe = replace(recipe, remake_of=generation_id, rerolls=None)
        return self._submit(self._rendered(recipe, by=by, at=at), at=at)

    @retried
    def retake(self, generation_id: UUID, prompt: str, *, by: UUID, at: datetime) -> Submitted:
        """Ask for one's own finished video once more, by other words: all else stays as it was.

        Where no model of today's made it, because it was stitched or its model has gone, it is the
        default one's; and it lasts no longer than the model renders in one piece.

        Raises:
            GenerationNotFound, MasterMissing: there is no finished video of `by`.
            Others: as `request`.
        """
        made, _ = self._sources.made(generation_id, by=by)
        capabilities = self._capabilities_behind(made.recipe)
        recipe = replace(
            made.recipe,
            prompt=prompt,
            seconds=possible_seconds(made.recipe.seconds, capabilities),
            model=capabilities.model,
            shots=(),
            stitches=(),
            rerolls=None,
            remake_of=generation_id,
        )
        return self._submit(self._rendered(recipe, by=by, at=at), at=at)

    @retried
    def reroll(
        self, generation_id: UUID, shot: int, *, seed: int | None, by: UUID, at: datetime
    ) -> Submitted:
        """Ask for one shot of a storyboard to come out otherwise; the others stay as they are.

        Raises:
            GenerationNotFound, MasterMissing: there is no finished storyboard of `by`.
            ShotUnknown: it has no shot of that number; they count from 0.
            Others: as `request`.
        """
        made, _ = self._sources.made(generation_id, by=by)
        seed = any_seed() if seed is None else seed
        recipe = rerolled(made.recipe, shot, seed=seed, of=generation_id)
        return self._submit(self._rendered(recipe, by=by, at=at), at=at)

    @retried
    def stitch(self, generation_ids: Sequence[UUID], *, by: UUID, at: datetime) -> Submitted:
        """Ask for one's own finished videos to be joined, in order. It takes no seconds.

        Raises:
            StitchInvalid: too few, too many, too long, or of several sizes.
            RemixAmbiguous: they remix several videos.
            GenerationNotFound, MasterMissing: one of them is not there.
            CastingForbidden, TooManyInFlight: as `request`.
        """
        joint = self._stitched(generation_ids, remake_of=None, by=by, at=at)
        return self._submit(joint, at=at)

    @retried
    def cancel(self, generation_id: UUID, *, by: UUID, at: datetime) -> None:
        """Stop a generation, wherever it is, and give its seconds back. Again changes nothing.

        Raises:
            GenerationNotFound: there is none, or it is somebody else's.
            GenerationEnded: it ended otherwise.
        """
        generation = self._own(generation_id, by=by)
        generation.cancel(by=by, at=at)
        save_ending(self._log, generation, at=at)

    @retried
    def discard(self, generation_id: UUID, *, by: UUID, at: datetime) -> None:
        """Throw a draft away. Again changes nothing.

        Raises:
            DraftNotFound: there is none, or it is somebody else's, or it has been published.
        """
        generation = self._log.find(Generation, generation_id)
        video_id = Video.identify(generation_id)
        if generation is None or self._log.find(Video, video_id):
            raise DraftNotFound("There is no such draft.")
        generation.discard(by=by, at=at)
        self._log.save(generation, expect={video_id: 0})

    def cost(self, wish: Wish, *, by: UUID, at: datetime) -> Cost:
        """Return what a request would take. Nothing is screened, and nothing recorded.

        Raises:
            DomainError: what `request` would raise.
        """
        wished = self._rendered(self._recipe(wish, by=by), by=by, at=at)
        decided = self._decided(wished, at=at)
        left = remaining(decided.allowance, self._limit, at=at)
        asked = decided.generation.collect_events()[0]
        spent = decided.allowance.collect_events()[-1]
        if not isinstance(asked, GenerationRequested) or not isinstance(spent, AllowanceSpent):
            raise TypeError  # a request is recorded by these two
        return Cost(spent.seconds, spent.purchased, asked.work_class, asked.estimate_ms, left)

    def _recipe(self, wish: Wish, *, by: UUID) -> Recipe:
        of = self._sources.recipe_behind(wish, by=by)
        named = wish.model
        capabilities = self._capabilities(named) if named else self._capabilities_behind(of)
        return recipe_of(wish, of=of, capabilities=capabilities, any_seed=any_seed())

    def _rendered(self, recipe: Recipe, *, by: UUID, at: datetime) -> Generation:
        capabilities = self._capabilities(recipe.model)
        return Generation.request(new_id(), recipe, account_id=by, capabilities=capabilities, at=at)

    def _stitched(
        self, generation_ids: Sequence[UUID], *, remake_of: UUID | None, by: UUID, at: datetime
    ) -> Generation:
        parts = self._sources.all_made(generation_ids, by=by)
        return Generation.stitch(new_id(), parts, account_id=by, remake_of=remake_of, at=at)

    def _submit(self, generation: Generation, *, at: datetime) -> Submitted:
        recipe = generation.recipe
        # What is stitched has been screened in its parts.
        verdicts = () if recipe.stitches else self._screen(recipe.prompt)
        generation.screen(verdicts, at=at)
        if not generation.is_live:
            self._log.save(generation, expect=self._grounds(generation, at=at))
            code = next(each.code for each in verdicts if each.verdict == "refuse")
            return _submitted(generation, code)
        decided = self._decided(generation, at=at)
        self._log.save(generation, decided.allowance, expect=decided.read)
        return _submitted(generation, None)

    def _decided(self, generation: Generation, *, at: datetime) -> _Decided:
        read = self._grounds(generation, at=at)
        by = generation.account_id
        allowance = self._log.find(Allowance, Allowance.identify(by))
        allowance = allowance or Allowance.open(by, at=at)
        self._require_room(allowance, generation.id, at=at)
        seconds = generation.recipe.rendered_seconds
        allowance.spend(generation.id, seconds, self._limit, at=at)
        return _Decided(generation, allowance, read)

    def _grounds(self, generation: Generation, *, at: datetime) -> dict[UUID, int]:
        by, recipe = generation.account_id, generation.recipe
        consented = self._consent.require(recipe.cameo_ids, by=by, at=at)
        return joined(consented, self._sources.of(recipe, generation.size, by=by))

    def _capabilities_behind(self, of: Recipe | None) -> Capabilities:
        inherited = of.model if of and of.model in self._models else self._default_model
        return self._capabilities(inherited)

    def _capabilities(self, model: str) -> Capabilities:
        if model not in self._models:
            raise ModelUnknown(f"There is no model {model!r:.60}, but {', '.join(self._models)}.")
        return self._models[model]

    def _own(self, generation_id: UUID, *, by: UUID) -> Generation:
        generation = self._log.find(Generation, generation_id)
        if generation is None:
            raise GenerationNotFound("There is no such generation.")
        generation.require_owner(by)
        return generation

    def _require_room(self, allowance: Allowance, new: UUID, *, at: datetime) -> None:
        """Count what else is live: by the read side, and what it does not know, by the allowance.

        The read side may be late, but what it shows as ended has ended: so the count is never too
        low, and two requests at once meet at the allowance.
        """
        since = at - _READ_SIDE_LATE_MAX
        taken = [UUID(id_) for id_, spent in allowance.spendings.items() if spent.at > since]
        of = (allowance.account_id, new, list(LIVE), taken)
        states: dict[UUID, str] = dict(rows(self._pool, _LIVE_OR_SPENT, of))
        unknown = sum(generation_id not in states for generation_id in taken)
        if sum(state in LIVE for state in states.values()) + unknown >= self._in_flight_max:
            raise TooManyInFlight(
                f"{self._in_flight_max} of your generations wait or run; let one of them end.",
                reset_s=_IN_FLIGHT_RETRY_S,
            )


def any_seed() -> int:
    """Return a seed that nobody foresees."""
    return int.from_bytes(new_secret()) % (SEED_MAX + 1)


def save_ending(log: Log, generation: Generation, *, at: datetime) -> int | None:
    """Save a generation, and with it, if it does not keep them, its seconds to the allowance.

    Returns:
        Where the last event stands; None if nothing happened.

    Raises:
        LostRace: another command was first.
    """
    if generation.keeps_seconds:
        return log.save(generation).position
    allowance = log.find(Allowance, Allowance.identify(generation.account_id))
    if allowance is None:
        return log.save(generation).position
    allowance.give_back(generation.id, at=at)
    return log.save(generation, allowance).position


def _submitted(generation: Generation, reason: str | None) -> Submitted:
    recipe = generation.recipe
    return Submitted(generation.id, generation.state, reason, recipe.model, recipe.seconds)
