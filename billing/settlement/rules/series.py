"""Whose months are closed and counted: the bills of one owner, or the settlement statements of one office."""

from __future__ import annotations

from dataclasses import dataclass

STATEMENTS = "statements"
_BILLS, _OF_OFFICE = "bills:", f"{STATEMENTS}:"


@dataclass(frozen=True, slots=True)
class Series:
    """``owner_id``: whose bills. Without one: settlement statements of the programmes of an office (``office_id``), or of those that name
    none. Statements are numbered together for the whole platform."""

    owner_id: int | None = None
    office_id: int | None = None

    @property
    def key(self) -> str:
        """As it stands in the database; the guards compose it alike."""
        if self.owner_id is not None:
            return f"{_BILLS}{self.owner_id}"
        return STATEMENTS if self.office_id is None else f"{_OF_OFFICE}{self.office_id}"

    @property
    def is_bills(self) -> bool:
        return self.owner_id is not None


def series_named(key: str) -> Series | None:
    """The series of a ``key``; None for anything else."""
    if key == STATEMENTS:
        return Series()
    for letters, name in ((_BILLS, "owner_id"), (_OF_OFFICE, "office_id")):
        number = key.removeprefix(letters)
        if key.startswith(letters) and number.isascii() and number.isdigit() and len(number) < 19:
            return Series(**{name: int(number)})
    return None


def kept_series(key: str) -> Series:
    """The series of a key that the database holds."""
    found = series_named(key)
    if found is None:
        raise ValueError(f"no series: {key!r}")
    return found
