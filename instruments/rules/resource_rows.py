"""A row of a resource file, read: what it says in our fields, under which key it is known, or why it cannot be taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.kernel.errors import Reason


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One row. ``core`` and ``part`` are clean values of the fields that the file has; ``extra`` are cells that no field takes.

    ``price_fen`` (with ``price_unit``) is what a file of test items asks for; None is a price on request. ``former_keys`` are those
    under which earlier releases knew it. ``left_out`` says why a row is not written although nothing is wrong with it: it has no
    content, or the row in ``same_as_line`` counts instead of it.
    """

    line: int
    key: str
    name: str
    number: str
    core: dict[str, Any]
    part: dict[str, Any]
    extra: dict[str, str]
    price_fen: int | None = None
    price_unit: str = ""
    notes: tuple[Reason, ...] = field(default=())
    reasons: tuple[Reason, ...] = field(default=())
    same_as_line: int | None = None
    left_out: Reason | None = None
    former_keys: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it is written: neither refused nor left out."""
        return not self.reasons and self.left_out is None


def row_hash(cells: Iterable[str]) -> str:
    """A short fingerprint of cells, blanks aside."""
    return hashlib.sha256("\x1e".join(" ".join(cell.split()) for cell in cells).encode()).hexdigest()[:40]


def kept_columns(cells: Mapping[str, str], read: Iterable[str]) -> dict[str, str]:
    """The cells of columns that are not read, blank ones too, so that the columns come out again."""
    taken = set(read)
    return {header[:200]: text.strip()[:4000] for header, text in cells.items() if header not in taken}
