"""What each part of the small model is asked to become better at: one step of training each."""

import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from myriorama.studio.emoji import drawing, scripts, sounding
from myriorama.studio.emoji.architecture import HOP
from myriorama.studio.emoji.lessons import CAPTIONS_EACH, Captions, Clips
from myriorama.studio.emoji.principal import Basis
from myriorama.studio.emoji.scripts import FPS

Losses = Mapping[str, Tensor]


@contextmanager
def _half(device: torch.device) -> Generator[None]:
    """Multiply in half precision, with weights that stay in single: torch warns that it must."""
    with warnings.catch_warnings(), torch.autocast(device.type, dtype=torch.bfloat16):
        warnings.filterwarnings("ignore", "Mismatch dtype between input and weight")
        yield


class PictureLesson:
    """The decoder draws what codes mean, more exactly where the actor is; the encoder finds them.

    Codes come with a little noise, as they will from the transformer.
    """

    def __init__(self, codec: Any, basis: Basis, rng: Random) -> None:
        self._codec, self._basis, self._rng = codec, basis, rng

    def decode(self) -> Losses:
        """Take a step of the decoder."""
        frames, actor = self._drawn()
        codes = self._basis.encode(frames)
        noise = 0.08 * torch.rand(len(codes), 1, 1, 1, 1, device=codes.device)
        with _half(codes.device):
            drawn = self._codec.decoder(codes + noise * torch.randn_like(codes))
        wrong = drawn.float().transpose(1, 2) - frames
        weight = 1 + 2 * actor
        along, down = wrong.diff(dim=-1).abs(), wrong.diff(dim=-2).abs()
        edges = (along * weight[..., 1:]).mean() + (down * weight[..., 1:, :]).mean()
        pixels = (wrong.abs() * weight).mean()
        squares = (wrong.square() * weight).mean()
        return {"loss": pixels + 0.5 * edges + squares, "squares": wrong.square().mean()}

    def encode(self) -> Losses:
        """Take a step of the encoder."""
        frames, _ = self._drawn()
        with _half(frames.device):
            found = self._codec.encode(frames.transpose(1, 2)).latent_dist.mean
        return {"loss": functional.mse_loss(found.float(), self._basis.encode(frames))}

    def _drawn(self) -> tuple[Tensor, Tensor]:
        drawn = drawing.frames_of([scripts.drawn_script(self._rng) for _ in range(_PICTURES)])
        device = self._basis.mean.device
        return drawn[0].to(device), drawn[1].to(device)


_PICTURES = 4


def sound_lesson(codec: Any, mels: Tensor) -> Losses:
    """The sound codec learns to tell spectrograms in few numbers that are close to normal."""
    mel = mels[torch.randint(0, len(mels), (_SOUNDS,))].expand(-1, 2, -1, -1).contiguous()
    with _half(mels.device):
        codes = codec.encode(mel).latent_dist
        spread = torch.exp(0.5 * codes.logvar.clamp(-20, 2))
        told = codec.decode(codes.mean + spread * torch.randn_like(spread), return_dict=False)[0]
    columns = min(told.shape[2], mel.shape[2])
    wrong = (told.float()[:, :, :columns] - mel[:, :, :columns]).abs().mean()
    mean, logvar = codes.mean.float(), codes.logvar.float()
    from_normal = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    return {"loss": wrong + 2e-4 * from_normal, "wrong": wrong, "from_normal": from_normal}


_SOUNDS = 8


def vocoder_lesson(vocoder: Any, waves: Tensor, mels: Tensor) -> Losses:
    """The vocoder learns to sound like what a short piece of a spectrogram was taken from."""
    chosen = torch.randint(0, len(mels), (_SOUNDS,))
    first = int(torch.randint(0, mels.shape[2] - _COLUMNS, (1,)))
    mel = mels[chosen, :, first : first + _COLUMNS].expand(-1, 2, -1, -1).contiguous()
    played = vocoder(mel).mean(1)
    wanted = waves[chosen, first * HOP : (first + _COLUMNS) * HOP]
    samples = min(played.shape[1], wanted.shape[1])
    return {"loss": _unlike(played[:, :samples], wanted[:, :samples])}


_COLUMNS = 24


def _unlike(played: Tensor, wanted: Tensor) -> Tensor:
    """How different two sounds are to the ear: in four resolutions, and as they are told in mel.

    Without the latter a vocoder plays what it is unsure of too softly, and landings with it.
    """
    total = torch.zeros((), device=played.device)
    sizes = (128, 512, 1024, 2048)
    for size in sizes:
        window = torch.hann_window(size, device=played.device)
        first, second = (
            torch.stft(wave, size, size // 4, size, window, return_complex=True).abs()
            for wave in (played, wanted)
        )
        apart = first - second
        total = total + apart.abs().mean() / second.mean().clamp(min=1e-3)
        total = total + _length(apart) / _length(second).clamp(min=1e-2)
        total = total + 0.5 * ((first + 0.3).log() - (second + 0.3).log()).abs().mean()
    told, meant = (sounding.mel_of(wave)[:, 0].clamp(min=-2) for wave in (played, wanted))
    return total / len(sizes) + 0.7 * (told - meant).abs().mean()


def _length(numbers: Tensor) -> Tensor:
    return numbers.square().sum().sqrt()


TOGETHER = 28
"""So many clips are denoised in a step."""


class TransformerLesson:
    """Rectified flow: from a mixture of latents and noise, say which way the noise lies.

    Picture and sound are equally noisy. One caption in ten is empty, for guidance; blocks that show
    the actor count up to twice as much.
    """

    def __init__(
        self,
        transformer: Any,
        connectors: Any,
        captions: Captions,
        clips: Clips,
        *,
        together: int = TOGETHER,
    ) -> None:
        self._transformer, self._connectors = transformer, connectors
        self._captions, self._clips, self._together = captions, clips, together

    def denoise(self) -> Losses:
        """Take a step."""
        clips, captions, together = self._clips, self._captions, self._together
        device = clips.pictures.device
        chosen = torch.randint(0, len(clips.casts), (together,), device=device)
        picture = clips.pictures[chosen].float()
        columns, rows, steps = picture.shape[4], picture.shape[3], picture.shape[2]
        picture, sound = picture.flatten(2).mT, clips.sounds[chosen].float()
        which = torch.randint(0, CAPTIONS_EACH, (together,), device=device)
        said = clips.casts[chosen] * CAPTIONS_EACH + which
        empty = torch.full_like(said, len(captions.present) - 1)
        said = torch.where(torch.rand(together, device=device) < _EMPTY, empty, said)
        noise_share = torch.sigmoid(torch.randn(together, device=device) * 1.2 + 0.5)
        share = noise_share.view(-1, 1, 1)
        noise, hiss = torch.randn_like(picture), torch.randn_like(sound)
        with _half(device):
            seen, heard, present = self._connectors(
                captions.embeddings[said].float(), captions.present[said], padding_side="left"
            )
            flow, flow_heard = self._transformer(
                hidden_states=(1 - share) * picture + share * noise,
                audio_hidden_states=(1 - share) * sound + share * hiss,
                encoder_hidden_states=seen,
                audio_encoder_hidden_states=heard,
                timestep=noise_share * 1000,
                sigma=noise_share * 1000,
                encoder_attention_mask=present,
                audio_encoder_attention_mask=present,
                num_frames=steps,
                height=rows,
                width=columns,
                fps=float(FPS),
                audio_num_frames=sound.shape[1],
                use_cross_timestep=True,
                return_dict=False,
            )
        weight = 1 + clips.actors[chosen].float().flatten(1)[..., None]
        picture_loss = ((flow.float() - (noise - picture)).square() * weight).mean()
        sound_loss = functional.mse_loss(flow_heard.float(), hiss - sound)
        return {
            "loss": picture_loss + 0.5 * sound_loss,
            "picture": picture_loss,
            "sound": sound_loss,
        }


_EMPTY = 0.1
