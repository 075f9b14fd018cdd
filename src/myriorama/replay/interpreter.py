"""Python as processes need it that fold windows of events: its collector, and its threads."""

import gc
import sys

_ALLOCATIONS = 100_000
_TURN_S = 0.0005


def suit_windows() -> None:
    """Set this process up for folding; to be called once all is loaded.

    A window is some ten thousand objects without a cycle, gone when it is folded. By default the
    collector of cycles looks through them, and now and then through all that was ever imported,
    many times a window, which takes more than twice as long as decoding and folding.

    While one thread decodes, another asks PostgreSQL a few short things: it would wait for its turn
    ten times as long as for the answers.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
    sys.setswitchinterval(_TURN_S)
