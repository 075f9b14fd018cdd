"""Bench `generation`: jobs through the whole house over bare calls of the same pipeline.

API, log, projector, dispatcher, Kafka and worker run as in production, each in its process; the
model is the tiny one of the LTX-2 family, whose weights are random and cost what others would. Each
job is a storyboard of a single shot, so that no two are rendered together.
"""

import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from myriorama.bench.encoding import measure_encoding
from myriorama.bench.gpu_rendering import measure_on_gpu
from myriorama.bench.outcome import Outcome, Progress, median
from myriorama.bench.publishing import Client
from myriorama.bench.scratch import House, ProgramNotAnswering, scratch_house
from myriorama.store.embedded_kafka import start_kafka
from myriorama.studio.diffusion import SIGMAS, WITHOUT_GUIDANCE, frames_of, require
from myriorama.studio.ltx2_sampling import noise_of
from myriorama.studio.renderer import Scene
from myriorama.studio.tiny_model import ensure_tiny_model

JOBS = 6
SECONDS = 2
SCENE = Scene("a red ball bounces on the beach", 640, 640, seconds=SECONDS, seed=7)
_WISH = {
    "shots": [{"prompt": SCENE.prompt, "seconds": SECONDS}],
    "seconds": SECONDS,
    "orientation": "square",
    "resolution": "480p",
}
_LOOK_EVERY_S = 0.05
_PATIENCE_S = 600.0
_SETTINGS = {
    "MYRIORAMA_RENDERER": "ltx2",
    "MYRIORAMA_MODEL": "tiny",
    "MYRIORAMA_SIGN_UP": "open",
    "MYRIORAMA_GENERATIONS_IN_FLIGHT_MAX": "100",
    "MYRIORAMA_QUEUE_IN_FLIGHT_MAX": "100",
}


def measure(progress: Progress) -> Outcome:
    """Have a job made by itself, and several at once; then call the pipeline by itself."""
    with scratch_house() as house:
        folder = ensure_tiny_model(house.folder / "models" / "ltx2-tiny")
        with _studio(house) as api:
            _made(api, 1)  # The model is loaded, and the files of the libraries with it.
            alone_s = _made(api, 1)[0]
            progress(f"one job took {alone_s:.1f} s")
            spans = _made(api, JOBS)
            progress(f"{JOBS} jobs took {spans[-1]:.1f} s")
        renders = list(_renders(house.folder / "myriorama-work.log"))[-JOBS:]
        bare_s = _bare(folder)
        progress(f"a bare call took {bare_s:.1f} s")
    # From one draft to the next: that is what a job costs as long as there is another one.
    job_s = (spans[-1] - spans[0]) / (JOBS - 1)
    rendered_s = sum(render_ms for _, render_ms in renders) / 1000
    idle_s = sum(idle_ms for idle_ms, _ in renders[1:]) / 1000
    figures = {
        "idle_share": idle_s / (idle_s + rendered_s),
        "job_s": job_s,
        "bare_s": bare_s,
        "render_s": rendered_s / len(renders),
        "alone_s": alone_s,
        "alone_over_pipeline": alone_s / bare_s,
        "encode_cpu_s": measure_encoding(progress).encode_cpu_s,
        **measure_on_gpu().figures,
    }
    return Outcome("generation", figures, {"job_over_pipeline": job_s / bare_s})


@contextmanager
def _studio(house: House) -> Generator["_Studio"]:
    """Run all that is between a wish and a draft."""
    broker = start_kafka()
    settings = {**_SETTINGS, "MYRIORAMA_KAFKA": broker.bootstrap}
    with ExitStack() as stack:
        stack.callback(broker.stop)
        stack.enter_context(house.program("myriorama", "project", **settings))
        stack.enter_context(house.program("myriorama", "dispatch", **settings))
        port = stack.enter_context(house.server("myriorama.bootstrap.api:api", **settings))
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        stack.callback(connection.close)
        url = f"http://127.0.0.1:{port}"
        worker = house.program("myriorama", "work", **settings, MYRIORAMA_PUBLIC_URL=url)
        stack.enter_context(worker)
        yield _Studio(Client(connection))


class _Studio:
    """Asks for videos, and sees when they are there."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._token = client.sign_up("author")["access_token"]

    def ask(self) -> str:
        answer = self._client.call("POST", "/v1/generations", self._token, json.dumps(_WISH))
        return str(answer["generation_id"])

    def states(self) -> Mapping[str, str]:
        items = self._client.call("GET", "/v1/generations", self._token)["items"]
        return {str(item["generation_id"]): str(item["state"]) for item in items}


def _made(studio: _Studio, jobs: int) -> Sequence[float]:
    """Ask for so many at once; return after how many seconds each of them was a draft."""
    began_s = time.perf_counter()
    waiting = {studio.ask() for _ in range(jobs)}
    spans: list[float] = []
    while waiting:
        states = studio.states()
        ended = {wish for wish in waiting if states.get(wish) in {"completed", "failed"}}
        if any(states[wish] == "failed" for wish in ended):
            raise ProgramNotAnswering("a generation failed")
        spans += [time.perf_counter() - began_s] * len(ended)
        waiting -= ended
        if time.perf_counter() - began_s > _PATIENCE_S:
            raise ProgramNotAnswering(f"{len(waiting)} drafts are not there")
        time.sleep(_LOOK_EVERY_S)
    return spans


def _renders(log: Path) -> Iterator[tuple[int, int]]:
    """Yield of each render for how long the renderer waited for it, and how long it took, in ms."""
    idle_ms = 0
    for line in log.read_text().splitlines():
        told: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        if told.get("event") == "rendering":
            idle_ms = int(told["idle_ms"])
        elif told.get("event") == "rendered":
            yield idle_ms, int(told["render_ms"])


def _bare(folder: Path) -> float:
    """Return how many seconds the pipeline takes when nobody else wants anything of it."""
    torch, diffusers = require("torch"), require("diffusers")
    torch.set_num_threads(1)
    pipeline = diffusers.LTX2Pipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    took_s = list[float]()
    for _ in range(4):
        began_s = time.perf_counter()
        pipeline(
            prompt=SCENE.prompt,
            width=SCENE.width,
            height=SCENE.height,
            num_frames=frames_of(SCENE),
            frame_rate=float(SCENE.fps),
            sigmas=list(SIGMAS),
            num_inference_steps=len(SIGMAS),
            generator=noise_of(SCENE),
            output_type="np",
            **WITHOUT_GUIDANCE,
        )
        took_s.append(time.perf_counter() - began_s)
    return median(took_s[1:])
