"""What the operator grants: invitations, scopes, seconds."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.errors import DomainError
from myriorama import processes
from myriorama.cli.shell import refuse, settings_of_home

_GRANTABLE = "admin, advertiser, analyst, creator, moderator, seller, viewer."


def invite() -> None:
    """Issue an invitation, as the operator, and print its code."""
    typer.echo(processes.invite(settings_of_home(), at=datetime.now(UTC)))


def appoint(
    account: Annotated[str, typer.Argument(help="A handle, or the ID of an account.")],
    scopes: Annotated[list[str], typer.Argument(help=_GRANTABLE)],
) -> None:
    """Give an account more scopes, as the operator; its next token has them."""
    try:
        present = processes.appoint(settings_of_home(), account, scopes)
    except DomainError as error:
        refuse(error)
    typer.echo(f"{account} has the scopes {', '.join(present)}")


def credit(
    account: Annotated[str, typer.Argument(help="A handle, or the ID of an account.")],
    seconds: Annotated[int, typer.Argument(help="Of video.")],
    *,
    key: Annotated[str, typer.Option(help="What it is for (a payment, say); credited once.")],
    reason: Annotated[str, typer.Option(help="For who reads the log.")] = "purchase",
) -> None:
    """Raise the balance of an account by seconds of video. The same again changes nothing."""
    try:
        left = processes.credit(settings_of_home(), account, seconds, key=key, reason=reason)
    except DomainError as error:
        refuse(error)
    typer.echo(
        f"{account} has {left.purchased_seconds} purchased seconds, and {left.remaining_seconds} of"
        f" {left.limit_seconds} in the window"
    )
