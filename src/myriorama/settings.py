"""Every setting, its unit and its default, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Self, get_args

SignUp = Literal["invite_only", "open"]
Advertising = Literal["chosen", "open"]
RendererName = Literal["procedural", "emoji", "ltx2"]
Precision = Literal["bf16", "fp8"]

_SECRET_BYTES_MIN = 32
_SECRETS = ("secret", "worker_token")
_AT_LEAST_ONE = (
    "requests_per_minute",
    "credential_requests_per_minute",
    "allowance_window_s",
    "generations_in_flight_max",
    "lease_s",
    "queue_quantum_ms",
    "queue_age_s_max",
    "queue_in_flight_max",
    "queue_window",
    "view_days_kept",
    "ladder_views_min",
    "pace_every_s",
)


class SettingInvalid(ValueError):
    """An environment variable holds what cannot be used; the message says which and what to set."""


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """What a worker may know: no database and no secret but its own token.

    One field a setting; the variable is its name in upper case behind `MYRIORAMA_`.
    """

    kafka: str
    """Bootstrap servers of Kafka, host:port[,host:port...]."""
    objects: str
    """Where blobs lie: a folder, or s3://bucket/prefix."""
    worker_token: str
    """What a worker shows to claim work; at least 32 bytes."""
    home: Path = Path(".myriorama")
    """Where embedded parts, logs and built models live."""
    public_url: str = "http://127.0.0.1:8000"
    """How clients, and workers, reach the API."""
    renderer: RendererName = "procedural"
    """What renders where no model is named: "procedural", "emoji", or "ltx2" with `model`."""
    model: str = ""
    """LTX-2 weights: a folder, a repository on the Hugging Face hub, or "tiny" for random ones."""
    model_precision: Precision = "bf16"
    """What the weights are held in on a GPU; "fp8" halves what the largest part takes."""
    c2pa_certificates: str = ""
    """File with the chain that videos are signed under, PEM; empty: one is made in `home`."""
    c2pa_key: str = ""
    """File with the private key of the chain, EC P-256 in PEM."""
    c2pa_signer_url: str = ""
    """Instead of the key, where a service signs that keeps it."""
    c2pa_signer_token: str = ""
    """What that service is shown."""
    watermark_key: str = ""
    """Under which the picture is marked; for API and workers the same, and for good. Empty: made
    from `worker_token`, which can then not be changed without losing sight of older marks."""
    policy: str = ""
    """File of the screening's policy, docs/screening.md; empty: the one that is shipped."""
    otlp_endpoint: str = ""
    """Where traces go by OTLP over HTTP; empty: nowhere."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings.

        Raises:
            SettingInvalid: a variable is missing or cannot be used.
        """
        source = os.environ if environment is None else environment
        given = {
            field.name: _convert(field.name, str(field.type), source[variable(field.name)])
            for field in fields(cls)
            if variable(field.name) in source
        }
        try:
            settings = cls(**given)  # type: ignore[arg-type]  # _convert saw to the types
        except TypeError:
            missing = [variable(name) for name in _required(cls) if name not in given]
            raise SettingInvalid(
                f"Set {', '.join(missing)}; or use `myriorama up`, which does."
            ) from None
        settings._check()
        return settings

    def _check(self) -> None:
        for name in _SECRETS:
            if len(getattr(self, name, "-" * _SECRET_BYTES_MIN).encode()) < _SECRET_BYTES_MIN:
                raise SettingInvalid(f"{variable(name)} must have at least 32 bytes.")
        for name in _AT_LEAST_ONE:
            if getattr(self, name, 1) < 1:
                raise SettingInvalid(f"{variable(name)} must be 1 or more.")
        if getattr(self, "gpu_seconds_per_day", 0) < 0:
            raise SettingInvalid(f"{variable('gpu_seconds_per_day')} must be 0 or more.")
        is_charging = bool(getattr(self, "stripe_secret_key", ""))
        if is_charging and not getattr(self, "stripe_webhook_secret", ""):
            raise SettingInvalid(f"{variable('stripe_webhook_secret')} is needed, too.")
        for name, choices in (
            ("sign_up", SignUp),
            ("advertising", Advertising),
            ("renderer", RendererName),
            ("model_precision", Precision),
        ):
            if getattr(self, name, get_args(choices)[0]) not in get_args(choices):
                raise SettingInvalid(f"{variable(name)} is one of {', '.join(get_args(choices))}.")


@dataclass(frozen=True, kw_only=True)
class Settings(WorkerSettings):
    """What the API, the projector and the dispatcher know."""

    database_url: str
    """PostgreSQL, as a libpq URL."""
    secret: str
    """At least 32 bytes; signs tokens, URLs and cursors. Change it to void them all."""
    address: str = "127.0.0.1:8000"
    """Where the API listens, host:port."""
    sign_up: SignUp = "invite_only"
    """Whether an invitation is needed to sign up."""
    advertising: Advertising = "chosen"
    """Who may advertise: who is appointed to, or each adult who signs up while it is "open"."""
    invitations: int = 5
    """How many invitations a new account may issue."""
    allowance_seconds: int = 300
    """Seconds of video that an account may ask for in a window."""
    allowance_window_s: int = 86_400
    """Length of the window, in seconds."""
    generations_in_flight_max: int = 5
    """Generations of one account that may wait or run at once."""
    lease_s: int = 30
    """How long a worker may be silent before its work is given to another."""
    queue_quantum_ms: int = 10_000
    """GPU time, in milliseconds, that an account that waits may use before others go on."""
    queue_age_s_max: int = 600
    """Whose first has waited for so many seconds is served before all who have not."""
    queue_in_flight_max: int = 4
    """Generations of one account that may be in work, or on their way to a worker, at once."""
    queue_window: int = 4
    """Generations of a class that are handed out ahead of the workers; take one for each worker."""
    gpu_seconds_per_day: int = 0
    """Seconds of GPU time that a day (UTC) may cost; the rest waits. 0: without end."""
    requests_per_minute: int = 600
    """Requests that one account, or one address without account, may make in a minute."""
    credential_requests_per_minute: int = 30
    """Requests to sign up, sign in or refresh that one address may make in a minute."""
    metrics_address: str = ""
    """Where a program beside the API answers `/metrics`, host:port; empty: nowhere."""
    pace_every_s: int = 2
    """So often, in seconds, bids of ads are adapted to what is spent."""
    seller_name: str = "Myriorama"
    """How who runs the house is called in sellers.json: who is paid for the places of ads."""
    seller_contact: str = ""
    """A mail address for whoever buys places, in ads.txt and sellers.json; empty: none is told."""
    data_centres: str = ""
    """File of networks of data centres, one a line, where nobody watches ads; empty: none known."""
    proxies: int = 0
    """How many reverse proxies of yours stand before the API; each adds to X-Forwarded-For."""
    country_header: str = ""
    """Header in which a proxy of yours tells the viewer's country by its two letters, for ads; it
    must set or remove it on every request. Empty, or without proxies: no country is known."""
    view_days_kept: int = 30
    """How many finished days of the view log stay in PostgreSQL; older ones lie in `objects`."""
    ladder_views_min: int = 50
    """So many views make a public video worth being streamed in several sizes."""
    cors_origins: str = ""
    """Origins of other sites whose pages may call the API, separated by commas."""
    webhooks_inside: str = ""
    """Hosts inside (host:port,...) that advertisers' webhooks may lead to all the same."""
    stripe_secret_key: str = ""
    """With which advertisers are charged; empty: nobody can top up."""
    stripe_webhook_secret: str = ""
    """Under which Stripe signs what it reports to `/v1/stripe-events`."""
    stripe_address: str = ""
    """Where Stripe is; empty: where it usually is."""


def variable(name: str) -> str:
    """Return the environment variable of a setting. Stripe's have the names they have elsewhere."""
    return name.upper() if name.startswith("stripe_") else f"MYRIORAMA_{name.upper()}"


def _required(kind: type[WorkerSettings]) -> list[str]:
    return [field.name for field in fields(kind) if not hasattr(kind, field.name)]


def _convert(name: str, kind: str, value: str) -> str | int | Path:
    if "Path" in kind:
        return Path(value)
    if "int" in kind:
        try:
            return int(value)
        except ValueError:
            raise SettingInvalid(f"{variable(name)} must be a whole number.") from None
    return value
