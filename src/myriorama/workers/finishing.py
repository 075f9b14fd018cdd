"""Finishing, in processes of their own, which yield to whoever else needs the CPU.

`python -m myriorama.workers.finishing FD` obeys a worker: it makes of rendered clips what can be
published, and lays that into the object store. A crash of an encoder ends one attempt, no more.
"""

import os
import sys
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from domain.generation.work import Delivery
from myriorama.store.objects import Objects, content_key, open_objects
from myriorama.studio.finishing import File, finish
from myriorama.workers.child import Parent
from myriorama.workers.handover import take
from myriorama.workers.orders import Broken, Finish, Finishing, Made
from myriorama.workers.rendering import is_disk_full

_FINISHING: msgspec.json.Decoder[Finishing] = msgspec.json.Decoder(Finishing)
_ORDERS: msgspec.json.Decoder[Finish] = msgspec.json.Decoder(Finish)
_NICENESS = 10


def main(descriptor: int) -> None:
    """Finish what is ordered, one order after the other, until the worker is gone."""
    os.nice(_NICENESS)
    parent = Parent(descriptor)
    finishing = parent.hear(_FINISHING)
    room = FinishRoom(open_objects(finishing.objects))
    while True:
        parent.tell(room.finish(parent.hear(_ORDERS)))


class FinishRoom:
    """What finishing needs, at hand from one order to the next."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def finish(self, order: Finish) -> Made | Broken:
        try:
            with TemporaryDirectory(dir=order.folder) as folder:
                return Made(order.order, self._delivery(order, Path(folder)))
        except Exception as error:  # noqa: BLE001 - whatever a library throws, it is told as news
            reason = "disk_full" if is_disk_full(error) else "finishing_failed"
            return Broken(order.order, reason, repr(error))

    def _delivery(self, order: Finish, folder: Path) -> Delivery:
        clip = take(Path(order.folder))
        finished = finish(clip, order.work, folder)
        # What is referred to comes last: until then a file more in the store is of no account.
        return Delivery(
            video_key=self._put(finished.video),
            poster_key=self._put(finished.poster),
            thumbnail_key=self._put(finished.thumbnail),
            sha256=finished.sha256,
            size_bytes=finished.size_bytes,
            width=finished.width,
            height=finished.height,
            duration_ms=finished.duration_ms,
            renderer=order.rendered.renderer,
            gpu_ms=order.rendered.gpu_ms,
        )

    def _put(self, file: File) -> str:
        with file.path.open("rb") as opened:
            sha256 = file_digest(opened, "sha256").hexdigest()
        key = content_key(file.kind, sha256, file.path.suffix)
        self._objects.put(key, file.path, media_type=file.media_type)
        return key


if __name__ == "__main__":
    main(int(sys.argv[1]))
