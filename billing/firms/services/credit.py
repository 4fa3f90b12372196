"""Credit lists are handed in as files by the operator: all rows or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from billing.firms.models import CreditImport, CreditListing
from billing.ledger.rules.table import Column, day, read_table
from config.kernel.access import Actor, Role
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.rules.identifiers import Scheme, identify
from instruments.services.organisations import require_person
from instruments.services.uploads import refuse_size

LISTS = ("serious_default", "abnormal_operation", "research_misconduct", "platform")
"""Serious defaults and abnormal operation (market supervision), research misconduct (science departments), the platform's own."""
SOURCE_LENGTH, NAME_LENGTH, NOTE_LENGTH = 300, 200, 300
_FIRST_DAY = date(1990, 1, 1)


def uscc(text: str) -> str:
    """Reads a unified social credit code in normal form. Raises Refusal ``identifier.invalid``."""
    return identify(Scheme.USCC, text).value


def short(length: int) -> Callable[[str], str]:
    """Reads a text of at most so many characters."""

    def read(text: str) -> str:
        if len(text) > length:
            raise ValueError(text)
        return text

    return read


COLUMNS = (
    Column("uscc", ("uscc", "统一社会信用代码", "code"), uscc),
    Column("name", ("name", "名称", "企业名称", "单位名称"), short(NAME_LENGTH)),
    Column("from_on", ("from", "列入日期", "from_on"), day),
    Column("to_on", ("to", "移出日期", "to_on"), day, optional=True),
    Column("note", ("note", "备注", "事由"), short(NOTE_LENGTH), optional=True),
)


@whole
def import_list(actor: Actor, list_code: str, source: str, content: bytes, now: datetime) -> CreditImport:
    """Keep a list with its rows, all or none; entries that it ends get their last day by a row of the same first day.

    Raises Forbidden, Refusal ``credit_list.unknown`` (``list_code``), ``credit_list.source_needed`` (``source``), as
    ``uploads.refuse_size`` and ``table.read_table`` (``file``), ``table.row_repeated``, ``table.days_in_order``.
    """
    actor.require(Role.OPERATOR)
    reasons = []
    if list_code not in LISTS:
        reasons.append(Reason("credit_list.unknown", {"known": list(LISTS)}, "list_code"))
    origin = source.strip()
    if not origin or len(origin) > SOURCE_LENGTH:
        reasons.append(Reason("credit_list.source_needed", {"maximum": SOURCE_LENGTH}, "source"))
    Refusal.raise_any(reasons)
    refuse_size(content)
    rows = read_table(content, COLUMNS)
    Refusal.raise_any(_row_reasons(rows))
    user_id = require_person(actor)
    stored = files.store(content, file_name=f"{list_code}.csv", media_type="text/csv", user_id=user_id, now=now)
    made = CreditImport.objects.create(
        list_code=list_code, source=origin, file=stored, row_count=len(rows), imported_by_id=user_id, imported_at=now
    )
    CreditListing.objects.bulk_create(
        [CreditListing(batch=made, list_code=list_code, **(row | {"note": row["note"] or ""})) for _number, row in rows],
        batch_size=1000,
    )
    audit.record(actor, "credit_list.import", made, now, after={"list": list_code, "rows": len(rows), "sha256": stored.sha256})
    return made


def _row_reasons(rows: list[tuple[int, dict[str, Any]]]) -> list[Reason]:
    """What single cells cannot show."""
    reasons, seen = [], set()
    for number, row in rows:
        key = (row["uscc"], row["from_on"])
        if key in seen:
            reasons.append(Reason("table.row_repeated", {"row": number, "text": row["uscc"]}, "file"))
        seen.add(key)
        if row["from_on"] < _FIRST_DAY or (row["to_on"] is not None and row["to_on"] < row["from_on"]):
            reasons.append(Reason("table.days_in_order", {"row": number}, "file"))
    return reasons
