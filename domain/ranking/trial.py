"""A trial: what is to be tried out in the ranking, before it is an experiment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What to try out, with the accounts of some buckets of a layer.

    `arms` is JSON: what each arm changes in the policy, and its share of the accounts.
    """

    name: str
    layer: str
    bucket_first: int
    buckets: int
    arms: str
