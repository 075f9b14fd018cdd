"""Commands on creatives: draft, edit, submit, appeal and withdraw them, and decide on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.advertiser.aggregate import Advertiser
from domain.advertiser.errors import AdvertiserNotFound
from domain.creative.aggregate import Creative
from domain.creative.content import Content, Footage
from domain.creative.errors import (
    CameoNotGranted,
    CreativeAppealImpossible,
    CreativeChanged,
    CreativeNotFound,
    CreativeSourceNotFound,
    OwnReview,
)
from domain.creative.review import Check, undoubted
from domain.frequency import FrequencyCap
from domain.generation.aggregate import Generation
from domain.generation.errors import DraftNotFound
from domain.video.aggregate import Video
from domain.video.errors import ProvenanceMissing
from myriorama.application.ad_checks import AdChecks
from myriorama.application.commercial_grants import ungranted
from myriorama.application.relations import joined
from myriorama.application.tenancy import advertiser_of
from myriorama.application.videos import Missing
from myriorama.store.front import aside
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried

_GENERATED = "generated"


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """A creative that is to be drafted, of the video or draft that `source_id` names."""

    name: str
    source_kind: str
    source_id: UUID
    landing_url: str
    call_to_action: str
    headline: str
    category: str | None
    caps: tuple[FrequencyCap, ...]


class Creatives:
    """The videos that are shown as ads. What changes nothing records nothing.

    `missing` says which marks a file lacks: what nobody may publish is not shown as an ad either.
    """

    def __init__(self, log: Log, checks: AdChecks, missing: Missing) -> None:
        self._log = log
        self._checks = checks
        self._missing = missing

    def draft(self, advertiser_id: UUID, sketch: Sketch, *, by: UUID, at: datetime) -> UUID:
        """Draft a creative of a video or draft of one's own; return its ID.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            CreativeSourceNotFound: there is no such video or draft, or it is not `by`'s.
            ProvenanceMissing: its file lacks a mark.
            Invalid: it cannot be like this; the error says what.
        """
        self._require_marked(sketch.source_kind, sketch.source_id, by=by)
        return self._draft(advertiser_id, sketch, by=by, at=at)

    @retried
    def _draft(self, advertiser_id: UUID, sketch: Sketch, *, by: UUID, at: datetime) -> UUID:
        advertiser = advertiser_of(self._log, advertiser_id, by=by, needs="editor")
        footage, read = self._footage(sketch.source_kind, sketch.source_id, by=by)
        content = Content(
            footage,
            sketch.landing_url,
            sketch.call_to_action,
            sketch.headline,
            sketch.category or advertiser.category,
        )
        creative = Creative.draft(
            new_id(),
            advertiser_id=advertiser_id,
            name=sketch.name,
            content=content,
            caps=sketch.caps,
            by=by,
            at=at,
        )
        self._log.save(creative, expect={**read, advertiser.id: advertiser.version})
        return creative.id

    def edit(
        self,
        creative_id: UUID,
        edits: Mapping[str, Any],
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> Creative:
        """Change it; what is not named stays. What had been submitted is reviewed anew, at once.

        Args:
            creative_id: which creative.
            edits: any of `name`, `caps`, `landing_url`, `call_to_action`, `headline`, `category`,
                and `source_kind` with `source_id`.
            by: who asks.
            precondition: is given the version that is about to be changed, and raises to stop.
            at: now.

        Raises:
            CreativeNotFound, RoleTooLow: `by` may not.
            CreativeSourceNotFound, ProvenanceMissing: the video cannot be used.
            CreativeWithdrawnForGood: it is there no more.
            Invalid: it cannot be like this; the error says what.
        """
        if "source_id" in edits:
            self._require_marked(edits["source_kind"], edits["source_id"], by=by)
        return self._edit(creative_id, edits, by=by, precondition=precondition, at=at)

    @retried
    def _edit(
        self,
        creative_id: UUID,
        edits: Mapping[str, Any],
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> Creative:
        creative, advertiser = self._creative(creative_id, by=by)
        precondition(creative.version)
        shown, read = dict(edits), {advertiser.id: advertiser.version}
        name, caps = shown.pop("name", creative.name), shown.pop("caps", creative.caps)
        if "source_id" in shown:
            kind, source_id = shown.pop("source_kind"), shown.pop("source_id")
            shown["footage"], sourced = self._footage(kind, source_id, by=by)
            read = joined(read, sourced)
        content = replace(creative.content, **shown)
        if creative.edit(name=name, content=content, caps=caps, by=by, at=at):
            checks, checked = self._check(creative, advertiser, at=at)
            creative.submit(checks, by=by, at=at)
            read = joined(read, checked)
        self._log.save(creative, expect=read)
        return creative

    @retried
    def submit(self, creative_id: UUID, *, by: UUID, at: datetime) -> Creative:
        """Have it reviewed: the checks decide, or leave it to people. Return it as it is now.

        Raises:
            CreativeNotFound, RoleTooLow: `by` may not.
            CreativeWithdrawnForGood: it is there no more.
        """
        creative, advertiser = self._creative(creative_id, by=by)
        checks, read = self._check(creative, advertiser, at=at)
        creative.submit(checks, by=by, at=at)
        self._log.save(creative, expect=joined(read, {advertiser.id: advertiser.version}))
        return creative

    @retried
    def appeal(self, creative_id: UUID, statement: str, *, by: UUID, at: datetime) -> None:
        """Ask for somebody to look at a rejection.

        Raises:
            CreativeNotFound, RoleTooLow: `by` may not.
            CreativeAppealImpossible, CreativeWithdrawnForGood, NoteInvalid: it cannot be.
        """
        creative, advertiser = self._creative(creative_id, by=by)
        if advertiser.sandbox:
            raise CreativeAppealImpossible("Nobody looks at the creatives of a sandbox: edit it.")
        creative.appeal(statement, by=by, at=at)
        self._log.save(creative, expect={advertiser.id: advertiser.version})

    @retried
    def withdraw(self, creative_id: UUID, *, by: UUID, at: datetime) -> None:
        """Show it no more, for good.

        Raises:
            CreativeNotFound, RoleTooLow: `by` may not.
        """
        creative, advertiser = self._creative(creative_id, by=by)
        creative.withdraw(by=by, at=at)
        self._log.save(creative, expect={advertiser.id: advertiser.version})

    @retried
    def decide(  # noqa: PLR0913 - what a decision says
        self,
        creative_id: UUID,
        *,
        version: int,
        reasons: Sequence[str],
        note: str,
        by: UUID,
        at: datetime,
    ) -> None:
        """Approve what waits for a decision, or, with reasons, reject it; `by` moderates.

        It is decided on what was looked at, which `version` names. What was approved before may be
        rejected later.

        Raises:
            CreativeNotFound: there is none.
            OwnReview: `by` acts for the advertiser.
            CreativeChanged: it was edited since.
            CreativeNotInReview: nobody is to decide on it.
            CameoNotGranted: a cameo in it may not be shown, whatever anybody decides.
            ReasonsInvalid, NoteInvalid: it is not said why.
        """
        creative = self._log.find(Creative, creative_id)
        if creative is None:
            raise CreativeNotFound("There is no such creative.")
        advertiser = self._log.find(Advertiser, creative.advertiser_id)
        if advertiser is None:
            raise CreativeNotFound("There is no such creative.")
        if advertiser.role_of(by) is not None:
            raise OwnReview("Somebody else decides on this creative.")
        if creative.version != version:
            raise CreativeChanged("Somebody has changed it since: look at it again, then decide.")
        read = {advertiser.id: advertiser.version}
        if reasons:
            creative.reject(tuple(reasons), note, by=by, at=at)
        else:
            cast = creative.content.footage.cameo_ids
            missing, granted = ungranted(self._log, cast, advertiser.id, at=at)
            if missing:
                raise CameoNotGranted(f"Not granted: {', '.join(map(str, missing))}.")
            read = joined(read, granted)
            creative.approve(note, by=by, at=at)
        self._log.save(creative, expect=read)

    def _creative(self, creative_id: UUID, *, by: UUID) -> tuple[Creative, Advertiser]:
        creative = self._log.find(Creative, creative_id)
        if creative is None:
            raise CreativeNotFound("There is no such creative.")
        try:
            advertiser = advertiser_of(self._log, creative.advertiser_id, by=by, needs="editor")
        except AdvertiserNotFound as error:
            raise CreativeNotFound("There is no such creative.") from error
        return creative, advertiser

    def _check(
        self, creative: Creative, advertiser: Advertiser, *, at: datetime
    ) -> tuple[Sequence[Check], dict[UUID, int]]:
        footage = creative.content.footage
        missing, read = ungranted(self._log, footage.cameo_ids, advertiser.id, at=at)
        labels: Sequence[str] = ()
        if footage.source_kind == "video" and (video := self._log.find(Video, footage.source_id)):
            labels, read = video.labels, joined(read, {video.id: video.version})
        checks = self._checks.of(
            creative.content, website=advertiser.website, labels=labels, ungranted=missing
        )
        # Nobody is shown what a sandbox advertises, so nobody need look at it.
        return [undoubted(each) for each in checks] if advertiser.sandbox else checks, read

    def _require_marked(self, kind: str, source_id: UUID, *, by: UUID) -> None:
        generation, _ = self._source(kind, source_id, by=by)
        draft = generation.require_draft(by=by)
        # The file never changes after it was recorded: once is enough, before any attempt.
        if missing := aside(self._missing, generation.id, draft):
            raise ProvenanceMissing(missing)

    def _footage(self, kind: str, source_id: UUID, *, by: UUID) -> tuple[Footage, dict[UUID, int]]:
        generation, read = self._source(kind, source_id, by=by)
        draft = generation.require_draft(by=by)
        footage = Footage(
            source_kind=kind,
            source_id=source_id,
            video_key=draft.video_key,
            poster_key=draft.poster_key,
            thumbnail_key=draft.thumbnail_key,
            width=draft.width,
            height=draft.height,
            duration_ms=draft.duration_ms,
            cameo_ids=tuple(generation.recipe.cameo_ids),
            ai_label=_GENERATED,
        )
        return footage, read

    def _source(
        self, kind: str, source_id: UUID, *, by: UUID
    ) -> tuple[Generation, dict[UUID, int]]:
        """Return what `by` generated and may advertise with: a draft, or what was published."""
        read: dict[UUID, int] = {}
        generation_id = source_id
        if kind == "video":
            video = self._log.find(Video, source_id)
            if video is None or video.deleted or video.author_id != by:
                raise CreativeSourceNotFound("There is no such video of yours.")
            read, generation_id = {video.id: video.version}, video.generation_id
        generation = self._log.find(Generation, generation_id)
        try:
            if generation is None:
                raise CreativeSourceNotFound("There is no such draft of yours.")
            generation.require_draft(by=by)
        except DraftNotFound as error:
            raise CreativeSourceNotFound("There is no such draft of yours.") from error
        return generation, {**read, generation.id: generation.version}
