"""The report on a list that was taken in."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from instruments.services.import_kinds import Order
from instruments.services.registry_encoding import Decoded
from instruments.services.registry_import import ImportReport, RowFate


@dataclass(frozen=True, slots=True)
class ReadAs:
    """How a list was read: how its text was decoded, all its headings, and those that were used."""

    decoded: Decoded
    headers: Sequence[str] = ()
    used: Collection[str] = ()


def report_on(order: Order, read: ReadAs, fates: Sequence[RowFate], zone_name: str = "") -> ImportReport:
    """The report; it is written unless a row is refused or it is a dry run."""
    refused = any(row.fate == "refused" for row in fates)
    return ImportReport(
        file_name=order.file_name,
        sha256=hashlib.sha256(order.content).hexdigest(),
        size_bytes=len(order.content),
        encoding=read.decoded.encoding,
        sureness=read.decoded.sureness,
        other_encodings=read.decoded.others,
        odd_bytes=read.decoded.odd_bytes,
        zone_name=zone_name,
        columns_read=tuple(header for header in read.headers if header in read.used),
        columns_not_read=tuple(header for header in read.headers if header not in read.used),
        rows=tuple(fates),
        organisations_created=(),
        sites_created=0,
        absent=0,
        written=not (order.dry_run or refused),
    )
