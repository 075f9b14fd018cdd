"""A living house whose feed comes to be ranked by a model that was trained on its own log.

Run by itself it serves slates by the formula, trains on what came of them, activates the model
while slates are served, serves as many by it as are asked for, and makes each again from the logs:

    python -m tests.replay.trained_house 10000
"""

import sys
import time
from datetime import UTC, datetime, timedelta

from myriorama.application.accounts import OPERATOR
from myriorama.application.rankings import Rankings
from myriorama.bootstrap.embedding import prompt_vectors
from myriorama.bootstrap.feeds import create_stretches, create_usable
from myriorama.bootstrap.training import keep
from myriorama.replay.training_slates import gather
from ranking.heads import MATURE_MS
from ranking.training import affinities, fitting
from ranking.training.examples import Examples
from ranking.training.slates import Gathering
from tests.replay.living_house import House, furnished_house, serve, told, told_of_all

_FIRST = 2000
_LATER = timedelta(milliseconds=MATURE_MS, hours=1)


def trained(house: House, plan: fitting.Plan, learnt: Examples | None = None) -> str:
    """Train on the log, taking for complete what came of it so far; return the model's digest.

    Args:
        house: whose log it is.
        plan: how much is grown.
        learnt: what the heads learn of, where the log is too short for that.
    """
    until = datetime.now(UTC) + _LATER
    stretches = create_stretches(house.pool, house.objects)
    found = gather(house.pool, stretches, _gathering, until, lambda _line: None)
    tables = affinities.fit(found.state)._replace(effects=found.state.effects())
    examples = found.examples if learnt is None else learnt
    fitted = fitting.fit(examples, tables, lambda _line: None, until_ms=0, plan=plan)
    keep(house.objects, fitted.model.digest, fitted.model.encode())
    return fitted.model.digest


def activate(house: House, digest: str) -> None:
    """Let the feed be ranked by a model."""
    rankings = Rankings(house.log, create_usable(house.objects))
    rankings.activate_model(digest, by=OPERATOR, at=datetime.now(UTC))


def _gathering() -> Gathering:
    vectors = prompt_vectors()
    return Gathering(vectors.embed, vectors.topics)


def _main(count: int) -> int:
    with furnished_house() as house:
        at_s = time.monotonic()
        serve(house, _FIRST)
        at_s = told(f"{_FIRST} slates served by the formula", at_s)
        digest = trained(house, fitting.USUAL)
        at_s = told(f"the model {digest} trained", at_s)
        serve(house, count, by=digest, meanwhile=lambda: activate(house, digest))
        return told_of_all(house, told(f"{count} slates served by it", at_s))


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1])))
