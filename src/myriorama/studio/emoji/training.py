"""The loop that all parts of the small model are trained by: by the clock, and resumable.

A moving average of the weights is what is kept in the end; it is written every minute or so, so
that a usable model is there at any time.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import Tensor, nn

Step = Callable[[], Mapping[str, Tensor]]
"""One step: makes a batch, and returns the losses by name; the one named `loss` is learnt from."""


@dataclass(frozen=True)
class Progress:
    """How far a part is: of its time, 0 to 1, and its losses of late."""

    part: str
    done: float
    steps: int
    losses: Mapping[str, float]

    def __str__(self) -> str:
        told = "".join(f" {name} {loss:.4f}" for name, loss in self.losses.items())
        return f"{self.part} {self.done:.0%} {self.steps}{told}"


Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Course:
    """One part's training: for how long, how fast, and where its state is kept.

    `rate_orthogonal` is the rate of Muon for the matrices of transformer blocks; zero: AdamW alone.
    """

    part: str
    seconds: float
    rate: float
    folder: Path
    rate_orthogonal: float = 0.0
    average: float = 0.999
    save_every_s: float = 60.0

    @property
    def state(self) -> Path:
        return self.folder / f"{self.part}.state"

    @property
    def curve(self) -> Path:
        return self.folder / f"{self.part}.csv"


def draw_from(seed: int) -> None:
    """Begin the sequence of what torch draws by lot."""
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType] - torch leaves it untyped


def train(course: Course, modules: Mapping[str, nn.Module], step: Step, report: Report) -> None:
    """Train modules until the time is up, from where it was left. They end as their average."""
    _Training(course, modules, step, report).run()


class _Training:
    def __init__(
        self, course: Course, modules: Mapping[str, nn.Module], step: Step, report: Report
    ) -> None:
        self._course, self._modules, self._step, self._report = course, modules, step, report
        named = [pair for module in modules.values() for pair in module.named_parameters()]
        self._parameters = [parameter for _, parameter in named if parameter.requires_grad]
        self._optimisers = _optimisers(course, named)
        self._average = [parameter.detach().clone() for parameter in self._parameters]
        self._steps, self._spent_s = 0, 0.0

    def run(self) -> None:
        self._resume()
        course = self._course
        last = saved = monotonic()
        losses: list[Mapping[str, float]] = []
        while self._spent_s < course.seconds:
            losses.append(self._learn())
            now = monotonic()
            self._spent_s += now - last
            last = now
            if now - saved > course.save_every_s or self._spent_s >= course.seconds:
                self._tell(losses)
                self._save()
                losses, saved = [], now
        with torch.no_grad():
            for parameter, average in zip(self._parameters, self._average, strict=True):
                parameter.copy_(average)

    def _learn(self) -> Mapping[str, float]:
        factor = _rate(self._spent_s / self._course.seconds, self._steps)
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * factor
            optimiser.zero_grad(set_to_none=True)
        losses = self._step()
        losses["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped.
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for optimiser in self._optimisers:
            optimiser.step()
        self._steps += 1
        # Young averages follow quickly, so that the beginning is soon forgotten.
        weight = 1 - min(self._course.average, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            for average, parameter in zip(self._average, self._parameters, strict=True):
                average.lerp_(parameter, weight)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _tell(self, losses: Sequence[Mapping[str, float]]) -> None:
        means = {name: sum(row[name] for row in losses) / len(losses) for name in losses[0]}
        is_new = not self._course.curve.exists()
        with self._course.curve.open("a", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(["steps", "seconds", *means])
            writer.writerow([self._steps, round(self._spent_s), *means.values()])
        done = min(1.0, self._spent_s / self._course.seconds)
        self._report(Progress(self._course.part, done, self._steps, means))

    def _save(self) -> None:
        state = {
            "modules": {name: module.state_dict() for name, module in self._modules.items()},
            "average": self._average,
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "steps": self._steps,
            "spent_s": self._spent_s,
        }
        partial = self._course.state.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._course.state)

    def _resume(self) -> None:
        if not self._course.state.exists():
            return
        state: dict[str, Any] = torch.load(
            self._course.state, map_location=self._parameters[0].device
        )
        for name, module in self._modules.items():
            module.load_state_dict(state["modules"][name])
        for optimiser, kept in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self._average = state["average"]
        self._steps, self._spent_s = state["steps"], state["spent_s"]


_WARM_UP_STEPS = 100
_STEADY = 0.55
"""So much of the time at the full rate; then it falls to nothing."""


def _rate(done: float, steps: int) -> float:
    falling = min(1.0, max(0.02, (1 - done) / (1 - _STEADY)))
    return min(1.0, (steps + 1) / _WARM_UP_STEPS) * falling


_MATRIX_MIN = 64


def _optimisers(
    course: Course, named: Sequence[tuple[str, nn.Parameter]]
) -> list[torch.optim.Optimizer]:
    wide = [
        parameter
        for name, parameter in named
        if course.rate_orthogonal
        and "transformer_blocks" in name
        and parameter.ndim == len(("rows", "columns"))
        and min(parameter.shape) >= _MATRIX_MIN
    ]
    chosen = {id(parameter) for parameter in wide}
    others = [p for _, p in named if p.requires_grad and id(p) not in chosen]
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, lr=course.rate, betas=(0.9, 0.98), weight_decay=0.0)
    ]
    if wide:
        optimisers.append(
            torch.optim.Muon(
                wide,
                lr=course.rate_orthogonal,
                weight_decay=0.01,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
    return optimisers
