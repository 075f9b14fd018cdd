"""Makes examples of slates that were served: the state is folded to where each was decided.

The features are read anew, of all that reached stage 2, for what a feature is relative to was that.
Examples are the videos of which a viewing was reported under the slate's decision, once what came
of it is complete.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities
from ranking.deeds import Deeds, Kind
from ranking.effects import Effects
from ranking.heads import HEADS, MATURE_MS, Outcomes, labels
from ranking.model import WIDTH
from ranking.relative import with_relative
from ranking.signals import is_long
from ranking.state import State
from ranking.training import effects
from ranking.training.effects import Watches
from ranking.training.examples import Examples
from ranking.views import ViewColumns

_DAY_MS = 86_400_000
_ACTED: Mapping[Kind, str] = {
    Kind.LIKE: "like",
    Kind.COMMENT: "comment",
    Kind.SHARE: "share",
    Kind.FOLLOW_AUTHOR: "follow",
    Kind.REMIX: "remix",
    Kind.CAMEO_USE: "cameo_use",
    Kind.LESS: "less",
    Kind.HIDE_AUTHOR: "less",
    Kind.REPORT: "report",
}
_OF_AUTHORS = (Kind.FOLLOW_AUTHOR, Kind.HIDE_AUTHOR)


class Wanted(NamedTuple):
    """What is read again of a decision: whose it was, when, where, and the scored candidates."""

    decision: bytes
    viewer: bytes
    as_of_ms: int
    surface: int
    scored: NDArray[np.int32]
    placed: Sequence[bytes]


class _Placed(NamedTuple):
    """The videos of one slate, with their features."""

    wanted: Wanted
    viewer: int
    serials: NDArray[np.int32]
    features: NDArray[np.float32]


class Gathering(State):
    """A state that also keeps what is needed to tell what followed of the slates it passes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deeds: list[Deeds] = []
        self._reported: dict[tuple[bytes, bytes], tuple[int, int]] = {}
        self._slates: list[_Placed] = []
        self._tables = Affinities.empty()
        self._day = -1

    def fold(self, deeds: Deeds) -> None:
        """Apply deeds, and keep those that heads are about."""
        super().fold(deeds)
        kept = (deeds.kind >= Kind.LIKE) | (deeds.kind == Kind.WATCH)
        self._deeds.append(deeds.take(np.flatnonzero(kept)))

    def fold_views(self, columns: ViewColumns, *, upto: int | None = None) -> None:
        """Apply a stretch of the view log, and keep what was reported under which decision."""
        super().fold_views(columns, upto=upto)
        of = columns.viewings
        rows = zip(
            of.decision.tolist(), of.video.tolist(), of.watched_ms.tolist(), of.loops.tolist(),
            strict=True,
        )  # fmt: skip
        for decision, video, watched_ms, loops in rows:
            before = self._reported.get((decision, video), (0, 0))
            most = max(watched_ms, before[0]), max(loops, before[1])
            self._reported[decision, video] = most

    def remember(self, wanted: Wanted) -> None:
        """Read the features of a slate, the state being where it was decided."""
        self._learn(wanted.as_of_ms)
        viewer = self.people.serial(wanted.viewer)
        known = viewer if viewer >= 0 and self.people.personalised[viewer] else -1
        serials = np.array([self.videos.serial(video) for video in wanted.placed], np.int32)
        features = with_relative(
            self.read(
                known, wanted.scored, wanted.as_of_ms, surface=wanted.surface, coview=self._tables
            )
        )
        rows = {serial: row for row, serial in enumerate(wanted.scored.tolist())}
        kept = np.array([rows.get(serial, -1) for serial in serials.tolist()], np.int64)
        found = kept >= 0
        self._slates.append(_Placed(wanted, viewer, serials[found], features[kept[found]]))

    def effects(self) -> Effects:
        """Return the effects of everything that was watched up to here."""
        return effects.fit(self._watches(), self.videos)

    def examples(self, until_ms: int) -> Examples:
        """Return what was shown and whose outcome is complete at a time."""
        parts: list[Examples] = []
        after = _Deeds(Deeds.joined(self._deeds))
        for place, slate in enumerate(self._slates):
            if slate.wanted.as_of_ms + MATURE_MS > until_ms:
                continue
            reported = [
                self._reported.get((slate.wanted.decision, self.videos.id_of(serial)))
                for serial in slate.serials.tolist()
            ]
            seen = np.array([report is not None for report in reported], np.bool_)
            if not seen.any():
                continue
            watched = np.array([report for report in reported if report is not None], np.int32)
            serials = slate.serials[seen]
            outcomes = after.outcomes(self, slate, serials, watched)
            parts.append(
                Examples(
                    features=slate.features[seen],
                    slate=np.full(len(serials), place, np.int64),
                    viewer=np.full(len(serials), slate.viewer, np.int32),
                    at_ms=np.full(len(serials), slate.wanted.as_of_ms, np.int64),
                    duration_ms=outcomes.duration_ms,
                    labels=labels(outcomes),
                )
            )
        return joined(parts)

    def _learn(self, as_of_ms: int) -> None:
        if as_of_ms // _DAY_MS != self._day:
            self._day = as_of_ms // _DAY_MS
            self._tables = self._tables._replace(effects=self.effects())

    def _watches(self) -> Watches:
        deeds = Deeds.joined(self._deeds)
        rows = np.flatnonzero((deeds.kind == Kind.WATCH) & (deeds.video >= 0) & (deeds.viewer >= 0))
        watched = deeds.take(rows)
        # The last report of a showing says it all; the ones before it name the same first time.
        showing = np.stack([watched.viewer, watched.video, watched.at_ms], axis=1)
        _, last = np.unique(showing[::-1], axis=0, return_index=True)
        watched = watched.take(np.sort(len(rows) - 1 - last))
        durations_ms = self.videos.duration_ms[watched.video]
        long = [
            is_long(value, duration_ms)
            for value, duration_ms in zip(
                watched.value.tolist(), durations_ms.tolist(), strict=True
            )
        ]
        return Watches(
            watched.viewer, watched.video, watched.surface, watched.at_ms, np.array(long, np.bool_)
        )


def joined(parts: Sequence[Examples]) -> Examples:
    """Return the rows of all the parts, in the order of time; a slate is of one part."""
    if not any(map(len, parts)):
        none = np.zeros(0, np.int32)
        return Examples(
            features=np.zeros((0, WIDTH), np.float32),
            slate=np.zeros(0, np.int64),
            viewer=none,
            at_ms=np.zeros(0, np.int64),
            duration_ms=none,
            labels=np.zeros((0, len(HEADS)), np.bool_),
        )
    shifts = np.cumsum([0, *(int(part.slate.max(initial=-1)) + 1 for part in parts)])
    slates = [part.slate + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
    everything = Examples(
        features=np.concatenate([part.features for part in parts]),
        slate=np.concatenate(slates),
        viewer=np.concatenate([part.viewer for part in parts]),
        at_ms=np.concatenate([part.at_ms for part in parts]),
        duration_ms=np.concatenate([part.duration_ms for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )
    return everything.take(np.argsort(everything.at_ms, kind="stable"))


class _Deeds:
    """What each viewer did, to be asked what they did after a slate."""

    def __init__(self, deeds: Deeds) -> None:
        self._by_viewer: defaultdict[int, list[int]] = defaultdict(list)
        self._deeds = deeds
        for row in np.flatnonzero(deeds.kind >= Kind.LIKE).tolist():
            self._by_viewer[int(deeds.viewer[row])].append(row)

    def outcomes(
        self,
        state: State,
        slate: _Placed,
        serials: NDArray[np.int32],
        watched: NDArray[np.int32],
    ) -> Outcomes:
        """Return what followed of some videos of a slate within the time that counts."""
        rows = np.array(self._by_viewer.get(slate.viewer, []), np.int64)
        since_ms = self._deeds.at_ms[rows] - slate.wanted.as_of_ms
        rows = rows[(since_ms >= 0) & (since_ms < MATURE_MS)]
        acted = {head: np.zeros(len(serials), np.bool_) for head in set(_ACTED.values())}
        created = np.zeros(len(serials), np.bool_)
        for row in rows.tolist():
            kind = Kind(int(self._deeds.kind[row]))
            if kind is Kind.CREATE:
                created[:] = True
            elif kind in _ACTED:
                acted[_ACTED[kind]] |= self._is_about(state, row, kind, serials)
        return Outcomes(
            watched_ms=watched[:, 0],
            loops=watched[:, 1],
            duration_ms=state.videos.duration_ms[serials],
            acted=acted,
            created=created,
        )

    def _is_about(
        self, state: State, row: int, kind: Kind, serials: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        author = self._deeds.author[row]
        if kind in _OF_AUTHORS:
            return np.asarray(state.videos.author[serials] == author)
        if kind is Kind.CAMEO_USE:
            offsets, cameos = state.videos.cameos_of(serials)
            owners = np.where(cameos >= 0, state.cameos.owner[cameos], -1)
            of = np.repeat(np.arange(len(serials)), np.diff(offsets))
            return np.bincount(of[owners == author], minlength=len(serials)) > 0
        return np.asarray(serials == self._deeds.video[row])
