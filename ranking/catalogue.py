"""The catalogue: every video that was ever published, by a serial number, as columns.

Serials count from 0 in the order of the domain log. What a video is never changes; who may see it,
its labels and whether it can be remixed do, and act when a state is read. What was deleted keeps
its serial, so that what was folded stays what it was.
"""

from bisect import bisect_right
from collections.abc import Sequence
from enum import IntEnum
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.video.hashtags import hashtags
from domain.video.labels import LABELS
from ranking.chains import Chain, Serials
from ranking.columns import Column, contents
from ranking.identities import Identities
from ranking.steering.words import hashes

NOTHING = -1
EMBEDDING_WIDTH = 128
CODE_STEPS = 127
"""A coordinate of an embedding as a whole number: products of codes are exact in any order."""

DURATION_BUCKETS = 32


class Visibility(IntEnum):
    """Who may see a video."""

    PUBLIC = 0
    FOLLOWERS = 1
    LINK = 2


_VISIBILITIES = {
    "public": Visibility.PUBLIC,
    "followers": Visibility.FOLLOWERS,
    "link": Visibility.LINK,
}
_LABEL_BITS = {label: 1 << place for place, label in enumerate(LABELS)}
# By the second up to ten, where generated clips lie; then in steps that widen.
_DURATION_STEPS_S = (
    *range(1, 11), 12, 14, 16, 18, 20, 25, 30, 40, 50, 60,
    75, 90, 105, 120, 150, 180, 240, 300, 450, 600, 1200,
)  # fmt: skip
_DURATION_STEPS_MS = [1000 * step for step in _DURATION_STEPS_S]


class Publication(NamedTuple):
    """What is known of a video when it is published, accounts and videos by their serials."""

    video_id: bytes
    author: int
    published_ms: int
    duration_ms: int
    parent: int
    root_id: bytes
    depth: int
    cameos: Sequence[int]
    visibility: str
    remixable: bool
    width: int
    height: int
    prompt: str
    caption: str


class Videos:
    """Columns by serial. Only `State` writes to them."""

    def __init__(self) -> None:
        self._identities = Identities()
        self._author: Column[np.int32] = Column(np.int32)
        self._published_ms: Column[np.int64] = Column(np.int64)
        self._duration_ms: Column[np.int32] = Column(np.int32)
        self._duration_bucket: Column[np.int32] = Column(np.int32)
        self._line: Column[np.int32] = Column(np.int32)
        self._parent: Column[np.int32] = Column(np.int32)
        self._depth: Column[np.int32] = Column(np.int32)
        self._topic: Column[np.int32] = Column(np.int32)
        self._width: Column[np.int32] = Column(np.int32)
        self._height: Column[np.int32] = Column(np.int32)
        self._visibility: Column[np.int8] = Column(np.int8)
        self._live: Column[np.bool_] = Column(np.bool_)
        self._remixable: Column[np.bool_] = Column(np.bool_)
        self._labels: Column[np.uint32] = Column(np.uint32)
        self._embedding: Column[np.float32] = Column(np.float32, (EMBEDDING_WIDTH,))
        self._codes: Column[np.int8] = Column(np.int8, (EMBEDDING_WIDTH,))
        self._cameo_counts: Column[np.int32] = Column(np.int32)
        self._cameo_starts: Column[np.int64] = Column(np.int64)
        self._cameos: Column[np.int32] = Column(np.int32)
        self._looks: Column[np.float32] = Column(np.float32, (5,))
        self._hashtags: list[tuple[str, ...]] = []
        self._words: list[NDArray[np.uint32]] = []
        self._prompt_words: list[NDArray[np.uint32]] = []
        self._saying: dict[int, list[int]] = {}
        self._authors = Chain()
        self._lines = Chain()
        self._remixes = Chain()

    def __len__(self) -> int:
        return len(self._identities)

    @property
    def author(self) -> NDArray[np.int32]:
        """The account that published each."""
        return self._author.rows

    @property
    def published_ms(self) -> NDArray[np.int64]:
        """When each was published."""
        return self._published_ms.rows

    @property
    def duration_ms(self) -> NDArray[np.int32]:
        """How long each plays."""
        return self._duration_ms.rows

    @property
    def duration_bucket(self) -> NDArray[np.int32]:
        """Which of `DURATION_BUCKETS` each plays as long as."""
        return self._duration_bucket.rows

    @property
    def line(self) -> NDArray[np.int32]:
        """The first of each one's line, itself if it is no remix."""
        return self._line.rows

    @property
    def parent(self) -> NDArray[np.int32]:
        """What each is a remix of, -1 if of nothing."""
        return self._parent.rows

    @property
    def depth(self) -> NDArray[np.int32]:
        """How many remixes lie before each."""
        return self._depth.rows

    @property
    def topic(self) -> NDArray[np.int32]:
        """What each is about, 0 if that is not understood."""
        return self._topic.rows

    @property
    def width(self) -> NDArray[np.int32]:
        """Pixels."""
        return self._width.rows

    @property
    def height(self) -> NDArray[np.int32]:
        """Pixels."""
        return self._height.rows

    @property
    def visibility(self) -> NDArray[np.int8]:
        """Who may see each: `Visibility`."""
        return self._visibility.rows

    @property
    def live(self) -> NDArray[np.bool_]:
        """Whether each was not deleted."""
        return self._live.rows

    @property
    def remixable(self) -> NDArray[np.bool_]:
        """Whether each may be remixed."""
        return self._remixable.rows

    @property
    def labels(self) -> NDArray[np.uint32]:
        """The labels of each, a bit for each of `LABELS`."""
        return self._labels.rows

    @property
    def embedding(self) -> NDArray[np.float32]:
        """What each means, `(videos, 128)`: of length one, or zero."""
        return self._embedding.rows

    @property
    def codes(self) -> NDArray[np.int8]:
        """The embeddings in whole steps of 1/127."""
        return self._codes.rows

    @property
    def looks(self) -> NDArray[np.float32]:
        """Features that never change: log duration (s), aspect, log pixels, depth, cameos."""
        return self._looks.rows

    @property
    def cameo_counts(self) -> NDArray[np.int32]:
        """How many cameos are in each."""
        return self._cameo_counts.rows

    def serial(self, identity: bytes, /) -> int:
        """Return the serial of a video, -1 if it is not known."""
        return self._identities.serial(identity)

    def serials(self, ids: Sequence[bytes]) -> Serials:
        """Return the serials of videos, -1 for what is not known."""
        return self._identities.serials(ids)

    def serials_of_packed(self, ids: bytes) -> Serials:
        """Return the same of thousands of IDs, which stand behind one another."""
        return self._identities.serials_of_packed(ids)

    def id_of(self, serial: int) -> bytes:
        """Return the ID of a video, 16 bytes."""
        return self._identities.id_of(serial)

    def by_author(self, author: int, limit: int = 50) -> Serials:
        """Return what an account published, newest first, deleted ones too."""
        return self._authors.of(author, limit)

    def by_authors(self, authors: Serials, limit: int = 50) -> Serials:
        """Return what some accounts published, of each at most so many, newest first."""
        return self._authors.of_each(authors, limit)

    def in_line(self, root: int, limit: int = 50) -> Serials:
        """Return the videos of a line, newest first, without its first."""
        return self._lines.of(root, limit)

    def children(self, serial: int, limit: int = 50) -> Serials:
        """Return the remixes of a video, newest first."""
        return self._remixes.of(serial, limit)

    def cameos_of(self, serials: Serials) -> tuple[NDArray[np.int64], Serials]:
        """Return where the cameos of each video begin and end, (n + 1), and the cameos."""
        counts = self._cameo_counts.rows[serials]
        offsets = np.zeros(len(serials) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        shift = np.repeat(self._cameo_starts.rows[serials] - offsets[:-1], counts)
        places = np.arange(len(shift)) + shift
        return offsets, self._cameos.rows[places]

    def hashtags(self, serial: int) -> tuple[str, ...]:
        """Return the hashtags in the caption of a video, folded, without their signs."""
        return self._hashtags[serial]

    def words(self, serial: int) -> NDArray[np.uint32]:
        """Return the words of a video's prompt and caption, hashed, sorted."""
        return self._words[serial]

    def saying(self, word: int, limit: int) -> Serials:
        """Return the videos whose words have, or had, this one (hashed), newest first."""
        return np.array(self._saying.get(word, [])[-limit:][::-1], np.int32)

    def publish(self, video: Publication, embedding: NDArray[np.float32], topic: int) -> None:
        """Add a video, which is not there yet, that means this and is about this."""
        serial = self._identities.add(video.video_id)
        line = self._identities.serial(video.root_id)
        root = NOTHING if line == serial else line
        width, height = max(video.width, 1), max(video.height, 1)
        seconds = max(video.duration_ms, 1) / 1000
        shape = (log(seconds), log(height / width), log(height * width))
        for column, value in (
            (self._author, video.author),
            (self._published_ms, video.published_ms),
            (self._duration_ms, video.duration_ms),
            (self._duration_bucket, bisect_right(_DURATION_STEPS_MS, video.duration_ms)),
            (self._line, serial if line == NOTHING else line),
            (self._parent, video.parent),
            (self._depth, video.depth),
            (self._topic, topic),
            (self._width, video.width),
            (self._height, video.height),
            (self._visibility, _VISIBILITIES.get(video.visibility, Visibility.LINK)),
            (self._live, True),
            (self._remixable, video.remixable),
            (self._labels, 0),
            (self._embedding, embedding),
            (self._codes, np.rint(embedding * CODE_STEPS)),
            (self._cameo_starts, len(self._cameos)),
            (self._cameo_counts, len(video.cameos)),
            (self._looks, (*shape, video.depth, len(video.cameos))),
        ):
            column.append(value)
        for cameo in video.cameos:
            self._cameos.append(cameo)
        self._authors.add(video.author, serial)
        self._lines.add(root, serial)
        self._remixes.add(video.parent, serial)
        self._say(serial, video)

    def change_caption(self, serial: int, caption: str) -> None:
        """Let the caption's words and hashtags be those of another."""
        self._hashtags[serial] = hashtags(caption)
        before, self._words[serial] = (
            self._words[serial],
            np.union1d(self._prompt_words[serial], hashes(caption)),
        )
        self._index(serial, np.setdiff1d(self._words[serial], before))

    def change_visibility(self, serial: int, visibility: str) -> None:
        """Let others see the video; what this release does not know is as good as unlisted."""
        self.visibility[serial] = _VISIBILITIES.get(visibility, Visibility.LINK)

    def change_remixing(self, serial: int, *, remixable: bool) -> None:
        """Allow or forbid remixes."""
        self.remixable[serial] = remixable

    def label(self, serial: int, labels: Sequence[str]) -> None:
        """Let the video have these labels and no others."""
        self.labels[serial] = sum(_LABEL_BITS.get(label, 0) for label in set(labels))

    def delete(self, serial: int) -> None:
        """Let nobody see the video any more."""
        self.live[serial] = False

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        columns = contents(self)
        chains = (self._authors, self._lines, self._remixes)
        return [
            self._identities.joined(),
            *columns,
            *(part for chain in chains for part in chain.parts()),
            repr(self._hashtags).encode(),
            *(words.tobytes() for words in self._words),
        ]

    def _say(self, serial: int, video: Publication) -> None:
        """Keep the words of a new video."""
        of_prompt = hashes(video.prompt)
        self._hashtags.append(hashtags(video.caption))
        self._prompt_words.append(of_prompt)
        self._words.append(np.union1d(of_prompt, hashes(video.caption)))
        self._index(serial, self._words[serial])

    def _index(self, serial: int, words: NDArray[np.uint32]) -> None:
        for word in words.tolist():
            self._saying.setdefault(word, []).append(serial)
