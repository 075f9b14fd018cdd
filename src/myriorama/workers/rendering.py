"""Rendering, in a process of its own: nothing that a model does can take the worker with it.

`python -m myriorama.workers.rendering FD` renders what comes through a socket, one thing after the
other, with a renderer that stays warm. It knows the object store, and neither the API nor Kafka.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from domain.generation.work import Delivery, Work
from myriorama.store.objects import ObjectNotFound, Objects, content_key, open_objects
from myriorama.studio.encoding import encode
from myriorama.studio.marking import burn_mark
from myriorama.studio.renderer import (
    Cancelled,
    Likeness,
    Preview,
    Renderer,
    Scene,
    UnrenderableScene,
)

_SECRETS = ("MYRIORAMA_DATABASE_URL", "MYRIORAMA_SECRET", "MYRIORAMA_WORKER_TOKEN")


class Studio(msgspec.Struct, frozen=True, tag=True):
    """With what to render. `model` is a folder; empty: a tiny model is built in `home`."""

    objects: str
    renderer: str
    model: str
    home: str


class Render(msgspec.Struct, frozen=True, tag=True):
    """Render this."""

    work: Work


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Nobody wants what is being rendered any more."""


class Step(msgspec.Struct, frozen=True, tag=True):
    """So many steps are done."""

    done: int
    total: int


class Made(msgspec.Struct, frozen=True, tag=True):
    """The files are in the object store."""

    delivery: Delivery


class Broken(msgspec.Struct, frozen=True, tag=True):
    """Nothing came of it. `reason` is a stable code."""

    reason: str
    detail: str


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """It was stopped, as told."""


News = Step | Made | Broken | Stopped

_ORDERS: msgspec.json.Decoder[Render | Stop] = msgspec.json.Decoder(Render | Stop)
_NEWS: msgspec.json.Decoder[News] = msgspec.json.Decoder(News)


class RenderProcess:
    """The process as the worker holds it. A crash is news like any other; then it starts anew."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    @property
    def pid(self) -> int | None:
        """The process that renders; None before the first render, and after a crash."""
        return self._process.pid if self._process else None

    def begin(self, work: Work) -> None:
        """Begin a render; `poll` tells what becomes of it. The one before must have ended."""
        if self._process is None or self._process.poll() is not None:
            self.kill()
            self._start()
        self._send(Render(work))

    def poll(self, *, timeout_s: float) -> News | None:
        """Return what has happened; None if nothing has, yet."""
        connection = self._connection
        if connection is None:
            return Broken("renderer_crashed", "The renderer's process is gone.")
        try:
            return _NEWS.decode(connection.recv_bytes()) if connection.poll(timeout_s) else None
        except (EOFError, OSError):
            code = self.kill()
            return Broken("renderer_crashed", f"The renderer's process ended with {code}.")

    def stop(self) -> None:
        """Have the render stopped at its next step."""
        self._send(Stop())

    def kill(self) -> int | None:
        """End the process at once; return its exit code, or what killed it as a negative."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        # Its socket is closed: a process that has ended by itself gets the time to say how.
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=0.2)
        process.kill()
        return process.wait()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", __spec__.name, str(theirs.fileno())],
                env={name: value for name, value in os.environ.items() if name not in _SECRETS},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        self._connection = Connection(ours.detach())
        self._send(self._studio)

    def _send(self, message: msgspec.Struct) -> None:
        if self._connection is not None:
            with suppress(OSError):  # It is gone, which `poll` tells.
                self._connection.send_bytes(msgspec.json.encode(message))


def main(descriptor: int) -> None:
    """Render what comes, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection: Connection[Any, Any] = Connection(descriptor)
    with suppress(EOFError, OSError):
        studio = msgspec.json.decode(connection.recv_bytes(), type=Studio)
        objects, renderer = open_objects(studio.objects), _renderer(studio)
        while True:
            order = _ORDERS.decode(connection.recv_bytes())
            if isinstance(order, Render):  # A `Stop` that came too late stops nothing.
                news = _render(order.work, connection, objects, renderer)
                connection.send_bytes(msgspec.json.encode(news))


def _renderer(studio: Studio) -> Renderer:
    # torch takes seconds to import and gigabytes to hold: only who renders with it does.
    if studio.renderer == "ltx2":
        from myriorama.studio.diffusion import LTX2Renderer  # noqa: PLC0415
        from myriorama.studio.tiny_model import ensure_tiny_model  # noqa: PLC0415

        if studio.model:
            return LTX2Renderer(Path(studio.model), name=f"ltx2-{Path(studio.model).name}"[:100])
        folder = ensure_tiny_model(Path(studio.home) / "models" / "ltx2-tiny")
        return LTX2Renderer(folder, name="ltx2-tiny")
    from myriorama.studio.procedural import ProceduralRenderer  # noqa: PLC0415

    return ProceduralRenderer()


def _render(
    work: Work, connection: "Connection[Any, Any]", objects: Objects, renderer: Renderer
) -> Made | Broken | Stopped:
    def on_step(done: int, total: int, _: Preview | None) -> None:
        connection.send_bytes(msgspec.json.encode(Step(done, total)))
        if connection.poll(0) and isinstance(_ORDERS.decode(connection.recv_bytes()), Stop):
            raise Cancelled

    try:
        scene = _scene(work, objects)
        began_s = time.monotonic()
        clip = renderer.render(scene, on_step)
        render_ms = round((time.monotonic() - began_s) * 1000)
        with TemporaryDirectory(prefix="myriorama-") as folder:
            burn_mark(clip.frames)
            encoded = encode(clip, Path(folder))
            delivery = Delivery(
                video_key=_put(objects, "videos", encoded.video, "video/mp4"),
                poster_key=_put(objects, "posters", encoded.poster, "image/jpeg"),
                thumbnail_key=_put(objects, "thumbnails", encoded.thumbnail, "image/webp"),
                sha256=encoded.sha256,
                size_bytes=encoded.size_bytes,
                width=encoded.width,
                height=encoded.height,
                duration_ms=encoded.duration_ms,
                renderer=renderer.name,
                gpu_ms=render_ms if _on_gpu() else 0,
            )
        return Made(delivery)
    except Cancelled:
        return Stopped()
    except UnrenderableScene as error:
        return Broken("unrenderable", str(error))
    except ObjectNotFound as error:
        return Broken("input_missing", str(error))
    except (EOFError, BrokenPipeError):
        raise  # The worker is gone: so are we.
    except Exception as error:  # noqa: BLE001 - whatever a model throws, the process stays warm
        return Broken("render_failed", repr(error))


def _scene(work: Work, objects: Objects) -> Scene:
    return Scene(
        prompt=work.prompt,
        width=work.width,
        height=work.height,
        seconds=work.seconds,
        seed=work.seed,
        fps=work.fps,
        image=objects.read(work.image_key) if work.image_key else None,
        cameos=tuple(
            Likeness(cameo.name, objects.read(cameo.face_key), cameo.voice_pitch_hz)
            for cameo in work.cameos
        ),
    )


def _put(objects: Objects, kind: str, path: Path, media_type: str) -> str:
    key = content_key(kind, sha256(path.read_bytes()).hexdigest(), path.suffix)
    objects.put(key, path, media_type=media_type)
    return key


def _on_gpu() -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_available())


if __name__ == "__main__":
    main(int(sys.argv[1]))
