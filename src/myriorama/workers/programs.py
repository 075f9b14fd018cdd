"""The whole product as programs on one machine: what `myriorama up` runs, and with what settings.

What the environment names (a database, a broker, a store) is used; the rest is embedded.
"""

import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from myriorama.store.embedded_kafka import kafka_answers, kafka_argv
from myriorama.store.embedded_postgres import postgres_answers, postgres_argv, postgres_url
from myriorama.workers.supervisor import Program

_SECRETS = ("MYRIORAMA_SECRET", "MYRIORAMA_WORKER_TOKEN", "MYRIORAMA_WATERMARK_KEY")
_STRIPE_KEY = "STRIPE_SECRET_KEY"
_METRICS = "MYRIORAMA_METRICS_ADDRESS"
_ADDRESS = "MYRIORAMA_ADDRESS"
_TELLING = ("project", "settle", "pace", "collect", "notify")
_ENVIRONMENT = "environment"
INVITATION = "invitation"


class AddressTaken(RuntimeError):
    """Another program listens where the API was to listen."""


def furnish(given: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables that all programs need and the environment does not give.

    They are kept in `home`, readable by their owner alone, so that the secrets stay the same and
    other commands find the house (`furnished`).
    """
    home.mkdir(parents=True, exist_ok=True)
    kept = furnished(home)
    environment = {
        **{name: kept.get(name) or secrets.token_urlsafe(48) for name in _SECRETS},
        "MYRIORAMA_HOME": str(home),
        "MYRIORAMA_DATABASE_URL": postgres_url(home / "postgres"),
        "MYRIORAMA_KAFKA": f"127.0.0.1:{_free_port()}",
        "MYRIORAMA_OBJECTS": str(home / "objects"),
        "OMP_NUM_THREADS": "1",
        "MYRIORAMA_ADVERTISING": "open",
    }
    if _ADDRESS in given:
        # Who moves a house means its workers, too: at the usual address another may live.
        host, _, port = given[_ADDRESS].rpartition(":")
        reached = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - it is compared
        environment["MYRIORAMA_PUBLIC_URL"] = f"http://{reached}:{port}"
    if _STRIPE_KEY not in given:
        environment |= _doubled_stripe(kept)
    missing = {name: value for name, value in environment.items() if name not in given}
    path = home / _ENVIRONMENT
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in missing.items()))
    return missing


def furnished(home: Path) -> Mapping[str, str]:
    """Return the variables with which `myriorama up` last ran on this home; none if never."""
    try:
        lines = (home / _ENVIRONMENT).read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


def household(
    given: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    home: Path,
    address: str,
    empty: bool,
) -> Sequence[Program]:
    """Return the programs in the order in which they are started; `empty` is without the seed.

    Raises:
        AddressTaken: the API could not listen at `address`.
    """
    _require_free(address)
    embedded: list[Program] = []
    if "MYRIORAMA_DATABASE_URL" not in given:
        cluster = home / "postgres"
        embedded.append(
            Program("postgres", postgres_argv(cluster), ready=lambda: postgres_answers(cluster))
        )
    if "MYRIORAMA_KAFKA" not in given:
        broker = environment["MYRIORAMA_KAFKA"]
        port = int(broker.rpartition(":")[2])
        embedded.append(Program("kafka", kafka_argv(port), ready=lambda: kafka_answers(broker)))
    if _STRIPE_KEY not in given:
        stripe = environment["STRIPE_ADDRESS"]
        embedded.append(
            Program(
                "stripe", _argv("stripe-double"), env=environment, ready=lambda: _answers(stripe)
            )
        )
    measured = _measured(environment, given)
    stores = tuple(program.name for program in embedded)
    after_all = ("serve", "work", "project", "dispatch")
    return [
        *embedded,
        _own("migrate", environment, after=stores, once=True),
        _own("project", measured["project"], after=("migrate",)),
        _own("dispatch", environment, after=("migrate",)),
        _own("relay", environment, after=("migrate",)),
        _own("settle", measured["settle"], after=("migrate",)),
        _own("pace", measured["pace"], after=("migrate",)),
        _own("collect", measured["collect"], after=("migrate",)),
        _own("notify", measured["notify"], after=("migrate",)),
        _own("renditions", environment, after=("migrate",)),
        Program(
            "serve",
            _argv("serve"),
            env=environment,
            ready=lambda: _alive(address),
            after=("migrate",),
        ),
        _own("work", _without_database(environment), after=("serve",)),
        *([] if empty else [_own("seed", environment, after=after_all, once=True)]),
    ]


def welcome(home: Path, public_url: str) -> str:
    """Return what to tell whoever started the house: where it is, and how to come in."""
    try:
        code = (home / INVITATION).read_text().strip()
    except FileNotFoundError:
        return f"Open {public_url}"
    return f"Open {public_url} and sign up with the invitation {code}"


def keep_invitation(home: Path, code: str) -> None:
    """Keep the invitation that `welcome` tells of."""
    (home / INVITATION).write_text(f"{code}\n")


def _own(
    command: str, env: Mapping[str, str], *, after: tuple[str, ...], once: bool = False
) -> Program:
    return Program(command, _argv(command), env=env, after=after, once=once)


def _measured(
    environment: Mapping[str, str], given: Mapping[str, str]
) -> Mapping[str, Mapping[str, str]]:
    """Give each program that tells numbers an address of its own: of ports in a row."""
    host, _, port = given.get(_METRICS, "").rpartition(":")
    addresses = [f"{host}:{int(port) + n}" if port else "" for n in range(len(_TELLING))]
    pairs = zip(_TELLING, addresses, strict=True)
    return {name: {**environment, _METRICS: address} for name, address in pairs}


def _without_database(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a worker may know: it reaches the house over HTTP, Kafka and objects alone."""
    withheld = {
        "MYRIORAMA_DATABASE_URL",
        "MYRIORAMA_SECRET",
        _STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET",
    }
    return {name: value for name, value in environment.items() if name not in withheld}


def _argv(command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "myriorama", command)


def _doubled_stripe(kept: Mapping[str, str]) -> dict[str, str]:
    """Return how the double of Stripe is reached: as before, so that pages to pay on stay."""
    return {
        _STRIPE_KEY: kept.get(_STRIPE_KEY) or f"sk_test_{secrets.token_hex(16)}",
        "STRIPE_WEBHOOK_SECRET": kept.get("STRIPE_WEBHOOK_SECRET")
        or f"whsec_{secrets.token_hex(16)}",
        "STRIPE_ADDRESS": kept.get("STRIPE_ADDRESS") or f"http://127.0.0.1:{_free_port()}",
    }


def _answers(address: str) -> bool:
    """Tell whether something answers HTTP there, whatever it says."""
    try:
        httpx.get(address, timeout=2)
    except httpx.HTTPError:
        return False
    return True


def _alive(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/health", timeout=2).is_success
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_free(address: str) -> None:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise AddressTaken(
                f"{address} is not free ({error.strerror}): stop what listens there, "
                "or set MYRIORAMA_ADDRESS to another"
            ) from None
