"""The root of our refusals: coded reasons with parameters, no sentence and no HTTP.

The words are chosen where they are shown (``frontend.messages`` and the API's problem details), in the reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a refusal.

    ``code`` is dotted and stable (``booking.too_short``); ``params`` are JSON-able values for the sentence;
    ``field`` names the input that can be mended, or is empty. ``about`` is what people call the thing that is meant (a reference), where
    something is asked of several things at once.
    """

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    field: str = ""
    about: str = ""


class Refusal(Exception):
    """Raised by services when an action is refused; carries *every* reason, never only the first."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons: tuple[Reason, ...] = reasons
        super().__init__(", ".join(reason.code for reason in reasons))

    @classmethod
    def of(cls, code: str, field: str = "", **params: Any) -> Refusal:
        return cls(Reason(code, params, field))

    def name(self, about: str) -> None:
        """Say of every reason that names no thing yet which one of several it is about."""
        self.reasons = tuple(reason if reason.about else replace(reason, about=about) for reason in self.reasons)

    @classmethod
    def raise_any(cls, reasons: Sequence[Reason]) -> None:
        """Raise when there is at least one reason."""
        if reasons:
            raise cls(*reasons)


class NotFound(Refusal):
    """The object does not exist for this actor (a foreign object is the same as none)."""


class Forbidden(Refusal):
    """The actor may see the object and may not do this with it."""


class Conflict(Refusal):
    """The state of the world changed: somebody was first. ``extra`` holds what helps (alternatives)."""

    def __init__(self, *reasons: Reason, extra: dict[str, Any] | None = None) -> None:
        super().__init__(*reasons)
        self.extra = extra or {}


class Busy(Refusal):
    """A lock could not be had in time; trying again shortly is right (503 with Retry-After)."""
