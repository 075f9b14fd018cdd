"""What the operator grants: the shell names all that there is to grant."""

from typer.testing import CliRunner

from domain.account.aggregate import GRANTABLE_SCOPES
from myriorama.cli import app


def test_every_scope_that_may_be_granted_is_named_where_one_asks_how() -> None:
    told = CliRunner().invoke(app, ["appoint", "--help"], env={"COLUMNS": "200"})

    assert told.exit_code == 0
    assert {each for each in GRANTABLE_SCOPES if each not in told.output} == set()
