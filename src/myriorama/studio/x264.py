"""What libx264 has to be told so that the same pictures always give the same bytes."""

from pathlib import Path
from typing import Final

_FEATURES = Path("/proc/cpuinfo")


def _routines() -> dict[str, str]:
    """Keep to the routines for AVX2 where libx264 would choose those for AVX-512.

    On a virtual machine whose cores were busy, one encoding in thirty by libx264 165's routines for
    AVX-512 came to other bytes, and none of 1,150 by these; alone, both were always the same.
    """
    try:
        features = _FEATURES.read_text(encoding="ascii", errors="replace").split()
    except OSError:  # not Linux: there they are never chosen, or rarely
        return {}
    return {"x264-params": "asm=avx2"} if "avx512f" in features else {}


# One thread gives the same bytes on every machine, and leaves the others to others.
STEADY: Final = {"threads": "1", **_routines()}
