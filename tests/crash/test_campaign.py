"""A short crash campaign: everything is killed a few times, and the logs are what was promised."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

from tests.crash.campaign import KINDS, run

_SECONDS = 30
_SEED = "a short campaign"


def test_whatever_is_killed_the_logs_are_what_everybody_was_told() -> None:
    folder = Path(mkdtemp(prefix="myriorama-crash-"))

    report = run(folder, seed=_SEED, seconds=_SECONDS, tell=print)

    print(f"{report}\nhistories and data are kept in {folder}")  # noqa: T201 - read if it fails
    assert report.violations == []
    assert report.commands == {"verify log": 0, "verify state": 0}
    assert len(report.kills) > len(KINDS) / 2
    assert report.lines["acknowledged"] > 0
    assert report.lines["receipted"] > 0
    shutil.rmtree(folder)  # not before all is found to be sound
