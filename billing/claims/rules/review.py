"""The way of a claim as its programme's document says it (part ``review``), and when it is through.

Source: the shared claim's life is county review, city or province review, publicity, payment (``docs/claims.md``); every figure is the
programme's own. A document without the part has one step of ten days at the office that issues, seven days of publicity, thirty to pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from billing.claims.rules.states import ClaimState
from billing.subsidy.rules.public_days import PUBLIC_DAYS, public_days


class Level(StrEnum):
    """Who looks. ``payment`` is the step of finance."""

    COUNTY = "county"
    ZONE = "zone"
    PREFECTURE = "prefecture"
    PROVINCE = "province"
    PAYMENT = "payment"


class Asked(StrEnum):
    """What a claim has to show."""

    BANK_ACCOUNT = "bank_account"
    INVOICE_NUMBER = "invoice_number"
    INVOICE_FILE = "invoice_file"
    REPORT = "report"
    CONTRACT = "contract"
    PAYMENT_PROOF = "payment_proof"


#: What is shown by a file with the claim.
FILES = (Asked.INVOICE_FILE, Asked.REPORT, Asked.CONTRACT, Asked.PAYMENT_PROOF)


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """One look: ``due_days`` for it; ``office_code`` (unified social credit code) is empty where the issuing office looks."""

    level: Level
    due_days: int
    office_code: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """The whole way. ``clause`` is the programme's clause that says it, empty where the document says nothing."""

    steps: tuple[ReviewStep, ...]
    publicity_days: int
    pay_days: int
    asks: tuple[Asked, ...]
    clause: str = ""


DEFAULT = Review((ReviewStep(Level.PROVINCE, 10),), PUBLIC_DAYS, 30, (Asked.BANK_ACCOUNT,))


def review_of(document: Mapping[str, Any]) -> Review:
    """The way of a claim of a valid programme document."""
    said = document.get("review")
    if said is None:
        return DEFAULT
    return Review(
        tuple(ReviewStep(Level(each["level"]), each["due_days"], each.get("office_code", "")) for each in said["steps"]),
        public_days(document),
        said["pay_days"],
        tuple(Asked(each) for each in said["asks"]),
        said["clause"],
    )


def expected_on(review: Review, state: ClaimState, step: int, since: date, closes_on: date) -> date | None:
    """The day by which the money of a claim should be there, if every step takes its days; None for one that waits for its payee or is
    at its end. ``since``: the day of its last step; ``closes_on``: the last day of the claim window, before which nobody looks."""
    looks = sum(each.due_days for each in review.steps[step:])
    later = {
        ClaimState.SUBMITTED: looks + review.publicity_days + review.pay_days,
        ClaimState.IN_REVIEW: looks + review.publicity_days + review.pay_days,
        ClaimState.PASSED: review.publicity_days + review.pay_days,
        ClaimState.PUBLICISED: review.publicity_days + review.pay_days,
        ClaimState.APPROVED: review.pay_days,
        ClaimState.LISTED: review.pay_days,
        ClaimState.PARTLY_PAID: review.pay_days,
        ClaimState.PAYMENT_FAILED: review.pay_days,
    }
    if state not in later:
        return None
    begins = max(since, closes_on) if state is ClaimState.SUBMITTED else since
    return begins + timedelta(days=later[state])
