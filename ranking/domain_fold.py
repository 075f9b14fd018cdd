"""What the events of the domain log are to the ranking: facts of videos and people, and deeds."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.account.events import AccountOpened
from domain.cameo.events import (
    CameoRecorded,
    CameoRevoked,
    PermissionCleared,
    PermissionDenied,
    PermissionGranted,
)
from domain.comment.events import CommentPosted
from domain.following.events import (
    AccountBlocked,
    AccountFollowed,
    AccountMuted,
    AccountUnblocked,
    AccountUnfollowed,
    AccountUnmuted,
)
from domain.ranking.events import (
    ExperimentEnded,
    ExperimentStarted,
    RankingModelActivated,
    RankingPolicyActivated,
)
from domain.reaction.events import (
    VideoBookmarked,
    VideoLiked,
    VideoReported,
    VideoShared,
    VideoUnbookmarked,
    VideoUnliked,
)
from domain.steering.events import (
    HistoryForgotten,
    LessAsked,
    LessTakenBack,
    PersonalisationSwitched,
    RuleAdded,
    RuleChanged,
    RuleRemoved,
    SteeringReset,
)
from domain.video.events import (
    CaptionChanged,
    RemixingChanged,
    VideoDeleted,
    VideoLabelled,
    VideoPublished,
    VisibilityChanged,
)
from projections.projection import Recorded
from ranking.active import Active
from ranking.cameos import Cameos
from ranking.catalogue import Publication, Videos
from ranking.deeds import NOBODY, NOTHING, Deeds, Kind
from ranking.people import People
from ranking.steering.rules import Rule

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Topics = Callable[[NDArray[np.float32]], NDArray[np.int32]]

_REACTIONS: dict[type[Any], Kind] = {
    VideoLiked: Kind.LIKE,
    VideoUnliked: Kind.UNLIKE,
    VideoBookmarked: Kind.BOOKMARK,
    VideoUnbookmarked: Kind.UNBOOKMARK,
    VideoShared: Kind.SHARE,
    VideoReported: Kind.REPORT,
}
_RANKING = (RankingPolicyActivated, RankingModelActivated, ExperimentStarted, ExperimentEnded)
_RELATING = (
    AccountFollowed,
    AccountUnfollowed,
    AccountBlocked,
    AccountUnblocked,
    AccountMuted,
    AccountUnmuted,
)
_VIDEOS = (
    VideoPublished,
    CaptionChanged,
    VisibilityChanged,
    RemixingChanged,
    VideoLabelled,
    VideoDeleted,
)
_CAMEOS = (CameoRecorded, PermissionGranted, PermissionDenied, PermissionCleared, CameoRevoked)
_STEERING = (
    RuleAdded,
    RuleChanged,
    RuleRemoved,
    SteeringReset,
    LessAsked,
    LessTakenBack,
    PersonalisationSwitched,
    HistoryForgotten,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_MATTERING: tuple[type[Any], ...] = (
    AccountOpened,
    CommentPosted,
    *_REACTIONS,
    *_RELATING,
    *_RANKING,
    *_VIDEOS,
    *_CAMEOS,
    *_STEERING,
)
TOPICS: tuple[str, ...] = tuple(event.TOPIC for event in _MATTERING)
"""What of the domain log matters to the ranking."""


class _Done(NamedTuple):
    """A deed of the domain log."""

    kind: Kind
    at_ms: int
    viewer: int
    video: int
    author: int = NOBODY


class DomainFold:
    """Applies events to the facts that are held, and returns the deeds in them."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it writes to, and what texts mean
        self,
        videos: Videos,
        people: People,
        cameos: Cameos,
        active: Active,
        embed: Embed,
        topics: Topics,
    ) -> None:
        self._videos = videos
        self._people = people
        self._cameos = cameos
        self._active = active
        self._embed = embed
        self._topics = topics

    def deeds(self, events: Sequence[Recorded[Any]]) -> Deeds:
        """Apply events in their order; return what was done in them."""
        new = [each.event for each in events if isinstance(each.event, VideoPublished)]
        # What texts mean costs less of many at once, and depends on nothing that is folded.
        meanings = iter(self._meanings(new) if new else ())
        done: list[_Done] = []
        for recorded in events:
            at_ms = _milliseconds(recorded.recorded_at)
            if isinstance(recorded.event, VideoPublished):
                done += self._publish(recorded.event, at_ms, *next(meanings))
            else:
                done += self._apply(recorded.event, at_ms)
        return _columns(done)

    def _meanings(
        self, new: Sequence[VideoPublished]
    ) -> Iterable[tuple[NDArray[np.float32], np.int32]]:
        vectors = self._embed([f"{event.prompt}\n{event.caption}" for event in new])
        return zip(vectors, self._topics(vectors), strict=True)

    def _apply(self, event: Any, at_ms: int) -> Iterable[_Done]:
        match event:
            case AccountOpened():
                self._people.open(event.originator_id.bytes, at_ms, event.age_band)
                return ()
            case CommentPosted():
                return self._done(Kind.COMMENT, at_ms, event.author_id, event.video_id)
            case LessAsked():
                return self._less(event, at_ms)
            case _ if kind := _reaction(event):
                return self._done(kind, at_ms, event.account_id, event.video_id)
            case _ if type(event) in _RELATING:
                return self._relate(event, at_ms)
            case _ if isinstance(event, _RANKING):
                self._active.fold(event)
            case _:
                self._change_video(event)
                self._change_cameo(event)
                self._steer(event, at_ms)
        return ()

    def _done(self, kind: Kind, at_ms: int, viewer: UUID, video: UUID) -> Iterable[_Done]:
        serial = self._videos.serial(video.bytes)
        if serial != NOTHING:
            yield _Done(kind, at_ms, self._people.serial(viewer.bytes), serial)

    def _less(self, event: LessAsked, at_ms: int) -> Iterable[_Done]:
        done = [*self._done(Kind.LESS, at_ms, event.account_id, event.video_id)]
        for deed in done:
            if deed.viewer != NOBODY:
                marks = (*self._people.less(deed.viewer), (deed.video, at_ms))
                self._people.set_less(deed.viewer, marks)
        return done

    def _relate(self, event: Any, at_ms: int) -> Iterable[_Done]:
        people = self._people
        account = people.serial(event.account_id.bytes)
        other = people.serial(event.other_id.bytes)
        if NOBODY in {account, other}:
            return
        match event:
            case AccountFollowed():
                people.follow(account, other)
                yield _Done(Kind.FOLLOW_AUTHOR, at_ms, account, NOTHING, other)
            case AccountUnfollowed():
                people.unfollow(account, other)
                yield _Done(Kind.UNFOLLOW_AUTHOR, at_ms, account, NOTHING, other)
            case AccountBlocked():
                people.blocks.add(account, other)
            case AccountUnblocked():
                people.blocks.remove(account, other)
            case AccountMuted():
                people.mutes.add(account, other)
                yield _Done(Kind.HIDE_AUTHOR, at_ms, account, NOTHING, other)
            case _:
                people.mutes.remove(account, other)

    def _change_video(self, event: Any) -> None:
        serial = self._videos.serial(event.originator_id.bytes)
        if serial == NOTHING:
            return
        match event:
            case CaptionChanged():
                self._videos.change_caption(serial, event.caption)
            case VisibilityChanged():
                self._videos.change_visibility(serial, event.visibility)
            case RemixingChanged():
                self._videos.change_remixing(serial, remixable=event.remixable)
            case VideoLabelled():
                self._videos.label(serial, event.labels)
            case VideoDeleted():
                self._videos.delete(serial)
            case _:
                pass

    def _change_cameo(self, event: Any) -> None:
        cameos, people = self._cameos, self._people
        cameo = cameos.serial(event.originator_id.bytes)
        match event:
            case CameoRecorded():
                cameos.record(event.originator_id.bytes, people.serial(event.owner_id.bytes))
            case PermissionGranted() if cameo != NOTHING:
                cameos.grant(cameo, people.serial(event.grantee_id.bytes), event.expires_at)
            case PermissionDenied() | PermissionCleared() if cameo != NOTHING:
                cameos.withdraw(cameo, people.serial(event.grantee_id.bytes))
            case CameoRevoked() if cameo != NOTHING:
                cameos.revoke(cameo)
            case _:
                pass

    def _steer(self, event: Any, at_ms: int) -> None:
        if not isinstance(event, _STEERING):
            return
        people = self._people
        account = people.serial(event.account_id.bytes)
        if account == NOBODY:
            return
        match event:
            case LessTakenBack():
                video = self._videos.serial(event.video_id.bytes)
                marks = (mark for mark in people.less(account) if mark[0] != video)
                people.set_less(account, tuple(marks))
            case PersonalisationSwitched():
                people.switch(account, personalised=event.personalised)
            case HistoryForgotten():
                people.forget(account, at_ms)
            case SteeringReset():
                people.set_rules(account, ())
                people.set_less(account, ())
            case _:
                people.set_rules(account, self._ruled(people.rules(account), event))

    def _ruled(self, rules: tuple[Rule, ...], event: Any) -> tuple[Rule, ...]:
        match event:
            case RuleAdded():
                by = event.author_id
                author = self._people.serial(by.bytes) if by else NOBODY
                return (*rules, Rule.of(event, author=author, embed=self._embed))
            case RuleChanged():
                same = event.rule_id
                return tuple(r.changed(event) if r.rule_id == same else r for r in rules)
            case RuleRemoved():
                return tuple(rule for rule in rules if rule.rule_id != event.rule_id)
            case _:
                return rules

    def _publish(
        self, event: VideoPublished, at_ms: int, vector: NDArray[np.float32], topic: np.int32
    ) -> Iterable[_Done]:
        """Add a video to the catalogue; return what was done by publishing it."""
        publication = self._publication(event, at_ms)
        if self._videos.serial(publication.video_id) != NOTHING:
            return
        self._videos.publish(publication, vector, int(topic))
        author = publication.author
        yield _Done(Kind.CREATE, at_ms, author, NOTHING)
        if publication.parent != NOTHING:
            yield _Done(Kind.REMIX, at_ms, author, publication.parent)
        owners = {int(self._cameos.owner[cameo]) for cameo in publication.cameos}
        for owner in sorted(owners - {NOBODY, author}):
            yield _Done(Kind.CAMEO_USE, at_ms, author, NOTHING, owner)

    def _publication(self, event: VideoPublished, at_ms: int) -> Publication:
        parent = self._videos.serial(event.remix_of.bytes) if event.remix_of else NOTHING
        cameos = (self._cameos.serial(cameo.bytes) for cameo in event.cameo_ids)
        return Publication(
            video_id=event.originator_id.bytes,
            author=self._people.serial(event.author_id.bytes),
            published_ms=at_ms,
            duration_ms=event.duration_ms,
            parent=parent,
            root_id=event.root_id.bytes,
            depth=event.depth,
            cameos=[cameo for cameo in cameos if cameo != NOTHING],
            visibility=event.visibility,
            remixable=event.remixable,
            width=event.width,
            height=event.height,
            prompt=event.prompt,
            caption=event.caption,
        )


def _columns(done: Sequence[_Done]) -> Deeds:
    rows = Deeds.empty(len(done))
    if done:
        kind, at_ms, viewer, video, author = zip(*done, strict=True)
        rows.kind[:] = kind
        rows.at_ms[:] = at_ms
        rows.viewer[:] = viewer
        rows.video[:] = video
        rows.author[:] = author
    return rows


def _reaction(event: object) -> Kind | None:
    return _REACTIONS.get(type(event))


def _milliseconds(at: datetime) -> int:
    """Return the whole milliseconds since 1970, exactly."""
    return (at - _EPOCH) // _MILLISECOND
