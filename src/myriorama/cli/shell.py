"""What every command begins with: where home is, the settings, and how it refuses."""

import os
from pathlib import Path
from typing import NoReturn, TypeVar

import typer

from myriorama.settings import SettingInvalid, Settings, WorkerSettings
from myriorama.workers.programs import (
    furnished,
)

S = TypeVar("S", bound=WorkerSettings)


def home_folder() -> Path:
    """Return where everything of this house lies."""
    return Path(os.environ.get("MYRIORAMA_HOME", ".myriorama")).resolve()


def settings_of_home() -> Settings:
    """Return all settings; what is wrong with them ends the command."""
    return read(Settings)


def read(kind: type[S]) -> S:
    """Read the settings; where `myriorama up` has run on this home, what it furnished counts."""
    for name, value in furnished(home_folder()).items():
        os.environ.setdefault(name, value)  # for the processes that this one starts, too
    try:
        return kind.read()
    except SettingInvalid as error:
        refuse(error)


def refuse(error: Exception) -> NoReturn:
    """Say why not, and end with 2."""
    typer.secho(f"myriorama: {error}", err=True, fg="red")
    raise typer.Exit(2)
