"""Asks one source for videos in the name of somebody of a crowd."""

from types import ModuleType
from typing import NamedTuple
from uuid import UUID

from ranking.affinities import Affinities
from ranking.policy import DEFAULT
from ranking.query import resolve
from ranking.sources import Found
from tests.ranking.crowds import Crowd


class Tables(NamedTuple):
    """What was trained: nothing, or these tables."""

    affinities: Affinities | None = None


UNTRAINED = Tables()


def found_by(  # noqa: PLR0913 - what may differ between two questions
    source: ModuleType,
    crowd: Crowd,
    viewer: UUID,
    *,
    limit: int = 50,
    seed: int = 1,
    learnt: Tables = UNTRAINED,
    pending: tuple[bytes, ...] = (),
) -> list[UUID]:
    """Return what a source finds for a viewer, best first."""
    state = crowd.state
    query = resolve(crowd.ask(viewer, seed=seed, pending=pending), state.people, state.videos)
    found: Found = source.find(state, query, DEFAULT, limit, learnt)
    assert len(found.serials) == len(found.strength) <= limit
    assert len(set(found.serials.tolist())) == len(found.serials)
    return [UUID(bytes=state.videos.id_of(serial)) for serial in found.serials.tolist()]
