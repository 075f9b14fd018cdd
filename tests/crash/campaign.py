"""A crash campaign: clients at work, everything killed at random moments, and then the proof.

    python -m tests.crash.campaign --seconds 600 --seed 7 --folder .myriorama/crash

The seed fixes what clients decide and what is killed when; how processes interleave is up to the
machine, so that a seed finds a fault again with luck, and its histories show it for certain.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.checker import Violation, check_domain_log
from tests.crash.consent_checker import generations_start_only_with_consent
from tests.crash.final_logs import read_domain_log, read_streams, read_view_log
from tests.crash.history import History, read_histories
from tests.crash.house import House
from tests.crash.relay_checker import check_relayed
from tests.crash.view_checker import check_view_log

KINDS = (
    "backend",
    "broker",
    "connection",
    "postmaster",
    "projector",
    "relay",
    "submitter",
    "subscriber",
    "viewer",
    "writer",
)
_SETTLE_S_MAX = 180.0
_PAUSE_S_MEAN = 0.4
_REPORT_EVERY_S = 15.0


@dataclass
class Report:
    """What a campaign came to."""

    seed: str
    folder: Path
    seconds: float
    kills: Counter[str]
    lines: Counter[str]
    events: int
    views: int
    violations: Sequence[Violation]
    commands: dict[str, int] = field(default_factory=dict[str, int])
    """Exit statuses of the commands that were run on what was left."""

    @property
    def sound(self) -> bool:
        return not self.violations and not any(self.commands.values())

    def __str__(self) -> str:
        killed = ", ".join(f"{kind} {times}" for kind, times in sorted(self.kills.items()))
        told = ", ".join(f"{what} {times}" for what, times in sorted(self.lines.items()))
        verdicts = ", ".join(f"{what}: exit {status}" for what, status in self.commands.items())
        return "\n".join(
            (
                f"seed {self.seed}, {self.seconds:.0f} s",
                f"killed {self.kills.total()}: {killed}",
                f"told: {told}",
                f"in the logs: {self.events} events, {self.views} views",
                verdicts,
                f"violations: {len(self.violations)}",
            )
        )


def run(folder: Path, *, seed: str, seconds: float, tell: Callable[[str], object]) -> Report:
    """Break a house for so long, let it settle, and check everything. Leaves all in `folder`."""
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    house = House(folder, seed)
    try:
        house.start()
        began = time.monotonic()
        _break(house, chosen, began + seconds, tell)
        tell("settling")
        house.stop("writer", "submitter", "viewer")
        unsettled = list(_settle(house))
        house.stop("subscriber", "reader", "projector", "relay", "consumer")
        tell("checking")
        histories = read_histories(house.histories)
        domain, views = read_domain_log(house.url), read_view_log(house.url)
        violations = [
            *unsettled,
            *(Violation("a client ended by itself", ended) for ended in house.ended),
            *check_domain_log(histories, domain),
            *generations_start_only_with_consent(histories, domain),
            *check_view_log(histories, views),
            *check_relayed(histories, read_streams(domain, views), house.broker),
        ]
        commands: dict[str, int] = {}
        for what in ("log", "state"):
            done = house.command("verify", what)
            commands[f"verify {what}"] = done.returncode
            tell((done.stdout + done.stderr).strip().splitlines()[-1])
    finally:
        house.close()
    return Report(
        seed,
        folder,
        time.monotonic() - began,
        house.kills,
        _counted(histories),
        len(domain.events),
        len(views.views),
        violations,
        commands,
    )


def main() -> None:
    """Run a campaign as the command line says; exits with 1 if anything was violated."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)))
    options.add_argument("--folder", type=Path, help="where all is left; begun anew")
    chosen = options.parse_args()
    folder: Path = chosen.folder or Path(tempfile.mkdtemp(prefix="myriorama-crash-"))
    shutil.rmtree(folder, ignore_errors=True)
    print(f"seed {chosen.seed}, in {folder}", flush=True)  # noqa: T201 - a command
    report = run(
        folder.resolve(),
        seed=chosen.seed,
        seconds=chosen.seconds,
        tell=lambda line: print(line, flush=True),  # noqa: T201 - a command
    )
    print(report)  # noqa: T201 - a command
    for violation in report.violations[:20]:
        print(f"VIOLATION {violation.rule}: {violation.where}")  # noqa: T201 - a command
    if not report.sound:
        print(f"histories and data are kept in {folder}; run the same again with")  # noqa: T201
        print(f"  make crash SEED={report.seed} SECONDS={chosen.seconds:.0f}")  # noqa: T201
        sys.exit(1)


def _break(
    house: House, chosen: random.Random, until: float, tell: Callable[[str], object]
) -> None:
    """Kill one kind after another, each as often as the others, now and then two at once."""
    report_at = time.monotonic() + _REPORT_EVERY_S
    for kind in _kinds(chosen):
        time.sleep(chosen.expovariate(1 / _PAUSE_S_MEAN))
        if time.monotonic() > until:
            return
        house.kill(kind, chosen)
        if chosen.random() < 0.1:
            house.kill(chosen.choice(KINDS), chosen)
        house.tend()
        if time.monotonic() > report_at:
            report_at += _REPORT_EVERY_S
            left = until - time.monotonic()
            tell(f"{house.kills.total()} kills, {_told(house.heads())}, {left:.0f} s to go")


def _kinds(chosen: random.Random) -> Iterator[str]:
    while True:
        yield from chosen.sample(KINDS, len(KINDS))


def _settle(house: House) -> Iterator[Violation]:
    """Wait until whoever follows the logs has come to their ends; yield who does not."""
    deadline = time.monotonic() + _SETTLE_S_MAX
    behind = house.behind()
    while behind and time.monotonic() < deadline:
        time.sleep(0.5)
        house.tend()
        behind = house.behind()
    consumed = -1
    while consumed != house.consumed() and time.monotonic() < deadline:
        consumed = house.consumed()
        time.sleep(3)
    for who in behind:
        yield Violation("who follows the log never came to its end", who)


def _told(heads: dict[str, int]) -> str:
    return ", ".join(f"{log} log at {head}" for log, head in heads.items())


def _counted(histories: Sequence[History]) -> Counter[str]:
    return Counter(type(line).__name__.lower() for h in histories for line in h.lines)


if __name__ == "__main__":
    main()
