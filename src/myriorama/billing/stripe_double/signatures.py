"""What the double delivers, signed as Stripe signs: over the time and the very bytes."""

import hmac

import msgspec

from myriorama.billing.stripe_double.bank import Thing


def delivery(event: Thing, secret: str, *, at_s: int) -> tuple[bytes, str]:
    """Return the body of a delivery, and its `Stripe-Signature` header."""
    body = msgspec.json.encode(event)
    signature = hmac.digest(secret.encode(), f"{at_s}.".encode() + body, "sha256").hex()
    return body, f"t={at_s},v1={signature}"
