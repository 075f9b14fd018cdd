"""From nothing to a folder of weights: trains, judges, and writes what is to be known of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from myriorama.studio.emoji import judge, measuring, pipeline, sheets, stages
from myriorama.studio.emoji.measuring import Figures
from myriorama.studio.emoji.training import Progress, Report

PROMPTS = 100
JUDGE_STEPS = 900


def make(plan: stages.Plan, out: Path, report: Report) -> Mapping[str, Figures]:
    """Train the model, save it in `out`, and measure what was saved."""
    parts = stages.train_model(plan, report)
    pipeline.save(parts, out)
    courses = sorted(plan.folder.glob("*.csv"))
    sheets.curves({file.stem: file for file in courses if file.stat().st_size}, out / "curves.png")
    return measured(out, plan.folder, report)


def measured(model: Path, folder: Path, report: Report) -> Mapping[str, Figures]:
    """Judge saved weights; writes `figures.json` and sample sheets beside them.

    The judge is kept in `folder`, and trained if it is not there.
    """
    kept = folder / "judge.pt"
    if kept.exists():
        seeing = judge.loaded(kept)
    else:
        seeing = judge.trained(JUDGE_STEPS, 101, _telling(report, "judge"))
        judge.saved(seeing, kept)
    rendering = pipeline.opened(model)
    figures = {"drawn clips": measuring.of_drawings(seeing, 2 * PROMPTS, 201)}
    for name, seed, other_words in (("held-out scenes", 301, False), ("held-out words", 302, True)):
        prompts = measuring.held_out(PROMPTS, seed, other_words=other_words)
        figures[name], clips, _ = measuring.of_model(
            rendering, seeing, prompts, _telling(report, name)
        )
        _sheet(clips[:24], [text for _, text in prompts[:24]], model / f"{_slug(name)}.png")
    rows = {name: asdict(value) for name, value in figures.items()}
    (model / "figures.json").write_text(json.dumps(rows, indent=2) + "\n")
    return figures


def _telling(report: Report, part: str) -> Any:
    def tell(done: int, total: int) -> None:
        report(Progress(part, done / total, done, {}))

    return tell


def _sheet(clips: torch.Tensor, captions: Sequence[str], path: Path) -> None:
    pixels = (clips.movedim(2, -1).clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    sheets.contact_sheet(np.asarray(pixels), captions, path)


def _slug(name: str) -> str:
    return name.replace(" ", "-")
