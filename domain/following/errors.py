"""Why a relation between two accounts refuses a command."""

from domain.errors import Conflict, Invalid


class RelationToOneself(Invalid):
    """Nobody follows, blocks or mutes themselves."""


class BlockedByYou(Conflict):
    """You block this account; take that back first."""
