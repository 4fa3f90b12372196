"""What a pinned quote is known by, on paper and anywhere else."""

from __future__ import annotations

from billing.ledger.rules.documents import sha256_of
from billing.settlement.models import Quote


def quote_sha256(quote: Quote) -> str:
    """The SHA-256 of all that is frozen of a reservation's quote; accepting it changes nothing of that."""
    return sha256_of(
        {
            "reservation": quote.reservation.reference if quote.reservation is not None else "",
            "revision": quote.revision,
            "inputs_sha256": quote.inputs_sha256,
            "result": quote.result,
            "engine_version": quote.engine_version,
            "created_at": quote.created_at.isoformat(),
            "valid_until": quote.valid_until.isoformat() if quote.valid_until is not None else None,
        }
    )
