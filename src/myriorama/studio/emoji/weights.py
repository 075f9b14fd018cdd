"""Where the weights of the small model lie, and the digest they go by. Nothing here needs torch."""

from hashlib import sha256
from pathlib import Path

MODEL = "emoji-1"

PARTS = ("vae", "audio_vae", "vocoder", "connectors", "transformer")
"""What is trained and stored, by the names that LTX2Pipeline gives them."""


def shipped_folder() -> Path:
    """Where the weights come with the program: in its package, or in its repository."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "models" / MODEL
    return installed if installed.exists() else package.parents[1] / "models" / MODEL


def folder_in(home: Path) -> Path:
    """Where weights are taken from: those that were trained here, else those that come along."""
    trained = home / "models" / MODEL
    return trained if is_complete(trained) else shipped_folder()


def is_complete(folder: Path) -> bool:
    """Whether all parts are there."""
    return all((folder / part / "config.json").is_file() for part in PARTS)


def digest(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of all stored parts."""
    total = sha256()
    for part in PARTS:
        for path in sorted((folder / part).iterdir()):
            total.update(f"{part}/{path.name}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()
