"""Python's collector of cycles, kept from looking through every window of events."""

import gc

_ALLOCATIONS = 100_000


def spare_windows() -> None:
    """Let the collector of this process leave windows alone; to be called once all is loaded.

    A window is some ten thousand objects without a cycle, gone when it is folded. By default the
    collector looks through them, and now and then through all that was ever imported, many times a
    window, which takes more than twice as long as decoding and folding.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
