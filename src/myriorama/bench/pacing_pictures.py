"""A picture of each pacing mode: what its lines spent against what was planned."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ads.targets import Mode
from ads.welfare import Array

SHOWN = 6
_COLUMNS = 3
_ROWS = 2
_GONE = 99.0


def plot_mode(mode: Mode, spent: Array, planned: Array, path: Path) -> None:
    """Draw the first six lines: (checkpoints, lines) shares of their budgets."""
    # Matplotlib's types leave its texts partly unknown.
    figure: Any = Figure(figsize=(10, 6), layout="constrained")
    panels = figure.subplots(_ROWS, _COLUMNS, sharex=True, sharey=True)
    hours = 24 * np.arange(len(spent) + 1) / len(spent)
    for place, panel in enumerate(panels.flat):
        if place >= min(SHOWN, spent.shape[1]):
            panel.set_visible(False)
            continue
        plan, path_of = (100 * np.insert(each[:, place], 0, 0.0) for each in (planned, spent))
        panel.plot(hours, plan, color="0.55", linestyle="--", label="plan")
        panel.plot(hours, path_of, color="C0", label="spent")
        off = float(np.abs(plan - path_of).max())
        gone = float(hours[np.argmax(path_of >= _GONE)]) if path_of.max() >= _GONE else None
        soon = "not spent" if gone is None else f"spent by {gone:.1f} h"
        told = soon if mode == "asap" else f"at most {off:.1f} % off"
        panel.set_title(f"line {place + 1}: {told}", fontsize=10)
        panel.set_xlim(0, 24)
        panel.set_ylim(0, 105)
        panel.set_xticks([0, 6, 12, 18, 24])
        panel.grid(visible=True, alpha=0.3)
    panels[0, 0].legend(loc="lower right", fontsize=9)
    figure.supxlabel("hour of the day")
    figure.supylabel("% of the budget")
    figure.suptitle(f"Pacing mode {mode}: spend against plan")
    figure.savefig(path, dpi=110)
