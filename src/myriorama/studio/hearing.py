"""Sound as the LTX-2 family hears it: stereo at the rate of its autoencoder, as latents."""

import io
import wave
from typing import Any

import numpy as np
from av import AudioFrame, AudioResampler
from numpy.typing import NDArray

from myriorama.studio.diffusion import require
from myriorama.studio.renderer import Recording

_WINDOW = 1024


def recorded(voice: bytes) -> Recording:
    """Read a voice as it is kept: a WAV file of 16-bit mono."""
    with wave.open(io.BytesIO(voice)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return Recording(samples.astype(np.float32) / np.float32(32_768), file.getframerate())


def stereo(recording: Recording, rate_hz: int) -> NDArray[np.float32]:
    """Return the recording at another rate, of shape (2, samples)."""
    samples = np.atleast_2d(recording.samples)[:2].astype(np.float32)
    samples = np.ascontiguousarray(np.broadcast_to(samples, (2, samples.shape[1])))
    if recording.sample_rate_hz == rate_hz or not samples.size:
        return samples
    frame = AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate = recording.sample_rate_hz
    resampler = AudioResampler(format="fltp", layout="stereo", rate=rate_hz)
    resampled = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray() for part in resampled], axis=1).astype(np.float32)


def loudest(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Cut out the stretch of a length where most is heard."""
    if samples.shape[1] <= length:
        return samples
    heard = np.concatenate([[0.0], np.square(samples, dtype=np.float64).sum(0).cumsum()])
    starts = [*range(0, samples.shape[1] - length, max(1, length // 4)), samples.shape[1] - length]
    start = max(starts, key=lambda first: heard[first + length] - heard[first])
    return samples[:, start : start + length]


def latents_of(pipeline: Any, samples: NDArray[np.float32]) -> Any:
    """Encode stereo at the rate of the autoencoder: normalised (1, channels, steps, bins)."""
    torch = require("torch")
    vae = pipeline.audio_vae
    spectrogram = torch.from_numpy(_log_mel(vae.config, samples))[None]
    with torch.no_grad():
        encoded = vae.encode(spectrogram.to(vae.device, vae.dtype)).latent_dist.mode().float()
    shape = (1, encoded.shape[1], 1, encoded.shape[3])
    mean, deviation = (
        statistic.view(shape).to(encoded) for statistic in (vae.latents_mean, vae.latents_std)
    )
    return (encoded - mean) / deviation


def _log_mel(config: Any, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of shape (2, steps, bins): natural logarithms of magnitudes on Slaney's scale."""
    audio = require("transformers.audio_utils")
    rate, bins = int(config.sample_rate), int(config.mel_bins)
    filters = audio.mel_filter_bank(
        _WINDOW // 2 + 1, bins, 0.0, rate / 2, rate, norm="slaney", mel_scale="slaney"
    )
    short = max(0, _WINDOW - samples.shape[1])
    padded = np.pad(samples, ((0, 0), (0, short)))
    channels = [
        audio.spectrogram(
            channel,
            audio.window_function(_WINDOW, "hann"),
            frame_length=_WINDOW,
            hop_length=int(config.mel_hop_length),
            power=1.0,
            mel_filters=filters,
            mel_floor=_QUIETEST,
            log_mel="log",
        )
        for channel in padded
    ]
    return np.stack(channels).transpose(0, 2, 1).astype(np.float32)


_QUIETEST = 1e-5
