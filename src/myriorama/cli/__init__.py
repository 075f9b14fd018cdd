"""The commands of the shell."""

import typer

from myriorama.cli import advertising, measuring, operating, reading, running, training

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def main() -> None:
    """Myriorama: the open backend for generated-video social apps."""


for command in (
    running.up,
    running.migrate,
    running.serve,
    running.project,
    running.dispatch,
    running.renditions,
    running.relay,
    running.settle,
    running.pace,
    running.notify,
    running.collect,
    running.stripe_double,
    running.work,
    running.seed,
    operating.invite,
    operating.appoint,
    operating.credit,
    reading.replay,
    reading.verify,
    reading.topics,
    reading.problems,
    measuring.bench,
    training.train,
):
    app.command()(command)

app.add_typer(advertising.ads, name="ads")
