"""The life of a commission sheet: one table says what may follow what."""

from __future__ import annotations

from enum import StrEnum

from config.kernel.errors import Refusal


class SheetState(StrEnum):
    """``DRAFT`` is filled in, ``ISSUED`` is frozen and waits for signatures, ``IN_FORCE`` has both of them."""

    DRAFT = "draft"
    ISSUED = "issued"
    IN_FORCE = "in_force"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class SheetEvent(StrEnum):
    """``SIGN`` is the first signature, ``BIND`` the second one; ``LINK`` attaches a reservation and ``UNLINK`` takes it off again;
    ``CHARGE`` charges one of its lines for other things."""

    EDIT = "edit"
    ISSUE = "issue"
    SIGN = "sign"
    BIND = "bind"
    LINK = "link"
    UNLINK = "unlink"
    CHARGE = "charge"
    FINISH = "finish"
    CANCEL = "cancel"


class Method(StrEnum):
    """How a side signed: in the system, or on paper whose scan was handed in."""

    SYSTEM = "system"
    SCAN = "scan"


class Confidentiality(StrEnum):
    ORDINARY = "ordinary"
    RESULTS = "results"
    EVERYTHING = "everything"


class ReportForm(StrEnum):
    ELECTRONIC = "electronic"
    PAPER = "paper"
    BOTH = "both"
    DATA_ONLY = "data_only"


class SampleHandling(StrEnum):
    """What becomes of what is left of the samples; ``NONE`` where there are none."""

    RETURN = "return"
    DISPOSE = "dispose"
    KEEP = "keep"
    NONE = "none"


_TRANSITIONS: dict[SheetState, dict[SheetEvent, SheetState]] = {
    SheetState.DRAFT: {
        SheetEvent.EDIT: SheetState.DRAFT,
        SheetEvent.ISSUE: SheetState.ISSUED,
        SheetEvent.LINK: SheetState.DRAFT,
        SheetEvent.UNLINK: SheetState.DRAFT,
        SheetEvent.CANCEL: SheetState.CANCELLED,
    },
    SheetState.ISSUED: {
        SheetEvent.SIGN: SheetState.ISSUED,
        SheetEvent.BIND: SheetState.IN_FORCE,
        SheetEvent.LINK: SheetState.ISSUED,
        SheetEvent.UNLINK: SheetState.ISSUED,
        SheetEvent.CANCEL: SheetState.CANCELLED,
    },
    SheetState.IN_FORCE: {
        SheetEvent.LINK: SheetState.IN_FORCE,
        SheetEvent.CHARGE: SheetState.IN_FORCE,
        SheetEvent.FINISH: SheetState.FINISHED,
    },
    SheetState.FINISHED: {},
    SheetState.CANCELLED: {},
}

SIGNED_STATES = frozenset({SheetState.IN_FORCE, SheetState.FINISHED})
"""Both sides have signed: the sheet is evidence and is only added to."""


def next_state(state: SheetState, event: SheetEvent) -> SheetState:
    """The state after ``event``. Raises Refusal ``commission.illegal_transition`` when the table has no such step."""
    try:
        return _TRANSITIONS[state][event]
    except KeyError:
        raise Refusal.of("commission.illegal_transition", state=state.value, event=event.value) from None


def events_from(state: SheetState) -> frozenset[SheetEvent]:
    """What may happen in ``state``; nothing exactly in final states."""
    return frozenset(_TRANSITIONS[state])


def successors() -> dict[str, frozenset[str]]:
    """Which other states may follow each; nothing exactly on final ones."""
    return {state.value: frozenset(_TRANSITIONS[state].values()) - {state} for state in SheetState}
