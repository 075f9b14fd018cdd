"""Likeness: how like two videos are, by author, line, prompt and the people who appear in them.

A sum of kernels each of which is positive semi-definite, so the sum is: what determinantal
selection asks for. All inner products are of whole numbers small enough to be exact in float32, so
the kernel is the same on every machine, in whichever order it is summed.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import Videos
from ranking.compiled import compiled
from ranking.policy import Diversity
from ranking.query import Serials

Floats = NDArray[np.float64]


def likeness(videos: Videos, serials: Serials, policy: Diversity) -> Floats:
    """Return the kernel of videos, (n, n) with 1 on its diagonal."""
    alike = np.zeros((2, len(serials), len(serials)), np.float32)
    if policy.prompt:
        codes = videos.codes[serials].astype(np.float32)
        alike[0] = codes @ codes.T
    if policy.cameo:
        appearances = _appearances(videos, serials)
        if appearances.size:
            alike[1] = appearances @ appearances.T
    weights = (policy.author, policy.line, policy.prompt, policy.cameo)
    return _kernel(videos.author[serials], videos.line[serials], alike, weights)


@compiled
def _kernel(
    author: Serials,
    line: Serials,
    alike: NDArray[np.float32],
    weights: tuple[float, float, float, float],
) -> Floats:
    """Return the sum of the kernels; `alike` are products, of which the cosines are taken."""
    count = len(author)
    kernel = np.empty((count, count))
    lengths = np.empty((2, count))
    for row in range(count):
        lengths[0, row] = np.sqrt(max(np.float64(alike[0, row, row]), 1.0))
        lengths[1, row] = np.sqrt(max(np.float64(alike[1, row, row]), 1.0))
    for row in range(count):
        for other in range(count):
            total = weights[0] if author[row] == author[other] else 0.0
            total += weights[1] if line[row] == line[other] else 0.0
            by_prompt = alike[0, row, other] / (lengths[0, row] * lengths[0, other])
            by_cameo = alike[1, row, other] / (lengths[1, row] * lengths[1, other])
            kernel[row, other] = total + weights[2] * by_prompt + weights[3] * by_cameo
        kernel[row, row] = 1.0
    return kernel


def _appearances(videos: Videos, serials: Serials) -> NDArray[np.float32]:
    """Return who appears in which video, (videos, cameos) of 0 and 1."""
    offsets, cameos = videos.cameos_of(serials)
    known, columns = np.unique(cameos, return_inverse=True)
    appearances = np.zeros((len(serials), len(known)), np.float32)
    rows = np.repeat(np.arange(len(serials)), np.diff(offsets))
    appearances[rows, columns] = 1.0
    return appearances
