"""The cost of rendering is measured at the real size of LTX-2, and nowhere without a GPU."""

from pathlib import Path

import pytest

from myriorama.bench.gpu_rendering import GPURendering, measure_on_gpu, measured, real_pipeline
from myriorama.studio.diffusion import require, require_diffusers
from myriorama.studio.renderer import Scene
from myriorama.studio.tiny_model import ensure_tiny_model

SCENE = Scene("a red fox walks", 64, 64, seconds=0.4, seed=1)


def test_without_a_gpu_there_are_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(require("torch").cuda, "is_available", lambda: False)

    found = measure_on_gpu()

    assert found == GPURendering()
    assert set(found.figures.values()) == {None}


def test_the_studio_is_measured_against_the_bare_pipeline(tmp_path: Path) -> None:
    folder = ensure_tiny_model(tmp_path / "ltx2-tiny")
    pipeline = require_diffusers().LTX2Pipeline.from_pretrained(folder, local_files_only=True)

    found = measured(pipeline, SCENE, rounds=1)

    assert found.gpu_s_per_video_s is not None
    assert found.gpu_s_per_video_s > 0
    assert found.render_over_pipeline is not None
    assert 0.1 < found.render_over_pipeline < 10


def test_the_architecture_has_its_real_size() -> None:
    torch = require("torch")
    with torch.device("meta"):
        pipeline = real_pipeline(dtype=torch.bfloat16)

    sizes = {
        name: sum(weight.numel() for weight in part.parameters()) / 1e9
        for name, part in pipeline.components.items()
        if isinstance(part, torch.nn.Module)
    }

    assert 18 < sizes["transformer"] < 20
    assert 11 < sizes["text_encoder"] < 13
    assert pipeline.transformer.dtype == torch.bfloat16
    assert (pipeline.vae_spatial_compression_ratio, pipeline.vae_temporal_compression_ratio) == (
        32,
        8,
    )
