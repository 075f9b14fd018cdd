"""Loops over arrays of the ads, compiled to machine code when they first run.

The same sums in the same order on every call: no fast maths, no threads. What was compiled is kept
for the next start, in a folder named by all the code of the ads: a loop takes in those that it
calls, and numba looks for changes in the file of the outer one alone.
"""

import os
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return the function, compiled for the types it is called with, kept between runs."""
    return _decorated(function)


def borrowing(function: F) -> F:
    """Return the function, compiled to work on arrays that its caller holds, and to make none.

    Who holds an array is not counted, which would take half the time of a decision: a function
    that makes or returns an array is refused. Calls of one another are written out.
    """
    return _decorated(function, forceinline=True, _nrt=False)


def inner(function: F) -> F:
    """Return a borrowing function that others of them alone call: half as long to compile."""
    return _decorated(function, forceinline=True, _nrt=False, no_cpython_wrapper=True)


def _decorated(function: F, **options: bool) -> F:
    decorate = cast("Callable[..., Callable[[F], F]]", numba.njit)
    # numba asks for the folder as it decorates; the ranking's loops have another one.
    before = getattr(config, "CACHE_DIR")  # noqa: B009 - the types know of none
    setattr(config, "CACHE_DIR", _FOLDER)  # noqa: B010 - the types know of none
    try:
        return decorate(cache=True, nogil=True, no_cfunc_wrapper=True, **options)(function)
    finally:
        setattr(config, "CACHE_DIR", before)  # noqa: B010 - the types know of none


def _folder() -> str:
    """Return where to keep what was compiled of this code: below `NUMBA_CACHE_DIR` if it is set."""
    code = sha256()
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        code.update(path.read_bytes())
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    beside = Path(chosen) if chosen else here / "__pycache__"
    try:
        beside.mkdir(parents=True, exist_ok=True)
    except OSError:
        writable = False
    else:
        writable = os.access(beside, os.W_OK)
    # Never a folder that somebody else may have made: what lies there is run.
    kept = (beside if writable else Path(tempfile.mkdtemp())) / f"loops-{code.hexdigest()[:16]}"
    return str(kept)


_FOLDER = _folder()
