"""Reading rules that somebody wrote as JSON: every part is known and of its kind, or the whole is refused."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from config.kernel.errors import Refusal


def parts_of(document: Any, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Any]:
    """The parts of an object that has all ``needed`` and none but ``known`` parts.

    Raises Refusal ``policy.unreadable``, ``policy.part_unknown`` (names the first of them).
    """
    if not isinstance(document, dict):
        raise Refusal.of("policy.unreadable")
    unknown = [str(name) for name in document if name not in known]
    if unknown:
        raise Refusal.of("policy.part_unknown", part_name=unknown[0][:60])
    if any(name not in document for name in needed):
        raise Refusal.of("policy.unreadable")
    return document


def items_of(value: Any, most: int | None) -> list[Any]:
    """The items of a list, ``most`` at most. Raises Refusal ``policy.unreadable``, ``policy.too_many``."""
    if not isinstance(value, list):
        raise Refusal.of("policy.unreadable")
    if most is not None and len(value) > most:
        raise Refusal.of("policy.too_many", maximum=most)
    return value


def is_whole(value: Any) -> bool:
    """Whether it is a JSON number without a fraction; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def word_of(value: Any, known: Collection[str]) -> str:
    """One of the known words. Raises Refusal ``policy.unreadable``."""
    if not isinstance(value, str) or value not in known:
        raise Refusal.of("policy.unreadable")
    return value


def yes_or_no(value: Any) -> bool:
    """Raises Refusal ``policy.unreadable``: words and numbers are neither."""
    if not isinstance(value, bool):
        raise Refusal.of("policy.unreadable")
    return value
