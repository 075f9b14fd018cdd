"""Commands of people on generations: ask for one, cancel it, discard its draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.allowance.aggregate import Allowance
from domain.allowance.events import AllowanceSpent
from domain.allowance.limit import Limit
from domain.generation.aggregate import Generation
from domain.generation.errors import (
    DraftNotFound,
    GenerationNotFound,
    ImageUnsuitable,
    TooManyInFlight,
)
from domain.generation.events import GenerationRequested
from domain.generation.models import Capabilities
from domain.generation.recipe import SEED_MAX, Recipe
from domain.generation.states import LIVE
from domain.upload.aggregate import Upload
from domain.upload.errors import UploadNotFound
from domain.video.aggregate import Video
from myriorama.application.allowances import Remaining, remaining
from myriorama.application.consent import Consent
from myriorama.application.relations import joined, visible_video
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
class Wish:
    """What a person asks for. Without a seed one is chosen."""

    prompt: str
    seconds: int
    orientation: str
    resolution: str
    image_upload_id: UUID | None = None
    cameo_ids: Sequence[UUID] = ()
    seed: int | None = None
    remix_of: UUID | None = None


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
        limit: Limit,
        in_flight_max: int,
    ) -> None:
        self._log = log
        self._pool = pool
        self._consent = consent
        self._models = models
        self._default_model = default_model
        self._limit = limit
        self._in_flight_max = in_flight_max

    @retried
    def request(self, wish: Wish, *, by: UUID, at: datetime) -> UUID:
        """Ask for a video; return the generation's ID.

        The allowance, the consent of all cameos, the image and what is remixed are as they were
        read when it is recorded, or it is decided anew.

        Raises:
            PromptInvalid, LengthInvalid, SeedInvalid, CameosInvalid, ModelCannot: as they say.
            AllowanceExhausted: fewer seconds are left.
            TooManyInFlight: others of the account have to end first.
            CastingForbidden, CameoNotFound: a cameo may not be cast, or does not exist.
            UploadNotFound, UploadNotCleared, ImageUnsuitable: the image is not to be had.
            VideoNotFound, RemixingForbidden: what it remixes is hidden, or not to be remixed.
        """
        decided = self._decided(wish, by=by, at=at)
        self._log.save(decided.generation, decided.allowance, expect=decided.read)
        return decided.generation.id

    @retried
    def cancel(self, generation_id: UUID, *, by: UUID, at: datetime) -> None:
        """Stop a generation, wherever it is, and give its seconds back. Again changes nothing.

        Raises:
            GenerationNotFound: there is none, or it is somebody else's.
            GenerationEnded: it ended otherwise.
        """
        generation = self._log.find(Generation, generation_id)
        if generation is None:
            raise GenerationNotFound("There is no such generation.")
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
        """Return what a request would take. Nothing is recorded.

        Raises:
            DomainError: what `request` would raise.
        """
        decided = self._decided(wish, by=by, at=at)
        left = remaining(decided.allowance, self._limit, at=at)
        asked = decided.generation.collect_events()[0]
        spent = decided.allowance.collect_events()[-1]
        if not isinstance(asked, GenerationRequested) or not isinstance(spent, AllowanceSpent):
            raise TypeError  # a request is recorded by these two
        return Cost(spent.seconds, spent.purchased, asked.work_class, asked.estimate_ms, left)

    def _decided(self, wish: Wish, *, by: UUID, at: datetime) -> _Decided:
        recipe = Recipe(
            prompt=wish.prompt,
            seconds=wish.seconds,
            orientation=wish.orientation,
            resolution=wish.resolution,
            seed=_any_seed() if wish.seed is None else wish.seed,
            model=self._default_model,
            image_upload_id=wish.image_upload_id,
            cameo_ids=tuple(wish.cameo_ids),
            remix_of=wish.remix_of,
        )
        generation = Generation.request(
            new_id(),
            recipe,
            account_id=by,
            capabilities=self._models[self._default_model],
            at=at,
        )
        read = self._consent.require(wish.cameo_ids, by=by, at=at)
        if wish.image_upload_id:
            read |= self._require_image(wish.image_upload_id, by=by)
        if wish.remix_of:
            parent, parent_read = visible_video(self._log, wish.remix_of, to=by)
            parent.require_remixable(by=by)
            read = joined(read, parent_read)
        allowance = self._log.find(Allowance, Allowance.identify(by))
        allowance = allowance or Allowance.open(by, at=at)
        self._require_room(allowance, generation.id, at=at)
        allowance.spend(generation.id, wish.seconds, self._limit, at=at)
        return _Decided(generation, allowance, read)

    def _require_image(self, upload_id: UUID, *, by: UUID) -> dict[UUID, int]:
        upload = self._log.find(Upload, upload_id)
        if upload is None or upload.owner_id != by:
            raise UploadNotFound(upload_id)
        upload.require_cleared()
        if upload.purpose != "image":
            raise ImageUnsuitable("Upload the picture with the purpose `image`.")
        return {upload.id: upload.version}

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


def _any_seed() -> int:
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
