"""The parts of the small model: LTX-2's own classes, each as small as it can be.

Together they load as an `LTX2Pipeline`; only MiniLM, which reads the prompt, comes from its wheel.
"""

from typing import Any

from myriorama.studio.diffusion import require
from myriorama.studio.emoji.drawing import SIDE_PX

LATENT_CHANNELS = 64
PATCH_PX = 16
PATCH_FRAMES = 4
"""What one latent stands for: 16 x 16 pixels of four frames."""

SAMPLE_RATE_HZ = 16_000
HOP = 320
MEL_BINS = 64
SOUND_LATENTS_HZ = SAMPLE_RATE_HZ / HOP / 4

TEXT_WIDTH = 384
TEXT_LAYERS = 7
TEXT_TOKENS = 24
"""MiniLM's hidden states, embeddings included, and how many tokens of a prompt are read."""

PICTURE_WIDTH = 128
_SOUND_CHANNELS = 2


def picture_codec() -> Any:
    """From pixels to latents and back: 16 x 16 x 4 pixels become 64 numbers."""
    return require("diffusers").AutoencoderKLLTX2Video(
        latent_channels=LATENT_CHANNELS,
        block_out_channels=(LATENT_CHANNELS, PICTURE_WIDTH),
        down_block_types=("LTX2VideoDownBlock3D",) * 2,
        decoder_block_out_channels=(PICTURE_WIDTH, PICTURE_WIDTH),
        layers_per_block=(1, 1, 0),
        decoder_layers_per_block=(1, 1, 1),
        spatio_temporal_scaling=(True, True),
        decoder_spatio_temporal_scaling=(True, True),
        decoder_inject_noise=(False,) * 3,
        downsample_type=("spatiotemporal", "temporal"),
        upsample_type=("temporal", "spatiotemporal"),
        upsample_residual=(False, False),
        upsample_factor=(1, 1),
        patch_size=8,
        encoder_causal=True,
        decoder_causal=False,
        decoder_spatial_padding_mode="zeros",
        # Said outright, because diffusers would work them out from the blocks, and wrongly.
        spatial_compression_ratio=PATCH_PX,
        temporal_compression_ratio=PATCH_FRAMES,
    )


def sound_codec() -> Any:
    """From mel spectrograms to latents and back: four columns become 32 numbers."""
    return require("diffusers").AutoencoderKLLTX2Audio(
        base_channels=32,
        output_channels=2,
        ch_mult=(1, 1, 2),
        num_res_blocks=1,
        in_channels=2,
        resolution=256,
        latent_channels=_SOUND_CHANNELS,
        norm_type="pixel",
        causality_axis="height",
        sample_rate=SAMPLE_RATE_HZ,
        mel_hop_length=HOP,
        is_causal=True,
        mel_bins=MEL_BINS,
    )


def vocoder() -> Any:
    """From mel spectrograms to a waveform."""
    return require("diffusers.pipelines.ltx2.vocoder").LTX2Vocoder(
        in_channels=2 * MEL_BINS,
        hidden_channels=128,
        out_channels=2,
        upsample_kernel_sizes=[16, 15, 8, 4],
        upsample_factors=[8, 5, 4, 2],
        resnet_kernel_sizes=[3, 7],
        resnet_dilations=[[1, 3, 5], [1, 3, 5]],
        output_sampling_rate=SAMPLE_RATE_HZ,
    )


def connectors() -> Any:
    """From MiniLM's layers to what the transformer attends to."""
    return require("diffusers.pipelines.ltx2").LTX2TextConnectors(
        caption_channels=TEXT_WIDTH,
        text_proj_in_factor=TEXT_LAYERS,
        video_connector_num_attention_heads=6,
        video_connector_attention_head_dim=64,
        video_connector_num_layers=0,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=6,
        audio_connector_attention_head_dim=64,
        audio_connector_num_layers=0,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_double_precision=False,
        rope_type="split",
    )


def transformer() -> Any:
    """The network that is trained to denoise picture and sound together."""
    sound_width = _SOUND_CHANNELS * MEL_BINS // 4
    return require("diffusers").LTX2VideoTransformer3DModel(
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        num_attention_heads=4,
        attention_head_dim=64,
        cross_attention_dim=256,
        vae_scale_factors=(PATCH_FRAMES, PATCH_PX, PATCH_PX),
        base_height=SIDE_PX,
        base_width=SIDE_PX,
        audio_in_channels=sound_width,
        audio_out_channels=sound_width,
        audio_num_attention_heads=4,
        audio_attention_head_dim=32,
        audio_cross_attention_dim=128,
        num_layers=4,
        caption_channels=TEXT_WIDTH,
        rope_double_precision=False,
        rope_type="split",
        rope_theta=100.0,
        audio_sampling_rate=SAMPLE_RATE_HZ,
        audio_hop_length=HOP,
        pos_embed_max_pos=4,
        audio_pos_embed_max_pos=4,
    )
