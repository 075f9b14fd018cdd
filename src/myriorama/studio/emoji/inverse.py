"""Sets a picture decoder so that it begins as the inverse of the principal components.

What is normalised on its way is kept in proportion by channels that are constant and large; what
passes SiLU is either small, which SiLU halves, or told by two channels of opposite sign, whose
difference it keeps.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from myriorama.studio.emoji.architecture import LATENT_CHANNELS, PICTURE_WIDTH
from myriorama.studio.emoji.principal import Basis


def begin(decoder: Any, basis: Basis, patches: Tensor) -> None:
    """Set the weights of a decoder; its other branches begin silent.

    `patches` are rows of 3 x 8 x 8 pixels, to find how a patch is best told in few channels.
    """
    with torch.no_grad():
        for name, module in decoder.named_modules():
            if name.endswith("conv2.conv"):
                module.weight.zero_()
                module.bias.zero_()
        _Inverse(decoder, basis, patches).begin()


_PAIRS = 12
_SINGLES = 88
_KEPT = _PAIRS + _SINGLES
_FIRSTS = slice(0, _PAIRS)
_SECONDS = slice(_PAIRS, 2 * _PAIRS)
_REST = slice(2 * _PAIRS, 2 * _PAIRS + _SINGLES)
_CONSTANTS = slice(2 * _PAIRS + _SINGLES, PICTURE_WIDTH)
_CONSTANT = 4.0
_SHRINK = 0.3
_CENTRE = (slice(None), slice(None), 1, 1, 1)


class _Inverse:
    """The convolutions on the straight way through a decoder, one method for each."""

    def __init__(self, decoder: Any, basis: Basis, patches: Tensor) -> None:
        self._decoder, self._basis = decoder, basis
        self._middle = patches.mean(0)
        _, _, looks = torch.pca_lowrank(patches - self._middle, _KEPT, center=False, niter=4)
        self._looks = looks

    def begin(self) -> None:
        self._enter()
        self._part_halves()
        self._part_patches()
        self._leave()

    def _enter(self) -> None:
        """The code goes into the first channels as it is."""
        entry = self._decoder.conv_in.conv
        entry.weight[:LATENT_CHANNELS] = 0
        entry.bias[:LATENT_CHANNELS] = 0
        entry.weight[:LATENT_CHANNELS][_CENTRE] = torch.eye(LATENT_CHANNELS)

    def _part_halves(self) -> None:
        """Each half of the four frames keeps the code in channels of its own."""
        halves = _silenced(self._decoder.up_blocks[0].upsamplers[0].conv.conv)
        tap = halves.weight[_CENTRE].view(PICTURE_WIDTH, 2, PICTURE_WIDTH)
        for half in range(2):
            own = slice(half * LATENT_CHANNELS, (half + 1) * LATENT_CHANNELS)
            tap[own, half, :LATENT_CHANNELS] = torch.eye(LATENT_CHANNELS)

    def _part_patches(self) -> None:
        """From the code to how each patch of 8 x 8 pixels looks."""
        # Frames, rows and columns of a block: half, frame / colour / row, pixel / column, pixel.
        cut = (2, 2, 3, 2, 8, 2, 8)
        components = self._basis.components * self._basis.scales
        looks = self._looks.reshape(3, 8, 8, _KEPT)
        weight = torch.einsum("hkcypxqi,cpqz->zkyxhi", components.reshape(*cut, -1), looks)
        bias = torch.einsum("hkcypxq,cpqz->zkyx", self._basis.mean.reshape(cut), looks) / 2
        bias = bias - (self._middle @ self._looks).view(-1, 1, 1, 1)
        detail = _silenced(self._decoder.up_blocks[1].upsamplers[0].conv.conv)
        tap = detail.weight[_CENTRE].view(PICTURE_WIDTH, 2, 2, 2, 2, LATENT_CHANNELS)
        shift = detail.bias.view(PICTURE_WIDTH, 2, 2, 2)
        for target, sign, source in _routes():
            tap[target] = sign * _SHRINK * weight[source]
            shift[target] = sign * _SHRINK * bias[source]
        shift[_CONSTANTS] = _CONSTANT
        for resnet in self._decoder.up_blocks[1].resnets:
            resnet.conv1.conv.weight[:, _CONSTANTS] = 0

    def _leave(self) -> None:
        """From how a patch looks to its pixels."""
        constants = PICTURE_WIDTH - _REST.stop
        size = _CONSTANT * (constants / PICTURE_WIDTH) ** 0.5
        exit_ = _silenced(self._decoder.conv_out.conv)
        # diffusers tells the columns of a patch before its rows.
        looks = self._looks.reshape(3, 8, 8, _KEPT).permute(0, 2, 1, 3).reshape(-1, _KEPT)
        tap = exit_.weight[_CENTRE]
        for target, sign, source in _routes():
            gain = 2 if target == _REST else 1
            tap[:, target] = sign * gain * looks[:, source] * size / _SHRINK
        exit_.bias.copy_(self._middle.reshape(3, 8, 8).permute(0, 2, 1).reshape(-1))


def _routes() -> Iterator[tuple[slice, int, slice]]:
    """Which channels tell which looks, and with which sign."""
    yield _FIRSTS, 1, _FIRSTS
    yield _SECONDS, -1, _FIRSTS
    yield _REST, 1, slice(_PAIRS, _KEPT)


def _silenced(convolution: Any) -> Any:
    convolution.weight.zero_()
    convolution.bias.zero_()
    return convolution
