"""Provenance: whether a video of this house is the file that was made, with all its marks.

Asked by the gate of publication and by `verify media`. What has to be is told by the log; what is
there is read anew from the object store.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import BoundedSemaphore
from uuid import UUID

from myriorama.store.objects import ObjectNotFound, Objects
from myriorama.studio.examination import Examined, examine
from myriorama.studio.inspection import Refused
from myriorama.studio.watermark import BIT_ERRORS_MAX, Watermark

Examiner = Callable[[Path], Examined | Refused]


@dataclass(frozen=True)
class Marks:
    """What the log says of a video's file. `watermark` is 16 hex digits; empty: it has none."""

    generation_id: UUID
    video_key: str
    sha256: str
    watermark: str


class Provenance:
    """Reads files again, as many at a time as there are cores."""

    def __init__(
        self,
        objects: Objects,
        watermark: Watermark,
        *,
        trust: str,
        examiner: Examiner | None = None,
    ) -> None:
        """Trust signatures under an authority, in PEM, and marks under the watermark's key."""
        self._objects = objects
        self._watermark = watermark
        self._examine: Examiner = examiner or partial(examine, trust=trust)
        self._turn = BoundedSemaphore(os.cpu_count() or 1)

    def missing(self, marks: Marks) -> str | None:
        """Say what a video's file lacks; None is nothing. It keeps a core busy for a second."""
        with NamedTemporaryFile(prefix="myriorama-", suffix=".mp4") as copy:
            digest = sha256()
            try:
                for chunk in self._objects.stream(marks.video_key):
                    digest.update(chunk)
                    copy.write(chunk)
            except ObjectNotFound:
                return "The file is not there."
            copy.flush()
            if digest.hexdigest() != marks.sha256:
                return "The file is not the one that was made: its digest is another."
            with self._turn:
                examined = self._examine(Path(copy.name))
        if isinstance(examined, Refused):
            return f"The file cannot be looked at: {examined.detail}."
        return self._unsigned(examined, marks) or self._unmarked(examined, marks)

    def _unsigned(self, examined: Examined, marks: Marks) -> str | None:
        manifest = examined.manifest
        if manifest is None:
            return "The C2PA manifest is missing."
        if manifest.state != "trusted":
            why = ", ".join(manifest.failures) or "it is not signed by this house"
            return f"The C2PA manifest does not hold: {why}."
        if manifest.generation_id != marks.generation_id:
            return "The C2PA manifest is of another generation."
        if not manifest.has_visible_mark or manifest.watermark != marks.watermark:
            return "The C2PA manifest does not tell of the marks in the picture."
        return None

    def _unmarked(self, examined: Examined, marks: Marks) -> str | None:
        found = examined.watermark(self._watermark, is_whole=True)
        if found is None:
            return "The watermark is missing."
        wrong = (found.payload ^ int(marks.watermark or "0", 16)).bit_count()
        if not marks.watermark or wrong > BIT_ERRORS_MAX:
            return "The watermark is of another generation."
        if not examined.has_visible_mark:
            return "The visible mark is missing."
        return None
