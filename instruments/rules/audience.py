"""Whom opening hours are for: the groups of customers that a lab can open to, or not."""

from __future__ import annotations

from enum import StrEnum


class Audience(StrEnum):
    """Every customer belongs to exactly one."""

    INSIDE = "inside"
    ACADEMIC = "academic"
    TEAM = "team"
    FIRM = "firm"


def audience_of(kind: str, *, is_owner: bool) -> Audience:
    """The group of a customer of ``kind`` (organisation kind); ``is_owner``: the instrument is its own.

    Government offices count among the academic ones, as they do for prices.
    """
    if is_owner:
        return Audience.INSIDE
    if kind in {"owner", "government"}:
        return Audience.ACADEMIC
    return Audience.TEAM if kind == "team" else Audience.FIRM
