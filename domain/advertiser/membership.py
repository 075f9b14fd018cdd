"""Membership: who acts for an advertiser, and what each role may do. The one rule of tenancy."""

from typing import Literal, get_args

from domain.advertiser.errors import AdvertiserNotFound, RoleTooLow

Role = Literal["reader", "editor", "owner"]
ROLES: tuple[str, ...] = get_args(Role)
"""From the one who may least to the one who may most: a reader sees, an editor changes ads."""


def require_role(role: str | None, needs: Role) -> None:
    """Let a member pass who may do what asks for the role `needs`; None is no member.

    Raises:
        AdvertiserNotFound: it is somebody else's, and they may not know that it is there.
        RoleTooLow: another member may.
    """
    if role is None:
        raise AdvertiserNotFound("There is no such advertiser.")
    if ROLES.index(role) < ROLES.index(needs):
        raise RoleTooLow(f"This takes the role {needs}; yours is {role}.")
