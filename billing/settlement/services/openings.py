"""Loading opening balances and already-subsidised invoices and projects: all rows or none, each fault at its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError

from billing.firms import loading
from billing.firms.rules.profile import party
from billing.firms.services.credit import short, uscc
from billing.ledger import services as ledger
from billing.ledger.models import TransferKind
from billing.ledger.rules.money import parse_yuan
from billing.ledger.rules.table import Column, read_table
from billing.ledger.services import AccountSpec, Source
from billing.settlement.once import REFERENCE_LENGTH, reference_of
from billing.settlement.opening_models import OpeningBalance, OpeningLoad, OpeningReversal, SubsidisedItem
from billing.settlement.services.assessing import cap_account
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.services import InForce, in_force
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import constraint_name, run, whole
from instruments.models import FormerIdentifier, OrganisationIdentifier
from instruments.services.organisations import require_person
from instruments.services.uploads import clean_document, refuse_size

REASON_LENGTH = 500
ELSEWHERE = "elsewhere"
OF_THE_APPLICANT = frozenset({"firm_year", "team_year", "applicant_year", "controller_year", "unit_total"})


def _year(text: str) -> int:
    year = int(text)
    if not 2000 <= year <= 2100:
        raise ValueError(text)
    return year


def _amount(text: str) -> int:
    amount = parse_yuan(text.replace(",", ""))
    if amount <= 0:
        raise ValueError(text)
    return amount


def _kind(text: str) -> str:
    known = {"invoice": "invoice", "发票": "invoice", "project": "project", "项目": "project", "课题": "project"}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


BALANCES = (
    Column("uscc", ("uscc", "统一社会信用代码", "code"), uscc),
    Column("programme", ("programme", "政策代码", "政策"), short(40)),
    Column("cap_id", ("cap", "限额", "cap_id"), short(40)),
    Column("year", ("year", "年度"), _year),
    Column("amount_fen", ("amount", "金额", "金额（元）", "金额(元)"), _amount),
)
ITEMS = (
    Column("uscc", ("uscc", "统一社会信用代码", "code"), uscc),
    Column("kind", ("kind", "类型"), _kind),
    Column("exclusive_class", ("class", "互斥类别"), short(40)),
    Column("reference", ("number", "编号", "发票号码", "项目编号"), short(REFERENCE_LENGTH)),
)


@whole
def load_balances(actor: Actor, table: bytes, evidence: bytes, reason: str, now: datetime) -> OpeningLoad:
    """Post what firms already received to the accounts of their caps.

    Raises Forbidden, Refusal ``ledger.reason_needed``, as ``table.read_table`` and ``uploads.clean_document``, and per row
    ``opening.firm_unknown``, ``opening.programme_unknown``, ``opening.cap_unknown``, ``opening.over_limit``, ``opening.loaded_already``.
    """
    batch, rows = _begin(actor, table, evidence, reason, BALANCES, now)
    firms = _firms(rows)
    reasons: list[Reason] = []
    for row in rows:
        try:
            run(lambda row=row: _post(batch, firms, row, now))  # type: ignore[misc]
        except Refusal as refusal:
            reasons += [replace(each, field="file") for each in refusal.reasons]
    Refusal.raise_any(reasons)
    audit.record(actor, "opening.balances", batch, now, after={"rows": len(rows)}, reason=batch.reason)
    return batch


@whole
def take_back_balances(actor: Actor, table: bytes, evidence: bytes, reason: str, now: datetime) -> OpeningLoad:
    """Give back what was loaded wrongly, row by row as it was loaded, so that the right balance can be loaded instead.

    Raises as ``load_balances``, and per row ``opening.not_loaded`` (none of this amount stands).
    """
    batch, rows = _begin(actor, table, evidence, reason, BALANCES, now)
    firms = _firms(rows)
    reasons: list[Reason] = []
    for row in rows:
        try:
            run(lambda row=row: _take_back(batch, firms, row, now))  # type: ignore[misc]
        except Refusal as refusal:
            reasons += [replace(each, field="file") for each in refusal.reasons]
    Refusal.raise_any(reasons)
    audit.record(actor, "opening.take_back", batch, now, after={"rows": len(rows)}, reason=batch.reason)
    return batch


def _take_back(batch: OpeningLoad, firms: Mapping[str, int], row: Mapping[str, Any], now: datetime) -> None:
    firm_id = _firm(firms, row)
    version, cap = _cap(row)
    found = _standing(firm_id, version.programme_id, cap.id, row["year"])
    if found is None or found.amount_fen != row["amount_fen"]:
        raise Refusal.of("opening.not_loaded", amount_fen=row["amount_fen"], row=row["row"])
    OpeningReversal.objects.create(balance=found, batch=batch)
    elsewhere = AccountSpec(f"{ELSEWHERE}:{firm_id}", ELSEWHERE, None, None, firm_id)
    payee = ledger.open_accounts([elsewhere], now)[elsewhere.key]
    account = ledger.lock([found.account])[found.account.key]
    source = Source("opening_balance", found.pk, "taken_back", version.version_id, batch.loaded_by_id)
    ledger.give_back(account, payee, found.amount_fen, source, now)


def _standing(firm_id: int, programme_id: int, cap_id: str, year: int) -> OpeningBalance | None:
    """The balance that counts, if one does."""
    rows = OpeningBalance.objects.select_related("account").filter(
        organisation_id=firm_id, programme_id=programme_id, cap_id=cap_id, year=year, reversal__isnull=True
    )
    return rows.first()


@whole
def load_items(actor: Actor, table: bytes, evidence: bytes, reason: str, now: datetime) -> OpeningLoad:
    """Remember invoices and projects that took a programme of a class already. Raises as ``load_balances``,
    ``opening.item_known``."""
    batch, rows = _begin(actor, table, evidence, reason, ITEMS, now)
    firms = _firms(rows)
    reasons: list[Reason] = []
    for row in rows:
        try:
            run(lambda row=row: _remember(batch, firms, row))  # type: ignore[misc]
        except Refusal as refusal:
            reasons += [replace(each, field="file") for each in refusal.reasons]
    Refusal.raise_any(reasons)
    audit.record(actor, "opening.items", batch, now, after={"rows": len(rows)}, reason=batch.reason)
    return batch


def _begin(
    actor: Actor, table: bytes, evidence: bytes, reason: str, columns: Sequence[Column], now: datetime
) -> tuple[OpeningLoad, list[dict[str, Any]]]:
    """The hand-in and its rows, each with its number in the file (``row``)."""
    actor.require(Role.FINANCE)
    why = reason.strip()
    if not why:
        raise Refusal.of("ledger.reason_needed", field="reason")
    if len(why) > REASON_LENGTH:
        raise Refusal.of("ledger.reason_too_long", field="reason", maximum=REASON_LENGTH)
    refuse_size(table)
    rows = [{**row, "row": number} for number, row in read_table(table, columns)]
    try:
        clean = clean_document(evidence)
    except Refusal as refusal:
        raise Refusal(*(Reason(each.code, each.params, "evidence") for each in refusal.reasons)) from refusal
    user_id = require_person(actor)

    def store(content: bytes, name: str, media_type: str) -> StoredFile:
        return files.store(content, file_name=name, media_type=media_type, user_id=user_id, now=now)

    batch = OpeningLoad.objects.create(
        table=store(table, "opening.csv", "text/csv"),
        evidence=store(clean.content, f"opening.{clean.extension}", clean.media_type),
        reason=why,
        row_count=len(rows),
        loaded_by_id=user_id,
        loaded_at=now,
    )
    return batch, rows


def _firms(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Organisations by the codes of the rows, those that they have or had."""
    codes = {row["uscc"] for row in rows}
    held = (model._default_manager.filter(scheme="uscc", value__in=codes) for model in (FormerIdentifier, OrganisationIdentifier))
    return {value: pk for rows_of in held for value, pk in rows_of.values_list("value", "organisation_id")}


def _post(batch: OpeningLoad, firms: Mapping[str, int], row: Mapping[str, Any], now: datetime) -> None:
    firm_id = _firm(firms, row)
    version, cap = _cap(row)
    on = date(row["year"], 12, 31)
    known, keys = loading.known([firm_id])
    spec = cap_account(version, cap, firm_id, on, Facts(applicant=party(known, keys[firm_id], None, on)))
    elsewhere = AccountSpec(f"{ELSEWHERE}:{firm_id}", ELSEWHERE, None, None, firm_id)
    accounts = ledger.open_accounts([spec, elsewhere], now)
    account = ledger.lock([accounts[spec.key]])[spec.key]
    before = OpeningBalance.objects.filter(
        organisation_id=firm_id, programme_id=version.programme_id, cap_id=cap.id, year=row["year"], reversal__isnull=False
    )
    try:
        made = OpeningBalance.objects.create(
            revision=before.count(),
            batch=batch,
            organisation_id=firm_id,
            programme_id=version.programme_id,
            cap_id=cap.id,
            year=row["year"],
            amount_fen=row["amount_fen"],
            account=account,
        )
    except IntegrityError as error:
        if constraint_name(error) != "opening_once":
            raise
        raise Conflict.of("opening.loaded_already", row=row["row"]) from error
    source = Source("opening_balance", made.pk, "opening", version.version_id, batch.loaded_by_id)
    try:
        ledger.hold({account.pk: made.amount_fen}, accounts[elsewhere.key], source, now)
    except Conflict as conflict:
        raise Refusal.of("opening.over_limit", left_fen=account.left_fen, row=row["row"]) from conflict
    ledger.end_holds(ledger.open_holds(source.type, source.id), {account.pk: made.amount_fen}, source, now, TransferKind.VOID)


def _remember(batch: OpeningLoad, firms: Mapping[str, int], row: Mapping[str, Any]) -> None:
    try:
        SubsidisedItem.objects.create(
            batch=batch,
            exclusive_class=row["exclusive_class"],
            kind=row["kind"],
            reference=reference_of(row["reference"]),
            organisation_id=_firm(firms, row),
        )
    except IntegrityError as error:
        if constraint_name(error) != "subsidised_once_per_class":
            raise
        raise Conflict.of("opening.item_known", text=row["reference"], row=row["row"]) from error


def _firm(firms: Mapping[str, int], row: Mapping[str, Any]) -> int:
    if row["uscc"] not in firms:
        raise Refusal.of("opening.firm_unknown", text=row["uscc"], row=row["row"])
    return firms[row["uscc"]]


def _cap(row: Mapping[str, Any]) -> tuple[InForce, Cap]:
    code, cap_id, year = row["programme"], row["cap_id"], row["year"]
    rows = ProgrammeVersion.objects.filter(programme__code=code, published_at__isnull=False, valid__overlap=_days(year))
    version_id = rows.order_by("-valid").values_list("pk", flat=True).first()
    if version_id is None:
        raise Refusal.of("opening.programme_unknown", text=code, year=str(year), row=row["row"])
    version = in_force(version_id)
    cap = next((one for one in version.programme.caps if one.id == cap_id and one.per.value in OF_THE_APPLICANT), None)
    if cap is None:
        raise Refusal.of("opening.cap_unknown", text=cap_id, row=row["row"])
    return version, cap


def _days(year: int) -> tuple[date, date]:
    return date(year, 1, 1), date(year + 1, 1, 1)
