"""Likeness: how like two videos are, by author, line, prompt and the people who appear in them.

A sum of kernels each of which is positive semi-definite, so the sum is: what determinantal
selection asks for. All inner products are of whole numbers small enough to be exact in float32, so
the kernel is the same on every machine, in whichever order it is summed.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import Videos
from ranking.policy import Diversity
from ranking.query import Serials

Floats = NDArray[np.float64]


def likeness(videos: Videos, serials: Serials, policy: Diversity) -> Floats:
    """Return the kernel of videos, (n, n) with 1 on its diagonal."""
    author, line = videos.author[serials], videos.line[serials]
    kernel: Floats = np.where(author[:, None] == author, policy.author, 0.0)
    kernel += np.where(line[:, None] == line, policy.line, 0.0)
    if policy.prompt:
        kernel += policy.prompt * _cosine(videos.codes[serials].astype(np.float32))
    if policy.cameo:
        kernel += policy.cameo * _cosine(_appearances(videos, serials))
    np.fill_diagonal(kernel, 1.0)
    return kernel


def _cosine(rows: NDArray[np.float32]) -> Floats:
    """Return the cosines of rows of whole numbers; a row of zeros is like none."""
    products: Floats = (rows @ rows.T).astype(np.float64)
    lengths = np.sqrt(np.maximum(products.diagonal(), 1.0))
    products /= lengths[:, None] * lengths
    return products


def _appearances(videos: Videos, serials: Serials) -> NDArray[np.float32]:
    """Return who appears in which video, (videos, cameos) of 0 and 1."""
    offsets, cameos = videos.cameos_of(serials)
    known, columns = np.unique(cameos, return_inverse=True)
    appearances = np.zeros((len(serials), len(known)), np.float32)
    rows = np.repeat(np.arange(len(serials)), np.diff(offsets))
    appearances[rows, columns] = 1.0
    return appearances
