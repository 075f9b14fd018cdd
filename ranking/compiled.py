"""Loops over arrays, compiled to machine code when they first run.

The same sums in the same order on every call: no fast maths, no threads, so that what was ranked
can be ranked again to the bit. Other threads go on meanwhile.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] # numba has no types

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return the function, compiled for the types it is called with, kept between runs."""
    decorate = cast("Callable[[F], F]", njit(cache=True, nogil=True))
    return decorate(function)
