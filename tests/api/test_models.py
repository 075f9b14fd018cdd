"""Whoever asks is told which models there are, and what may be asked of each."""

from dataclasses import replace
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.bootstrap.api import create_api
from myriorama.bootstrap.models import require_weights
from myriorama.settings import SettingInvalid, Settings


def test_the_models_are_told_with_what_they_can_do(api: TestClient[Litestar]) -> None:
    told = api.get("/v1/models").json()

    assert told["default"] == "procedural-1"
    (procedural,) = [model for model in told["models"] if model["model"] == "procedural-1"]
    assert procedural["is_procedural"] is True
    assert procedural["takes_cameos"] is True
    assert procedural["takes_last_image"] is False
    assert {
        "orientation": "portrait", "resolution": "480p", "width": 480, "height": 832,
    } in procedural["sizes"]  # fmt: skip


def test_the_weights_that_the_settings_name_are_told_too(
    settings: Settings, tmp_path: Path
) -> None:
    upsampler = tmp_path / "LTX-2.5" / "latent_upsampler"
    upsampler.mkdir(parents=True)
    (upsampler / "config.json").write_text("{}")
    settings = replace(settings, renderer="ltx2", model=str(tmp_path / "LTX-2.5"))

    with TestClient(create_api(settings)) as api:
        told = api.get("/v1/models").json()

    assert told["default"] == told["models"][0]["model"] == "ltx2-ltx-2.5"
    assert "1080p" in {size["resolution"] for size in told["models"][0]["sizes"]}


def test_a_worker_whose_weights_are_missing_is_told_so_at_its_start(settings: Settings) -> None:
    for model in ("", "/nowhere"):
        with pytest.raises(SettingInvalid, match="MYRIORAMA_MODEL"):
            require_weights(replace(settings, renderer="ltx2", model=model))
