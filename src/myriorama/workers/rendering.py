"""Rendering, in a process of its own, which alone holds the models and the GPU.

`python -m myriorama.workers.rendering FD` obeys a worker. While one order is rendered the next one
is made ready and the clips of the last one are handed over, so that the GPU does not wait. It knows
the object store, and neither the API nor Kafka.
"""

import errno
import io
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from domain.generation.models import Capabilities
from myriorama.store.objects import ObjectNotFound, Objects, open_objects
from myriorama.studio.catalogue import Models
from myriorama.studio.diffusion import WorkerExtraMissing
from myriorama.studio.marking import burn_mark
from myriorama.studio.masters import MasterUnreadable
from myriorama.studio.renderer import (
    Cancelled,
    Clip,
    GPUMemoryExhausted,
    OnStep,
    Preview,
    Renderer,
    Scene,
    UnrenderableScene,
)
from myriorama.studio.shots import cut
from myriorama.studio.weights import WeightsMissing
from myriorama.workers.child import Parent
from myriorama.workers.handover import leave
from myriorama.workers.orders import (
    Began,
    Broken,
    Clips,
    Render,
    Rendered,
    RenderOrder,
    Shown,
    Step,
    Stop,
    Stopped,
    Studio,
)
from myriorama.workers.previews import preview_key
from myriorama.workers.scenes import scenes_of

CLIPS_MAX = 2
"""So many orders' clips are in memory at most: one is rendered, one on its way to the disk."""

_STUDIO: msgspec.json.Decoder[Studio] = msgspec.json.Decoder(Studio)
_ORDERS: msgspec.json.Decoder[RenderOrder] = msgspec.json.Decoder(RenderOrder)
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def main(descriptor: int) -> None:
    """Render what is ordered, one order after the other, until the worker is gone."""
    parent = Parent(descriptor)
    studio = parent.hear(_STUDIO)
    models = Models(studio.renderer, studio.model, Path(studio.home), precision=studio.precision)
    RenderRoom(parent, open_objects(studio.objects), Warm(models)).work()


class Warm:
    """The model that was used last, which stays loaded; another one takes its place."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._name = ""
        self._renderer: Renderer | None = None

    def able(self, name: str) -> Capabilities:
        """Return what a model can do.

        Raises:
            WeightsMissing: it cannot be had here.
        """
        return self._models.able(name)

    def renderer(self, name: str) -> Renderer:
        """Return the renderer of this name.

        Raises:
            WeightsMissing, WorkerExtraMissing: it cannot be had here.
        """
        if self._renderer is None or name != self._name:
            self._renderer = None  # Its memory may be needed for the next one.
            self._renderer = self._models.open_renderer(name)
            self._name = name
        return self._renderer


@dataclass(frozen=True)
class _Ready:
    """An order whose scenes are ready, one list of shots for each work; or why they are not."""

    render: Render
    scenes: Sequence[Sequence[Scene]]
    broken: Broken | None = None


class RenderRoom:
    """Renders in the thread that calls `work`; all else is done beside it."""

    def __init__(self, parent: Parent, objects: Objects, warm: Warm) -> None:
        self._parent = parent
        self._objects = objects
        self._warm = warm
        self._ready: SimpleQueue[_Ready] = SimpleQueue()
        self._unwanted: set[int] = set()
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")
        self._room = threading.Semaphore(CLIPS_MAX)
        self._ended_s = time.monotonic()
        self._is_spent = False

    def work(self) -> None:
        self._parent.obey(_ORDERS, self._obey)
        while not self._is_spent:
            ready = self._ready.get()
            self._room.acquire()
            self._render(ready)
            self._ended_s = time.monotonic()
        self._aside.shutdown()

    def _obey(self, order: RenderOrder) -> None:
        match order:
            case Render():
                self._ready.put(self._prepared(order))
            case Stop(number):
                self._unwanted.add(number)

    def _prepared(self, render: Render) -> _Ready:
        try:
            scenes = [
                scenes_of(work, self._objects, self._warm.able(work.model)) for work in render.works
            ]
        except Exception as error:  # noqa: BLE001 - told as news, whatever an input makes it
            return _Ready(render, [], _broken(render.order, error))
        return _Ready(render, scenes)

    def _render(self, ready: _Ready) -> None:
        """Render an order, and tell; the clips go their way while the next one is rendered."""
        order = ready.render.order
        began_s = time.monotonic()
        idle_ms = round((began_s - self._ended_s) * 1000)
        if ready.broken is not None or order in self._unwanted:
            self._end(ready.broken or Stopped(order))
            return
        try:
            self._parent.tell(Began(order, idle_ms))
            renderer = self._warm.renderer(ready.render.works[0].model)
            clips = self._clips(renderer, ready)
        except Cancelled:
            self._end(Stopped(order))
        except Exception as error:  # noqa: BLE001 - whatever a model throws, it is told as news
            self._end(_broken(order, error))
        else:
            render_ms = round((time.monotonic() - began_s) * 1000)
            able = renderer.capabilities
            rendered = Rendered(
                renderer=renderer.name,
                digest=renderer.digest,
                render_ms=render_ms,
                gpu_ms=render_ms // len(clips) if _on_gpu() else 0,
                is_procedural=able.is_procedural,
                speaks=able.speaks,
                follows_speech=able.needs_speech,
            )
            self._aside.submit(self._hand_over, ready.render, clips, rendered)
        finally:
            self._unwanted.discard(order)

    def _clips(self, renderer: Renderer, ready: _Ready) -> list[list[Clip]]:
        """Render the shots of a single work one by one, or single shots of several together."""
        render, scenes = ready.render, ready.scenes
        if len(scenes) == 1:
            shots = scenes[0]
            steps = [self._steps(render, shot, len(shots)) for shot in range(len(shots))]
            clips = [renderer.render(*each) for each in zip(shots, steps, strict=True)]
            if not render.works[0].shots:
                return [clips]
            return [[cut(clip, scene.seconds) for clip, scene in zip(clips, shots, strict=True)]]
        together = renderer.render_together([s[0] for s in scenes], self._steps(render, 0, 1))
        return [[clip] for clip in together]

    def _steps(self, render: Render, shot: int, shots: int) -> OnStep:
        """Tell the steps of one shot as steps of all of them."""

        def on_step(done: int, total: int, preview: Preview | None) -> None:
            if render.order in self._unwanted:
                raise Cancelled
            whole = shots * total
            now = shot * total + done
            self._parent.tell(Step(render.order, now, whole))
            quarter = now * 4 // whole
            if preview is not None and (now - 1) * 4 // whole < quarter < 4:  # noqa: PLR2004
                self._aside.submit(self._show, render, quarter, preview().copy())

        return on_step

    def _show(self, render: Render, quarter: int, frames: NDArray[np.uint8]) -> None:
        """Lay what can be seen so far into the object store. What goes wrong here harms nothing."""
        keys: list[str] = []
        for work, four in zip(render.works, np.split(frames, len(render.works)), strict=True):
            key = preview_key(work.generation_id, quarter)
            try:
                self._objects.put(key, _strip(four), media_type="image/webp")
            except OSError:
                return
            keys.append(key)
        self._parent.tell(Shown(render.order, tuple(keys)))

    def _hand_over(self, render: Render, clips: list[list[Clip]], rendered: Rendered) -> None:
        news: Clips | Broken = Clips(render.order, rendered)
        try:
            for folder in render.folders:
                leave(clips.pop(0), Path(folder))
        except Exception as error:  # noqa: BLE001 - told as news
            news = _broken(render.order, error)
        clips.clear()
        self._room.release()
        self._parent.tell(news)

    def _end(self, news: Broken | Stopped) -> None:
        """Tell, behind all that is still on its way: after some ends this process is ended."""
        self._room.release()
        self._aside.submit(self._parent.tell, news)
        self._is_spent = isinstance(news, Broken) and news.is_spent


def is_disk_full(error: BaseException) -> bool:
    """Tell whether there was no room for a file, on the disk or within a quota."""
    return isinstance(error, OSError) and error.errno in _DISK_FULL


def _broken(order: int, error: Exception) -> Broken:
    reason = _reason(error)
    return Broken(order, reason, repr(error), is_spent=reason in _SPENT)


def _reason(error: Exception) -> str:
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    if isinstance(error, RuntimeError) and "CUDA" in str(error):
        return "gpu_failed"
    return "disk_full" if is_disk_full(error) else "render_failed"


_REASONS: Sequence[tuple[tuple[type[Exception], ...], str]] = (
    ((UnrenderableScene,), "unrenderable"),
    ((ObjectNotFound, MasterUnreadable), "input_missing"),
    ((WeightsMissing, WorkerExtraMissing), "model_missing"),
    ((GPUMemoryExhausted, MemoryError), "out_of_memory"),
)
_SPENT = frozenset({"out_of_memory", "gpu_failed"})
"""After these the process holds what it cannot give back, or its device fails with every call."""


def _strip(frames: NDArray[np.uint8]) -> bytes:
    """Join frames side by side, marked as generated, as WebP."""
    burn_mark(frames)
    strip = io.BytesIO()
    Image.fromarray(np.hstack(list(frames))).save(strip, format="WEBP", quality=70, method=2)
    return strip.getvalue()


def _on_gpu() -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_available())


if __name__ == "__main__":
    main(int(sys.argv[1]))
