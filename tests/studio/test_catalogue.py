"""The catalogue knows what each model can do, and says what to set where weights are missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from domain.generation.models import ModelCannot
from myriorama.studio.catalogue import TINY, Models
from myriorama.studio.emoji.weights import PARTS
from myriorama.studio.procedural import ProceduralRenderer
from myriorama.studio.weights import Weights, WeightsMissing


def models(tmp_path: Path, renderer: str = "ltx2", model: str = "") -> Models:
    return Models(renderer, model, tmp_path)


def weights(folder: Path, *, files: tuple[str, ...] = ()) -> Path:
    for name in ("model_index.json", "vae/weights.bin", *files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def test_what_models_can_do_is_known_without_loading_any(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from myriorama.studio.catalogue import Models
table = Models("ltx2", "tiny", Path({str(tmp_path)!r})).capabilities()
print(*[name for name in table if name != "emoji-1"])
print("torch" in sys.modules, "diffusers" in sys.modules)
"""

    told = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert told.stdout.splitlines() == ["ltx2-tiny procedural-1", "False False"]


def test_the_default_comes_first(tmp_path: Path) -> None:
    folder = weights(tmp_path / "LTX-2.5")

    table = models(tmp_path, "procedural", str(folder)).capabilities()

    assert next(iter(table)) == "procedural-1"
    assert "ltx2-ltx-2.5" in table


def test_large_pictures_need_the_upsampler(tmp_path: Path) -> None:
    plain = Weights(weights(tmp_path / "plain")).capabilities("ltx2-plain")
    larger = Weights(
        weights(tmp_path / "larger", files=("latent_upsampler/config.json",))
    ).capabilities("ltx2-larger")

    larger.require(seconds=5, orientation="portrait", resolution="1080p")
    with pytest.raises(ModelCannot, match="it renders: portrait 480p"):
        plain.require(seconds=5, orientation="portrait", resolution="1080p")


def test_cameos_need_weights_that_keep_to_a_likeness(tmp_path: Path) -> None:
    folder = weights(tmp_path / "echo")

    before = Weights(folder).capabilities("echo").takes_cameos
    (folder / "modular_model_index.json").write_text(
        json.dumps({"_class_name": "EchoModularPipeline"})
    )
    after = Weights(folder).capabilities("echo").takes_cameos

    assert (before, after) == (False, True)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"seconds": 99}, "2 to 15 seconds"),
        ({"resolution": "4k"}, "portrait 480p"),
        ({"last_image": True}, "begin with an image"),
    ],
)
def test_what_a_model_cannot_do_is_refused_with_what_it_can(
    asked: dict[str, object], named: str
) -> None:
    wish: dict[str, object] = {"seconds": 4, "orientation": "portrait", "resolution": "480p"}

    with pytest.raises(ModelCannot, match=named):
        ProceduralRenderer.capabilities.require(**wish | asked)  # type: ignore[arg-type]  # of several kinds


def test_a_family_without_weights_says_which_variable_to_set(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="MYRIORAMA_MODEL"):
        models(tmp_path).check()
    with pytest.raises(WeightsMissing, match="MYRIORAMA_MODEL"):
        models(tmp_path, model=str(tmp_path / "nowhere")).check()
    with pytest.raises(WeightsMissing, match="MYRIORAMA_MODEL"):
        models(tmp_path, "procedural").open_renderer("ltx2-unheard-of")


def test_the_small_model_is_there_when_its_weights_are(tmp_path: Path) -> None:
    for part in PARTS:
        (tmp_path / "models" / "emoji-1" / part).mkdir(parents=True)
        (tmp_path / "models" / "emoji-1" / part / "config.json").write_text("{}")

    chosen = models(tmp_path, "emoji")

    assert chosen.default == next(iter(chosen.capabilities())) == "emoji-1"
    assert chosen.open_renderer("emoji-1").capabilities.model == "emoji-1"


def test_weights_that_need_no_looking_for_are_not_looked_for(tmp_path: Path) -> None:
    models(tmp_path, "procedural").check()
    models(tmp_path, model=TINY).check()
    models(tmp_path, model="Lightricks/LTX-2.5-Diffusers").check()


def test_the_digest_changes_with_the_weights_alone(tmp_path: Path) -> None:
    folder = weights(tmp_path / "model")

    first, again = Weights(folder).digest(), Weights(folder).digest()
    copied = Weights(weights(tmp_path / "copy")).digest()
    (folder / "vae" / "weights.bin").write_text("changed")
    changed = Weights(folder).digest()

    assert first == again == copied
    assert changed != first


def test_weights_are_read_once_while_they_stay_as_they_are(tmp_path: Path) -> None:
    folder = weights(tmp_path / "model")
    digest = Weights(folder).digest()
    kept = folder / ".myriorama" / "digests.json"
    kept.write_text(kept.read_text().replace('"44136', '"00000'))

    assert Weights(folder).digest() != digest
    assert Weights(folder).digest() == Weights(folder).digest()
