"""Finishing, in processes of their own, which yield to whoever else needs the CPU.

`python -m myriorama.workers.finishing FD` obeys a worker: it makes of rendered clips what can be
published, and lays that into the object store. A crash of an encoder ends one attempt, no more.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from domain.generation.work import Delivery, Work
from myriorama.store.objects import ObjectNotFound, Objects, content_key, open_objects
from myriorama.studio.captions import CaptionsUnreadable
from myriorama.studio.certificates import Credentials
from myriorama.studio.finishing import File, Finisher, Marks, Origin, Parts, RenderFailed
from myriorama.studio.manifest import SigningFailed
from myriorama.studio.masters import MasterUnreadable
from myriorama.studio.screening import Screening
from myriorama.studio.synthesis import SpeechBroken
from myriorama.studio.watermark import Watermark
from myriorama.workers.child import Parent
from myriorama.workers.fetching import fetched
from myriorama.workers.handover import take
from myriorama.workers.orders import Broken, Finish, Finishing, Made, Rendered
from myriorama.workers.rendering import is_disk_full

_FINISHING: msgspec.json.Decoder[Finishing] = msgspec.json.Decoder(Finishing)
_ORDERS: msgspec.json.Decoder[Finish] = msgspec.json.Decoder(Finish)
_NICENESS = 5


def main(descriptor: int) -> None:
    """Finish what is ordered, one order after the other, until the worker is gone."""
    os.nice(_NICENESS)
    parent = Parent(descriptor)
    finishing = parent.hear(_FINISHING)
    room = FinishRoom.of(finishing)
    while True:
        parent.tell(room.finish(parent.hear(_ORDERS)))


class FinishRoom:
    """What finishing needs, at hand from one order to the next."""

    def __init__(self, objects: Objects, finisher: Finisher) -> None:
        self._objects = objects
        self._finisher = finisher

    @classmethod
    def of(cls, finishing: Finishing) -> "FinishRoom":
        """Open what is named.

        Raises:
            PolicyInvalid: the policy of the screening cannot be used.
        """
        credentials = Credentials(
            finishing.certificates,
            key=finishing.key,
            signer_url=finishing.signer_url,
            signer_token=finishing.signer_token,
        )
        marks = Marks(Watermark(finishing.watermark_key.encode()), credentials)
        screening = Screening.from_policy(Path(finishing.policy) if finishing.policy else None)
        return cls(open_objects(finishing.objects), Finisher(marks, screening))

    def finish(self, order: Finish) -> Made | Broken:
        """Finish a clip, and lay what comes of it into the object store."""
        try:
            with TemporaryDirectory(dir=order.folder) as folder:
                return Made(order.order, self._delivery(order, Path(folder)))
        except Exception as error:  # noqa: BLE001 - whatever a library throws, it is told as news
            return Broken(order.order, _reason(error), repr(error))

    def _delivery(self, order: Finish, folder: Path) -> Delivery:
        work = order.work
        with fetched(self._objects, _keys(work), within=folder) as paths:
            clip = take(Path(order.folder)) if order.rendered else None
            finished = self._finisher.finish(
                clip, work, _origin(order.rendered, work), folder, _parts(work, paths)
            )
            # Whatever happens on the way, nothing refers to what was stored so far.
            keys = {file.kind: self._put(file) for file in finished.files}
        return replace(
            finished.facts,
            video_key=keys["videos"],
            poster_key=keys["posters"],
            thumbnail_key=keys["thumbnails"],
            master_key=keys["masters"],
            sprite_key=keys["sprites"],
            captions_key=keys.get("captions"),
        )

    def _put(self, file: File) -> str:
        with file.path.open("rb") as opened:
            sha256 = file_digest(opened, "sha256").hexdigest()
        key = content_key(file.kind, sha256, file.path.suffix)
        self._objects.put(key, file.path, media_type=file.media_type)
        return key


def _keys(work: Work) -> Sequence[str]:
    others = (work.rerolled_key, work.parent_video_key, *work.stitch_captions)
    return [*work.stitch_keys, *(key for key in others if key is not None)]


def _parts(work: Work, paths: Sequence[Path]) -> Parts:
    """Say what each of the files is that `_keys` named."""
    rest = iter(paths[len(work.stitch_keys) :])
    return Parts(
        stitched=paths[: len(work.stitch_keys)],
        rerolled=next(rest) if work.rerolled_key is not None else None,
        parent=next(rest) if work.parent_video_key is not None else None,
        captions=[None if key is None else next(rest) for key in work.stitch_captions],
    )


def _origin(rendered: Rendered | None, work: Work) -> Origin:
    if rendered is None:
        return Origin(work.model, digest="")
    return Origin(
        model=rendered.renderer,
        digest=rendered.digest,
        gpu_ms=rendered.gpu_ms,
        is_procedural=rendered.is_procedural,
        speaks=rendered.speaks,
        follows_speech=rendered.follows_speech,
    )


def _reason(error: Exception) -> str:
    match error:
        case ObjectNotFound() | MasterUnreadable() | CaptionsUnreadable():
            return "input_missing"
        case RenderFailed():
            return "render_failed"
        case SigningFailed():
            return "signing_failed"
        case SpeechBroken():
            return "speech_failed"
        case _:
            return "disk_full" if is_disk_full(error) else "finishing_failed"


if __name__ == "__main__":
    main(int(sys.argv[1]))
