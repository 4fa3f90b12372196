"""Whose months are closed and counted: the bills of one owner, or the settlement statements of all."""

from __future__ import annotations

from dataclasses import dataclass

STATEMENTS = "statements"
_BILLS = "bills:"


@dataclass(frozen=True, slots=True)
class Series:
    """``owner_id``: whose bills; None: settlement statements, which are numbered together for the whole platform."""

    owner_id: int | None = None

    @property
    def key(self) -> str:
        """As it stands in the database; the guards compose it alike."""
        return STATEMENTS if self.owner_id is None else f"{_BILLS}{self.owner_id}"

    @property
    def is_bills(self) -> bool:
        return self.owner_id is not None


def series_named(key: str) -> Series | None:
    """The series of a ``key``; None for anything else."""
    if key == STATEMENTS:
        return Series()
    number = key.removeprefix(_BILLS)
    if key.startswith(_BILLS) and number.isascii() and number.isdigit() and len(number) < 19:
        return Series(int(number))
    return None
