"""The fair queue against the order of arrival: the same requests, GPUs and rule as in production.

One account asks for hundreds of videos at once, two hundred others for a few each, and together for
more than the GPUs can make. What is simulated is the clock alone: who is next says the queue that
the dispatcher runs, by estimates, while renders take what they take.
"""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple
from uuid import UUID

from domain.generation.fair_queue import FairQueue, Release, Rules, Waiting
from myriorama.bench.outcome import Outcome, Progress, percentile

SEEDS = range(5)
GPUS = 4
WINDOW = 4
HEAVY = UUID(int=0)
LIGHT = [UUID(int=number) for number in range(1, 201)]
HEAVY_JOBS = 800
LIGHT_JOBS = 450
HOUR_S = 3600.0
# What a video is estimated to take of a GPU, and how far off that may be.
_COSTS_MS = (6_000, 6_000, 6_000, 12_000, 12_000, 25_000)
_CAMEO = 1.8
_ERROR = 0.2
# Accounts that all want more than there is, for videos of very different sizes.
_EQUALS = 20
_EQUALS_S = 1800.0


class Job(NamedTuple):
    """A request, and what its render really takes."""

    waiting: Waiting
    render_s: float


class Run(NamedTuple):
    """How long each job waited for a GPU, and the GPU time that each account had until the end."""

    waits_s: Mapping[UUID, Sequence[float]]
    used_s: Mapping[UUID, float]


Order = Callable[[Sequence[Waiting], Mapping[UUID, int], int, float], Sequence[Waiting]]
"""Who is released: of those that wait, with what is in work, so many, at this time."""


def measure(progress: Progress) -> Outcome:
    """Measure with several seeds; what is reported is the worst of them."""
    ratios, jains, fifo_jains, heavy = list[float](), list[float](), list[float](), list[float]()
    p95_s = list[float]()
    for seed in SEEDS:
        jobs = crowd(seed)
        fair, fifo = simulated(jobs, fair_order(), HOUR_S), simulated(jobs, fifo_order, HOUR_S)
        light = {name: _p95(run, LIGHT) for name, run in (("fair", fair), ("fifo", fifo))}
        p95_s.append(light["fair"])
        ratios.append(light["fair"] / light["fifo"])
        entitled = fair_shares(_demands(jobs), GPUS * HOUR_S)
        peers = equals(seed)
        shares = simulated(peers, fair_order(), _EQUALS_S).used_s
        jains.append(min(jain(_normalised(fair.used_s, entitled)), jain([*shares.values()])))
        fifo_jains.append(jain(_normalised(fifo.used_s, entitled)))
        heavy.append(
            percentile([*fair.waits_s[HEAVY]], 0.95) / percentile([*fifo.waits_s[HEAVY]], 0.95)
        )
        progress(f"seed {seed}: light p95 {light['fair']:.0f} s, by arrival {light['fifo']:.0f} s")
    return Outcome(
        "queue",
        figures={
            "jain": min(jains),
            "jain_fifo": min(fifo_jains),
            "light_p95_s": max(p95_s),
            "seeds": len(SEEDS),
        },
        ratios={"light_p95_over_fifo": max(ratios), "heavy_p95_over_fifo": max(heavy)},
    )


def crowd(seed: int) -> Sequence[Job]:
    """Return an hour of requests: all of the heavy account's at once, the others' as they come."""
    chance = random.Random(seed)  # noqa: S311 - a simulation, which has to be the same again
    asked = [(0.0, HEAVY)] * HEAVY_JOBS
    asked += [(chance.uniform(0, HOUR_S), chance.choice(LIGHT)) for _ in range(LIGHT_JOBS)]
    return [*_jobs(chance, sorted(asked), lambda _: chance.choice(_COSTS_MS))]


def equals(seed: int) -> Sequence[Job]:
    """Return more than there is time for, of accounts whose videos are of different sizes."""
    chance = random.Random(seed)  # noqa: S311 - as above
    sizes = {UUID(int=number): chance.choice(_COSTS_MS) for number in range(_EQUALS)}
    asked = [(0.0, who) for who, ms in sizes.items() for _ in range(int(800_000 / ms))]
    return [*_jobs(chance, asked, lambda who: sizes[who])]


def fair_order() -> Order:
    """Return the order of the fair queue, as the dispatcher has it."""
    queue = FairQueue(Rules(account_in_flight_max=GPUS + WINDOW))

    def order(
        waiting: Sequence[Waiting], in_work: Mapping[UUID, int], room: int, now_s: float
    ) -> Sequence[Waiting]:
        found = queue.admitted(
            waiting, in_flight=in_work, credits_free={"plain": room}, now_s=now_s
        )
        for one in found:
            queue.released(Release(*one[1:5], released_s=now_s))
        return found

    return order


def fifo_order(
    waiting: Sequence[Waiting], _: Mapping[UUID, int], room: int, now_s: float
) -> Sequence[Waiting]:
    """Return the order of arrival."""
    del now_s
    return sorted(waiting, key=lambda one: (one.requested_s, one.generation_id))[:room]


def simulated(jobs: Sequence[Job], order: Order, until_s: float) -> Run:
    """Let the GPUs take the jobs out of a short queue that is filled in the order.

    Returns:
        The waits of all jobs; and the GPU time of each account up to `until_s`.
    """
    coming = deque(sorted(jobs, key=lambda job: job.waiting.requested_s))
    renders_s = {job.waiting.generation_id: job.render_s for job in jobs}
    waiting: dict[UUID, deque[Waiting]] = defaultdict(deque)
    delivered, in_work = deque[Waiting](), Counter[UUID]()
    running: list[tuple[float, UUID]] = []
    waits_s, used_s = defaultdict[UUID, list[float]](list), defaultdict[UUID, float](float)
    now_s, unserved = 0.0, len(jobs)
    while unserved:
        while coming and coming[0].waiting.requested_s <= now_s:
            one = coming.popleft().waiting
            waiting[one.account_id].append(one)
        room = WINDOW - len(delivered) + GPUS - len(running)
        firsts = [one for own in waiting.values() for one in [*own][:room]] if room else []
        for one in order(firsts, in_work, room, now_s):
            waiting[one.account_id].remove(one)
            delivered.append(one)
            in_work[one.account_id] += 1
        while delivered and len(running) < GPUS:
            one, unserved = delivered.popleft(), unserved - 1
            took_s = renders_s[one.generation_id]
            heappush(running, (now_s + took_s, one.account_id))
            waits_s[one.account_id].append(now_s - one.requested_s)
            used_s[one.account_id] += max(0.0, min(took_s, until_s - now_s))
        next_s = [running[0][0]] if running else []
        next_s += [coming[0].waiting.requested_s] if coming else []
        now_s = min(next_s, default=now_s)
        while running and running[0][0] <= now_s:
            in_work[heappop(running)[1]] -= 1
    return Run(waits_s, used_s)


def fair_shares(demands: Mapping[UUID, float], capacity: float) -> Mapping[UUID, float]:
    """Return what each is entitled to: what it asks for, or as much as others of what is short."""
    entitled, left = dict[UUID, float](), capacity
    for place, (who, demand) in enumerate(sorted(demands.items(), key=lambda item: item[1])):
        entitled[who] = min(demand, left / (len(demands) - place))
        left -= entitled[who]
    return entitled


def jain(shares: Sequence[float]) -> float:
    """Return Jain's index: 1 if all have the same, 1/n if one has everything."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def _jobs(
    chance: random.Random, asked: Sequence[tuple[float, UUID]], cost_of: Callable[[UUID], int]
) -> Iterator[Job]:
    for number, (at_s, who) in enumerate(asked):
        cost_ms = int(cost_of(who) * (_CAMEO if chance.random() < 1 / 4 else 1))
        waiting = Waiting(UUID(int=number), who, "plain", cost_ms, at_s)
        yield Job(waiting, cost_ms / 1000 * chance.lognormvariate(0, _ERROR))


def _demands(jobs: Sequence[Job]) -> Mapping[UUID, float]:
    demands = defaultdict[UUID, float](float)
    for job in jobs:
        demands[job.waiting.account_id] += job.render_s
    return demands


def _normalised(used_s: Mapping[UUID, float], entitled: Mapping[UUID, float]) -> Sequence[float]:
    return [used_s.get(who, 0.0) / share for who, share in entitled.items()]


def _p95(run: Run, accounts: Sequence[UUID]) -> float:
    return percentile([wait for who in accounts for wait in run.waits_s.get(who, ())], 0.95)
