"""Warming: whoever asks first does not wait for a compiler."""

import subprocess
import sys

import pytest

pytest.importorskip("sklearn")

# A process of its own: what other tests have run is compiled in this one.
_FIRST_PAGES = """
import sys
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
from numba.core.dispatcher import Dispatcher

from domain.steering.events import RuleAdded
from myriorama.bootstrap.feeds import create_state
from myriorama.feed.warming import warm_up
from ranking.affinities import Affinities, Table
from ranking.effects import Effects
from ranking.heuristic import Heuristic
from ranking.model import Model
from ranking.pipeline import rank
from ranking.query import Query
from tests.ranking.crowds import crowd
from tests.ranking.test_model import blob
from tests.ranking.worlds import NOON_MS, account, drawn


def compiled():
    return {
        f"{module}.{name}": len(found.signatures)
        for module, names in list(sys.modules.items())
        if module.startswith("ranking.") and "training" not in module
        for name, found in list(vars(names).items())
        if isinstance(found, Dispatcher)
    }

some = np.arange(30, dtype=np.int32)
table = Table(some, np.arange(31), some[::-1].copy(), np.ones(30, np.float32))
effects = Effects.empty()._replace(videos=some, video=np.ones(30, np.float32))
unread = replace(Model.load(blob()), affinities=Affinities(table, table, effects))
model = Model.load(unread.encode())
for ranker in (Heuristic(), model):
    warm_up(create_state(), ranker)
before = compiled()

world = drawn(3, records=400)
state = world.state()
made, people, videos = crowd(200)
made.watch(people[0], *videos[:30])
made.follow(people[0], people[1])
said = (people[0], UUID(int=1), "boost", "topic", ("fox",), None, 50, None, "more foxes")
made.happen(RuleAdded(UUID(int=2), 2, made.now, *said))
for ranker in (Heuristic(), model):
    for kind in ("for_you", "popular"):
        for number in range(6):
            query = Query(UUID(int=number), account(number).bytes, kind, NOON_MS + 10**9, number)
            rank(state, ranker, state.active.policy, query)
            asked = made.ask(people[number], kind, seed=number)
            rank(made.state, ranker, made.state.active.policy, asked)

print(sum(before.values()))
print(*sorted(name for name, count in compiled().items() if count > before.get(name, 0)))
"""


def test_nothing_is_left_to_compile_for_the_first_who_asks_by_the_formula_or_a_model() -> None:
    done = subprocess.run(  # noqa: S603 - it is ours
        [sys.executable, "-c", _FIRST_PAGES], check=True, capture_output=True, text=True
    )

    early, late = done.stdout.splitlines()[-2:]
    assert int(early) > 30
    assert not late
