"""A tiny LTX-2 with random weights: the real architecture and loading, fit for a test on one core.

What it renders is noise. It proves the way from weights to a clip, and nothing about pictures.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from myriorama.studio.diffusion import require, require_diffusers

Report = Callable[[int, int], None]


def _unheard(_: int, __: int) -> None:
    """Nobody asked to hear how far it is."""


def ensure_tiny_model(folder: Path, report: Report = _unheard) -> Path:
    """Build the weights in a folder, unless they are there; returns the folder.

    The folder appears whole or not at all, also when two processes build it at once.
    `report(done, total)` hears how far it is.

    Raises:
        WorkerExtraMissing: torch or diffusers is not installed.
    """
    if _is_complete(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        torch, diffusers = require("torch"), require_diffusers()
        report(1, _STEPS)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            pipeline = diffusers.LTX2Pipeline(**_components(diffusers))
            upsampler = _upsampler()
        report(2, _STEPS)
        pipeline.save_pretrained(building)
        upsampler.save_pretrained(building / "latent_upsampler")
        (building / "modular_model_index.json").write_text(_ECHO_INDEX)
        report(3, _STEPS)
        building.chmod(0o755)
        try:
            building.rename(folder)
        except OSError:
            # Somebody else was quicker, or left half a folder where this one belongs.
            if not _is_complete(folder):
                raise
        report(_STEPS, _STEPS)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def byte_tokenizer(*, tokens_max: int) -> Any:
    """Every byte is a token of its own; nothing has to be learnt or shipped."""
    tokenizers = require("tokenizers")
    level = tokenizers.pre_tokenizers.ByteLevel
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    vocabulary = {token: index for index, token in enumerate([*special, *sorted(level.alphabet())])}
    model = tokenizers.models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>")  # noqa: S106  # No password: the token for what is unknown.
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = level(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    pad, eos, bos, unknown = special
    return require("transformers").PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=pad,
        eos_token=eos,
        bos_token=bos,
        unk_token=unknown,
        model_max_length=tokens_max,
        padding_side="left",
    )


_STEPS = 4
_ECHO_INDEX = '{"_class_name": "EchoModularPipeline", "_blocks_class_name": "EchoBlocks"}'


def _is_complete(folder: Path) -> bool:
    return (folder / "model_index.json").is_file()


def _components(diffusers: Any) -> dict[str, Any]:
    tokenizer = byte_tokenizer(tokens_max=256)
    return {
        "scheduler": diffusers.FlowMatchEulerDiscreteScheduler(),
        "vae": _video_autoencoder(diffusers),
        "audio_vae": _audio_autoencoder(diffusers),
        "text_encoder": _text_encoder(len(tokenizer)),
        "tokenizer": tokenizer,
        "connectors": _connectors(),
        "transformer": _transformer(diffusers),
        "vocoder": _vocoder(),
    }


def _text_encoder(vocabulary_size: int) -> Any:
    transformers = require("transformers")
    text = transformers.Gemma3TextConfig(
        vocab_size=max(320, vocabulary_size),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        sliding_window=64,
        max_position_embeddings=1024,
    )
    vision = transformers.SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    config = transformers.Gemma3Config(
        text_config=text, vision_config=vision, mm_tokens_per_image=4
    )
    return transformers.Gemma3ForConditionalGeneration(config).eval()


def _transformer(diffusers: Any) -> Any:
    return diffusers.LTX2VideoTransformer3DModel(
        in_channels=16,
        out_channels=16,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=4,
        attention_head_dim=16,
        cross_attention_dim=64,
        audio_in_channels=16,
        audio_out_channels=16,
        audio_num_attention_heads=2,
        audio_attention_head_dim=16,
        audio_cross_attention_dim=32,
        num_layers=2,
        qk_norm="rms_norm_across_heads",
        caption_channels=16,
        rope_double_precision=False,
        rope_type="split",
        vae_scale_factors=(8, 32, 32),
    )


def _connectors() -> Any:
    return require("diffusers.pipelines.ltx2").LTX2TextConnectors(
        caption_channels=16,
        # The embeddings and each of the two layers of the text encoder.
        text_proj_in_factor=3,
        video_connector_num_attention_heads=4,
        video_connector_attention_head_dim=4,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=4,
        audio_connector_attention_head_dim=4,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
    )


def _video_autoencoder(diffusers: Any) -> Any:
    return diffusers.AutoencoderKLLTX2Video(
        in_channels=3,
        out_channels=3,
        latent_channels=16,
        block_out_channels=(16, 32, 64, 128),
        decoder_block_out_channels=(16, 32, 64),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, True),
        decoder_spatio_temporal_scaling=(True, True, True),
        decoder_inject_noise=(False, False, False, False),
        downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        upsample_residual=(True, True, True),
        upsample_factor=(2, 2, 2),
        timestep_conditioning=False,
        patch_size=4,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
        # Said outright, because diffusers would work them out from the blocks, and wrongly.
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )


def _audio_autoencoder(diffusers: Any) -> Any:
    return diffusers.AutoencoderKLLTX2Audio(
        base_channels=16,
        output_channels=2,
        ch_mult=(1, 2, 4),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=256,
        latent_channels=1,
        norm_type="pixel",
        causality_axis="height",
        dropout=0.0,
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=64,
    )


def _vocoder() -> Any:
    return require("diffusers.pipelines.ltx2.vocoder").LTX2Vocoder(
        in_channels=128,
        hidden_channels=64,
        out_channels=2,
        upsample_kernel_sizes=[16, 15, 8, 4],
        upsample_factors=[6, 5, 4, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        leaky_relu_negative_slope=0.1,
        output_sampling_rate=24000,
    )


def _upsampler() -> Any:
    return require("diffusers.pipelines.ltx2.latent_upsampler").LTX2LatentUpsamplerModel(
        in_channels=16, mid_channels=32, num_blocks_per_stage=1
    )
