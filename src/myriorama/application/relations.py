"""How two accounts stand to one another, read from both sides together with what a save expects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.following.aggregate import Following
from domain.video.aggregate import Video
from domain.video.errors import VideoNotFound
from domain.video.visibility import Relation
from myriorama.store.log import Log, LostRace


@dataclass(frozen=True)
class Stand:
    """What one account is to another. `read` is the read set for `Log.save(expect=...)`."""

    mine: Following | None
    theirs: Following | None
    relation: Relation
    read: Mapping[UUID, int]


def stand(log: Log, account_id: UUID, other_id: UUID) -> Stand:
    """Read how an account stands to another, or to itself."""
    if account_id == other_id:
        return Stand(None, None, Relation(is_author=True), {})
    mine = log.find(Following, Following.identify(account_id))
    theirs = log.find(Following, Following.identify(other_id))
    relation = Relation(
        follows_author=mine is not None and mine.is_following(other_id),
        is_blocked=(mine is not None and mine.is_blocking(other_id))
        or (theirs is not None and theirs.is_blocking(account_id)),
    )
    read = {
        Following.identify(account_id): mine.version if mine else 0,
        Following.identify(other_id): theirs.version if theirs else 0,
    }
    return Stand(mine, theirs, relation, read)


def started(following: Following | None, account_id: UUID, *, at: datetime) -> Following:
    """Return an account's following, begun if it has none yet."""
    return following or Following.start(account_id, at=at)


def joined(*reads: Mapping[UUID, int]) -> dict[UUID, int]:
    """Return one read set of several that were read one after the other.

    Raises:
        LostRace: something changed in between, so that they do not rest on the same state.
    """
    whole: dict[UUID, int] = {}
    for read in reads:
        for aggregate_id, version in read.items():
            if whole.setdefault(aggregate_id, version) != version:
                raise LostRace(f"{aggregate_id} has changed while it was read.")
    return whole


def visible_video(log: Log, video_id: UUID, *, to: UUID) -> tuple[Video, dict[UUID, int]]:
    """Return a video as it is now, and the read set of that the account may see it.

    Raises:
        VideoNotFound: there is none, or they may not see it.
    """
    video = log.find(Video, video_id)
    if video is None:
        raise VideoNotFound("There is no such video.")
    standing = stand(log, to, video.author_id)
    video.require_visible(standing.relation)
    return video, {video.id: video.version, **standing.read}
