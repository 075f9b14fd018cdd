"""`python -m myriorama`: the same as the command `myriorama`."""

from myriorama.cli import app

app()
