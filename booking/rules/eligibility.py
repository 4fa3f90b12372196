"""Whether somebody could book a time that is shown to them, and what would become of the request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from booking.rules.licensing import ASKED, OF_TRAINING
from config.kernel.errors import Reason


class Outcome(StrEnum):
    """The request counts at once, waits for the lab, wants a training or licence first (with a reason where it would be refused for that,
    without one where the lab only asks for it), or is refused for another reason. Of who is not logged in nobody knows."""

    AT_ONCE = "at_once"
    APPROVAL = "approval"
    TRAINING = "training"
    REFUSED = "refused"
    LOG_IN = "log_in"


@dataclass(frozen=True, slots=True)
class Eligibility:
    """``reasons`` are those for which it is refused. ``training``: a training or a licence is missing; ``approval``: the lab would look at
    the request itself."""

    outcome: Outcome
    training: bool = False
    approval: bool = False
    reasons: tuple[Reason, ...] = ()


def eligibility(reasons: Iterable[Reason], *, known: bool, trained: bool, approval: bool) -> Eligibility:
    """From what the rules of the booking have against it. ``known``: it is known who asks; ``trained``: no training is missing."""
    against = tuple(reasons)
    training = not trained or any(one.code in OF_TRAINING for one in against)
    others = tuple(one for one in against if one.code not in OF_TRAINING)
    if not known:
        return Eligibility(Outcome.LOG_IN, training, approval)
    if others:
        return Eligibility(Outcome.REFUSED, training, approval, against)
    if training:
        return Eligibility(Outcome.TRAINING, training, approval, against)
    return Eligibility(Outcome.APPROVAL if approval else Outcome.AT_ONCE, training, approval)


def shown_mode(asked: str, offered: Sequence[str]) -> str:
    """For which mode of service it is said where none was asked for: for the one that asks most of who books."""
    if asked or not offered:
        return asked or ASKED[0]
    return next((mode for mode in ASKED if mode in offered), offered[0])
