"""The history checker of the relay: what a broker's consumers saw is the log, once and in order."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tests.crash.checker import Violation
from tests.crash.history import Consumed, History, every


def check_relayed(
    histories: Sequence[History], wanted: Mapping[str, Sequence[int]], last_broker: int
) -> Iterator[Violation]:
    """Hold every broker to the log; `wanted` are the positions that belong on each topic.

    A broker that was killed was read in part, and between the partitions of a topic there is no
    order: that nothing is missing is held against the last one alone, which was read to its end.
    """
    seen: defaultdict[tuple[int, str, int], list[Consumed]] = defaultdict(list)
    for record in every(histories, Consumed):
        seen[record.broker, record.topic, record.partition].append(record)
    relayed: defaultdict[tuple[int, str], Counter[int]] = defaultdict(Counter)
    for (broker, topic, partition), records in seen.items():
        yield from _in_order(f"{topic}/{partition} of broker {broker}", records)
        for record in records:
            relayed[broker, topic].update(record.positions)
    for (broker, topic), positions in relayed.items():
        where = f"{topic} of broker {broker}"
        strange = set(positions) - set(wanted.get(topic, ()))
        if strange:
            yield Violation("relayed what does not belong there", f"{where}: {min(strange)}")
        doubles = [position for position, times in positions.items() if times > 1]
        if doubles:
            yield Violation("relayed twice", f"{where}: {min(doubles)}")
    for topic, belonging in wanted.items():
        missing = set(belonging) - set(relayed[last_broker, topic])
        if missing:
            yield Violation("not relayed", f"{topic}: {min(missing)}, and {len(missing)} in all")


def _in_order(where: str, records: Sequence[Consumed]) -> Iterator[Violation]:
    positions = [position for record in records for position in record.positions]
    for before, position in pairwise(positions):
        if position < before:
            yield Violation("relayed out of order", f"{where}: {position} after {before}")
