"""The corpus: bytes that releases of this product stored, and what they still have to say."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import StoredEvent

from tests.event_shapes import Shapes

FOLDER = Path(__file__).parent / "store" / "corpus"
SEALS = Path(__file__).parent / "store" / "corpus_seals.json"


class Entry(msgspec.Struct, frozen=True):
    """One stored event: `state` to the byte, and the fields that it decodes to, by their repr."""

    stream: str
    topic: str
    class_version: int
    originator_id: UUID
    originator_version: int
    state: str
    decodes_to: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the entry is called wherever the corpus is spoken of; no two are called the same."""
        context = self.topic.partition(".")[0]
        return f"{context}: {self.stream}, {self.originator_version}"

    @property
    def address(self) -> tuple[UUID, int]:
        """Where it stands in the log of the corpus."""
        return self.originator_id, self.originator_version

    @property
    def seal(self) -> str:
        """A digest of all that was stored, which no release may change."""
        stored = (self.topic, self.class_version, self.originator_id, self.state)
        return sha256(repr(stored).encode()).hexdigest()[:16]

    @property
    def fields(self) -> Mapping[str, Any]:
        """The raw JSON object."""
        return msgspec.json.decode(self.state, type=dict[str, Any])

    def stored(self) -> StoredEvent:
        """Return what the recorder would read."""
        return StoredEvent(
            self.originator_id, self.originator_version, self.topic, self.state.encode()
        )


def read_corpus(folder: Path = FOLDER) -> Sequence[Entry]:
    """Return every entry, one context after the other."""
    return [
        entry
        for path in sorted(folder.glob("*.json"))
        for entry in msgspec.json.decode(path.read_bytes(), type=list[Entry])
    ]


def read_seals() -> Mapping[str, str]:
    """Return the seals that the entries were given when they came in, by the entry's name."""
    return msgspec.json.decode(SEALS.read_bytes(), type=dict[str, str])


def gaps(corpus: Sequence[Entry], recorded: Shapes) -> Sequence[str]:
    """Say which stored versions have no example, or none of an optional field set and unset."""
    found = list[str]()
    examples = {
        key: list(entries) for key, entries in groupby(sorted(corpus, key=_version), key=_version)
    }
    for topic, versions in recorded.items():
        for version, shape in versions.items():
            entries = examples.get((topic, version), [])
            if not entries:
                found.append(f"{topic}: append an example of version {version} to {FOLDER.name}.")
                continue
            for field, kind in shape.fields.items():
                values = [entry.fields.get(field) for entry in entries]
                if kind.endswith("| None") and (None in values) == all(v is None for v in values):
                    missing = "set" if None in values else "unset"
                    found.append(f"{topic}: append an example with {field} {missing}.")
    return found


def breaches(corpus: Sequence[Entry], seals: Mapping[str, str]) -> Sequence[str]:
    """Say what was edited, taken out or not sealed yet: the corpus only grows."""
    found = [
        f"{name} was taken out of the corpus; logs still have it."
        for name in sorted(seals.keys() - {entry.name for entry in corpus})
    ]
    for entry in corpus:
        seal = seals.get(entry.name)
        if seal is None:
            found.append(f'add to {SEALS.name}: "{entry.name}": "{entry.seal}"')
        elif seal != entry.seal:
            found.append(f"{entry.name} was edited; what is stored is not. Append another.")
    return found


def _version(entry: Entry) -> tuple[str, int]:
    return entry.topic, entry.class_version
