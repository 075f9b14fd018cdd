"""Pitch: how high a voice speaks, by autocorrelation.

Read when a cameo's voice is let in; a generated voice is tuned to it.
"""

from statistics import median

import numpy as np
from numpy import fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

PITCH_HZ_MIN, PITCH_HZ_MAX = 60.0, 500.0


def median_pitch_hz(samples: NDArray[np.int16], rate: int) -> float | None:
    """Tell the median pitch of the voiced parts of mono sound, or None where nothing is voiced."""
    size, hop = rate // 20, rate // 40
    if len(samples) < size:
        return None
    signal = samples.astype(np.float32)
    frames = sliding_window_view(signal, size)[::hop]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(size).astype(np.float32)
    energies = (frames**2).sum(axis=1)
    loud = frames[energies > _QUIET * energies.max()] if energies.max() > 0 else frames[:0]
    pitches = [pitch for frame in loud if (pitch := _pitch_hz(frame, rate)) is not None]
    return round(median(pitches), 1) if pitches else None


_QUIET = 0.05
_VOICED = 0.5
_OCTAVE = 0.9


def _pitch_hz(frame: NDArray[np.float32], rate: int) -> float | None:
    """Find the shortest period that explains the frame about as well as the best one does."""
    size = len(frame)
    window = np.hanning(size)
    correlation = _autocorrelation(frame) / np.maximum(_autocorrelation(window), 1e-3)
    shortest, longest = int(rate / PITCH_HZ_MAX), min(int(rate / PITCH_HZ_MIN), size * 2 // 3)
    lags = correlation[shortest : longest + 1]
    peaks = 1 + np.flatnonzero((lags[1:-1] >= lags[:-2]) & (lags[1:-1] > lags[2:]))
    if len(peaks) == 0 or lags[peaks].max() < _VOICED:
        return None
    # A period's multiples fit too: the first peak near the best is the pitch, no octave below.
    peak = int(peaks[lags[peaks] >= _OCTAVE * lags[peaks].max()][0])
    before, top, after = (float(value) for value in lags[peak - 1 : peak + 2])
    shift = 0.5 * (before - after) / (before - 2 * top + after)
    return rate / (shortest + peak + shift)


def _autocorrelation(frame: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correlate a frame with itself, so that lag 0 is 1."""
    spectrum = fft.rfft(frame, 2 * len(frame))
    correlation: NDArray[np.float64] = fft.irfft(np.abs(spectrum) ** 2)[: len(frame)]
    return correlation / max(float(correlation[0]), 1e-9)
