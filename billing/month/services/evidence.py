"""The evidence behind a bill, a statement or one line of them: everything that an auditor asks for, in one archive with hashes.

Each part is a function that adds files for all lines at once, so the number of queries does not grow with the lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from billing.bills.models import Bill, BillLine
from billing.bills.queries import bill_for
from billing.invoices.models import VatInvoice
from billing.invoices.papers import of as paper_of
from billing.month.rules.archive import Archive, canonical, packed
from billing.month.rules.bill_parts import only_lines
from billing.month.services.payment_proof import given_to
from billing.ordering.models import CommissionReservation, CommissionSampleJob, CommissionSheet, CommissionSignature
from billing.pricing.models import PriceVersion
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Award, Charge, RenderState, StatementLine
from billing.settlement.queries import statement_for
from billing.subsidy.models import ProgrammeVersion
from booking.models import (
    CloseOut,
    DeviceRun,
    ReservationTransition,
    SampleReport,
    SampleStepTaken,
    UsageAdjustment,
    UsageDispute,
    UsageSession,
)
from config.kernel.access import OFFICIALS, Actor, visible_to
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import files

#: More lines than this are asked for one by one: nobody opens a larger archive.
MOST_LINES = 500
#: Parts that a manifest names where its reader does not get them.
BILLS, INVOICES, PAYMENT_PROOF = "bills/", "invoices.json", "payment proof"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pack:
    """The archive and what it is called."""

    archive: Archive
    file_name: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the document: its folder, and what it is charged for."""

    folder: str
    charge: Charge | None
    fee: BookingFee | None

    @property
    def reservation_id(self) -> int | None:
        thing = self.charge or self.fee
        return thing.reservation_id if thing is not None else None

    @property
    def sample_job_id(self) -> int | None:
        return self.charge.sample_job_id if self.charge is not None else None


@dataclass(slots=True)
class Gathered:
    """``files`` by path; parts add theirs. ``bill_id``: of a bill. ``award_ids``: of a statement or a claim, what
    its lines are awarded. ``as_office``: the reader reviews or pays what the lines are of, and so
    reads what proves them, and of a bill nothing but them. ``left_out``: the parts that are not, or not whole, for this reader."""

    actor: Actor
    items: Sequence[Item]
    bill_id: int | None = None
    award_ids: Sequence[int] = ()
    as_office: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def put(self, path: str, document: Any) -> None:
        self.files[path] = canonical(document)

    def readable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Of papers of the bills behind the lines, those that the reader may see."""
        return rows if self.as_office else visible_to(rows, self.actor)

    def charges(self) -> list[int]:
        return [item.charge.pk for item in self.items if item.charge is not None]

    def archive(self, about: Json) -> Archive:
        """All of it, packed; its manifest says what is left out, so that what is missing is never read as what does not exist."""
        return packed(self.files, {**about, "left_out": sorted(self.left_out)})

    def by_reservation(self) -> dict[int, list[Item]]:
        found: dict[int, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.reservation_id is not None:
                found[item.reservation_id].append(item)
        return found

    def by_job(self) -> dict[int, list[Item]]:
        found: dict[int, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.sample_job_id is not None:
                found[item.sample_job_id].append(item)
        return found


def of_bill(actor: Actor, bill_id: int, position: int | None = None) -> Pack:
    """The evidence of a bill, or of its line at ``position``. Raises NotFound, Refusal ``evidence.too_many`` / ``files.*``."""
    bill = bill_for(actor, bill_id)
    rows = BillLine.objects.filter(bill=bill).order_by("position")
    wanted = _wanted(rows, position).select_related("charge", "fee")
    items = [Item(_folder(bill.content, line.position), line.charge, line.fee) for line in wanted]
    return _pack(Gathered(actor, items, bill.pk), bill, "bill", position)


def of_statement(actor: Actor, statement_id: int, position: int | None = None) -> Pack:
    """The evidence of a statement, or of its line at ``position``. Raises as ``of_bill``."""
    statement = statement_for(actor, statement_id)
    rows = StatementLine.objects.filter(statement=statement).order_by("position")
    wanted = _wanted(rows, position).select_related("award__charge")
    items = [Item(_folder(statement.content, line.position), line.award.charge, None) for line in wanted]
    gathered = Gathered(actor, items, award_ids=[line.award_id for line in wanted])
    return _pack(gathered, statement, "statement", position)


def _wanted(rows: QuerySet[Any], position: int | None) -> QuerySet[Any]:
    if position is not None:
        rows = rows.filter(position=position)
    count = rows.count()
    if not count:
        raise NotFound.of("access.not_found", model="line")
    if count > MOST_LINES:
        raise Refusal.of("evidence.too_many", most=MOST_LINES)
    return rows


def _folder(content: Json, position: int) -> str:
    line = content["lines"][position - 1]
    reference = line.get("reference") or line["reservation"]["reference"]
    return f"lines/{position:04d}-{reference}"


def _pack(found: Gathered, document: Any, kind: str, position: int | None) -> Pack:
    _frozen(found, document, position)
    for part in PARTS:
        part(found)
    about = {
        "kind": kind,
        "number": document.number,
        "content_sha256": document.content_sha256,
        "total_fen": document.total_fen,
        "lines": len(found.items),
    }
    name = f"{document.number}-{position:04d}" if position is not None else document.number
    return Pack(found.archive(about), f"evidence-{name}.zip")


def _frozen(found: Gathered, document: Any, position: int | None) -> None:
    """The document itself: what is frozen, and the files as they were made. Of one line, only that line."""
    if position is not None:
        found.put("document/line.json", document.content["lines"][position - 1])
        return
    found.put("document/content.json", document.content)
    if document.render_state == RenderState.DONE:
        for kind in ("pdf", "xlsx"):
            found.files[f"document/{document.number}.{kind}"] = files.read(getattr(document, kind))


def _usage(found: Gathered) -> None:
    """The log of use: booked, measured and billed time, by whom and how it was told, what was changed or disputed, what devices said."""
    items = found.by_reservation()
    people = ("checked_in_by", "checked_out_by", "customer_agreed_by", "lab_agreed_by")
    changes = _by_session(UsageAdjustment.objects.select_related("asked_by", "answered_by"), items)
    disputes = _by_session(UsageDispute.objects.select_related("opened_by", "decided_by"), items)
    runs: dict[int, list[Json]] = defaultdict(list)
    for run in DeviceRun.objects.filter(reservation__in=items).order_by("starts_at", "pk"):
        runs[int(str(run.reservation_id))].append(
            {"device": run.device, "starts_at": _at(run.starts_at), "ends_at": _at(run.ends_at), "state": run.state}
        )
    for session in UsageSession.objects.filter(reservation__in=items).select_related(*people):
        document = {
            "booked": [_at(session.booked_starts_at), _at(session.booked_ends_at)],
            "measured": [_at(session.actual_starts_at), _at(session.actual_ends_at)],
            "billed": [_at(session.billable_starts_at), _at(session.billable_ends_at)],
            "billed_minutes": session.billable_minutes,
            "rule": session.billable_rule,
            "outcome": session.outcome,
            "overrun_minutes": session.overrun_minutes,
            "checked_in": {
                "by": _name(session.checked_in_by),
                "means": session.started_by_means,
                "ticks": session.confirmed_ticks,
            },
            "checked_out": {"by": _name(session.checked_out_by), "means": session.ended_by_means},
            "customer_agreed": {"by": _name(session.customer_agreed_by), "at": _at(session.customer_agreed_at)},
            "lab_agreed": {"by": _name(session.lab_agreed_by), "at": _at(session.lab_agreed_at)},
            "agreed": {"at": _at(session.agreed_at), "how": session.agreed_how},
            "written_down_later": session.late_entered,
            "evidence": session.evidence,
            "note": session.note,
            "adjustment": changes.get(session.pk),
            "dispute": disputes.get(session.pk),
            "devices": runs[session.reservation_id],
        }
        _put_each(found, items[session.reservation_id], "usage.json", document)


def _by_session(rows: QuerySet[Any], reservations: Any) -> dict[int, Json]:
    """Adjustments or disputes by session, with whatever they say."""
    found = {}
    for row in rows.filter(session__reservation__in=reservations):
        values: Json = {}
        for column in row._meta.concrete_fields:
            if column.name in ("id", "session"):
                continue
            value = getattr(row, column.name)
            values[column.name] = _name(value) if column.is_relation else _plain(value)
        found[row.session_id] = values
    return found


def _trail(found: Gathered) -> None:
    """Every step of the booking or the sample job with who took it; who approved stands apart."""
    items, steps = found.by_reservation(), defaultdict(list)
    for row in ReservationTransition.objects.filter(reservation__in=items).select_related("actor").order_by("pk"):
        steps[row.reservation_id].append(_step(row) | ({"passed_over": row.passed_over} if row.passed_over else {}))
    for reservation_id, each in steps.items():
        approver = next((step["by"] for step in each if step["action"] == "approve"), "")
        _put_each(found, items[reservation_id], "trail.json", {"approved_by": approver, "steps": each})
    jobs, taken = found.by_job(), defaultdict(list)
    for step in SampleStepTaken.objects.filter(job__in=jobs).select_related("actor").order_by("pk"):
        taken[step.job_id].append(_step(step))
    for job_id, each in taken.items():
        approver = next((step["by"] for step in each if step["action"] == "accept"), "")
        _put_each(found, jobs[job_id], "trail.json", {"approved_by": approver, "steps": each})


def _step(row: Any) -> Json:
    return {
        "action": row.action,
        "from": row.from_state,
        "to": row.to_state,
        "by": _name(row.actor),
        "at": _at(row.at),
        "reason": row.reason,
    }


def _calculation(found: Gathered) -> None:
    """How each amount was computed, step by step, with the frozen inputs (whole for officials only); and every version of a price and a
    programme that it rests on."""
    charges = [item.charge for item in found.items if item.charge is not None]
    versions: dict[int, set[int]] = defaultdict(set)
    awards: dict[int, list[Json]] = defaultdict(list)
    rows = Award.objects.filter(charge__in=[charge.pk for charge in charges]).select_related("payee").order_by("pk")
    for award in rows:
        versions[award.charge_id].add(award.programme_version_id)
        awards[award.charge_id].append(
            {"programme_version": award.programme_version_id, "mode": award.mode, "payee": award.payee.name,
             "total_fen": award.total_fen, "payers": award.payers}
        )  # fmt: skip
    for item in found.items:
        if item.charge is not None:
            computed = _computed(item.charge, awards[item.charge.pk], whole=found.actor.has(*OFFICIALS))
            found.put(f"{item.folder}/calculation.json", computed)
    prices = {charge.price_version_id for charge in charges if charge.price_version_id is not None}
    for price in PriceVersion.objects.filter(pk__in=prices):
        found.put(
            f"prices/{price.pk}.json",
            {
                "effective_from": price.effective_from.isoformat(),
                "published_at": _at(price.published_at),
                "document": price.document,
            },
        )
    used = {pk for each in versions.values() for pk in each}
    for version in ProgrammeVersion.objects.filter(pk__in=used).select_related("programme", "author", "approver"):
        about = {"author": _name(version.author), "approver": _name(version.approver), "sha256": version.document_sha256}
        found.put(f"programmes/{version.pk}-{version.programme.code}.json", {**about, "document": version.document})


def _computed(charge: Charge, awards: list[Json], *, whole: bool) -> Json:
    """``whole``: with what is known of both parties and what programmes have left, which neither party reads of the other."""
    return {
        "gross_fen": charge.gross_fen,
        "deducted_fen": charge.deducted_fen,
        "refunded_fen": charge.refunded_fen,
        "payable_now_fen": charge.payable_now_fen,
        "final_cost_fen": charge.final_cost_fen,
        "charged_at": _at(charge.created_at),
        "engine_version": charge.engine_version,
        "inputs_sha256": charge.inputs_sha256,
        "price_version": charge.price_version_id,
        "inputs": charge.inputs if whole else _without_parties(charge.inputs),
        "result": charge.result,
        "awards": awards,
    }


def _without_parties(inputs: Json) -> Json:
    """Frozen inputs with nothing of a candidate but its programme. Who sees staff, revenue and listings: ``sees_private_profile``."""
    return inputs | {"candidates": [{"programme": each["programme"]} for each in inputs["candidates"]]}


def _fees(found: Gathered) -> None:
    """What a fee rests on and what of it fell away."""
    fees = {item.fee.pk: item for item in found.items if item.fee is not None}
    fallen: dict[int, list[Json]] = defaultdict(list)
    for relief in FeeRelief.objects.filter(fee__in=fees).order_by("pk"):
        fallen[relief.fee_id].append({"amount_fen": relief.amount_fen, "at": _at(relief.created_at)})
    for pk, item in fees.items():
        fee = item.fee
        if fee is not None:
            span = [_at(fee.starts_at), _at(fee.ends_at)]
            found.put(
                f"{item.folder}/fee.json", {"kind": fee.kind, "gross_fen": fee.gross_fen, "unused": span, "fell_away": fallen[pk]}
            )


def _commissions(found: Gathered) -> None:
    """The commission sheets behind the lines that the reader may see: what was agreed, both signatures, and the paper."""
    of_time = CommissionReservation.objects.filter(reservation__in=found.by_reservation()).values("sheet")
    of_jobs = CommissionSampleJob.objects.filter(sample_job__in=found.by_job()).values("sheet")
    seen = visible_to(CommissionSheet.objects.select_related("pdf"), found.actor)
    sheets = {sheet.pk: sheet for sheet in (seen.filter(pk__in=of_time) | seen.filter(pk__in=of_jobs)).distinct()}
    signed: dict[int, list[Json]] = defaultdict(list)
    for mark in CommissionSignature.objects.filter(sheet__in=sheets).order_by("pk"):
        signed[mark.sheet_id].append(
            {
                "side": mark.side,
                "method": mark.method,
                "name": mark.name,
                "at": _at(mark.signed_at),
                "sha256": mark.content_sha256,
            }
        )
    for pk, sheet in sheets.items():
        name = f"commissions/{sheet.number or pk}"
        found.put(f"{name}.json", {"content": sheet.content, "sha256": sheet.content_sha256, "signatures": signed[pk]})
        if sheet.pdf is not None and sheet.render_state == RenderState.DONE:
            found.files[f"{name}.pdf"] = files.read(sheet.pdf)


def _reports(found: Gathered) -> None:
    """That results were handed over: when, by whom, and the hash of the file; not the results, which are the customer's."""
    items, jobs = found.by_reservation(), found.by_job()
    for done in _with_graders(CloseOut.objects.filter(reservation__in=items)):
        document = {"due_on": _plain(done.report_due_on), "reported_on": _plain(done.reported_on), **_graded(done)}
        _put_each(found, items[done.reservation_id or 0], "report.json", document)
    handed: dict[int, list[Json]] = defaultdict(list)
    for report in SampleReport.objects.filter(job__in=jobs).select_related("file", "uploaded_by").order_by("position"):
        handed[report.job_id].append(
            {
                "sha256": report.file.sha256,
                "bytes": report.file.size_bytes,
                "by": _name(report.uploaded_by),
                "at": _at(report.uploaded_at),
            }
        )
    graded = {done.sample_job_id: _graded(done) for done in _with_graders(CloseOut.objects.filter(sample_job__in=jobs))}
    for job_id, each in handed.items():
        _put_each(found, jobs[job_id], "report.json", {"reports": each, **graded.get(job_id, {})})


def _with_graders(rows: QuerySet[CloseOut]) -> QuerySet[CloseOut]:
    return rows.select_related("graded_by", "confirmed_by")


def _graded(done: CloseOut) -> Json:
    return {"grade": done.grade, "graded_by": _name(done.graded_by), "confirmed_by": _name(done.confirmed_by)}


def _payments(found: Gathered) -> None:
    """What was paid of a bill, what of that was taken back, and what proves it."""
    if found.bill_id is None:
        return
    given = _given(found, [found.bill_id])[found.bill_id]
    reference = Bill.objects.values_list("reference", flat=True).get(pk=found.bill_id)
    found.put("payments.json", {"bill": reference, "payments": given})


def _given(found: Gathered, bill_ids: Collection[int]) -> dict[int, list[Json]]:
    proofs = given_to(found.actor, bill_ids, as_office=found.as_office)
    if proofs.unproven:
        found.left_out.add(PAYMENT_PROOF)
    return proofs.by_bill


def _bills(found: Gathered) -> None:
    """Of a statement or a claim: the bills of the same services and what was paid of them, for who reads those. The office reads of a bill
    whose it is, and the lines that the claim is of."""
    if found.bill_id is not None:
        return
    behind = BillLine.objects.filter(charge__in=found.charges(), voided=False)
    rows = list(found.readable(behind).select_related("bill").order_by("bill", "position"))
    if len(rows) < behind.count():
        found.left_out |= {BILLS, INVOICES}
    lines: dict[Bill, list[int]] = defaultdict(list)
    for row in rows:
        lines[row.bill].append(row.position)
    given = _given(found, [bill.pk for bill in lines])
    for bill, positions in lines.items():
        content = only_lines(bill.content, positions) if found.as_office else bill.content
        found.put(f"bills/{bill.number}.json", {"content": content, "sha256": bill.content_sha256, "payments": given[bill.pk]})


def _invoices(found: Gathered) -> None:
    """The VAT invoices, red-letter ones too, of the bills that the reader may see, and of the statements by which what is awarded is
    bought; the invoice itself where it was handed in. After ``_bills``: where a bill is left out, no list says that it has no invoice."""
    if found.bill_id is not None:
        behind = Q(bill_id=found.bill_id)
    else:
        of_bills = Q(bill__lines__charge__in=found.charges(), bill__lines__voided=False)
        behind = of_bills | Q(statement__lines__award__in=found.award_ids)
    rows = found.readable(VatInvoice.objects.filter(behind)).select_related("bill", "statement", "reverses", "file").distinct()
    said = []
    for each in rows.order_by("pk"):
        number, paper = f"{each.code}{each.number}", paper_of(each)
        said.append(
            {
                "number": number,
                str(paper.kind): paper.number,
                "reverses": f"{each.reverses.code}{each.reverses.number}" if each.reverses is not None else None,
                "issued_on": each.issued_on.isoformat(),
                "buyer_code": each.buyer_code,
                "seller_code": each.seller_code,
                "net_fen": each.net_fen,
                "tax_fen": each.tax_fen,
                "total_fen": each.total_fen,
                "to_customer": each.buyer_code == paper.buyer["code"],
            }
        )
        if each.file is not None:
            found.files[f"invoices/{number}-{each.file.pk}"] = files.read(each.file)
    if said or INVOICES not in found.left_out:
        found.put("invoices.json", said)


#: Every part of a pack; another one is one more function.
PARTS: tuple[Callable[[Gathered], None], ...] = (
    *(_usage, _trail, _calculation, _fees, _commissions, _reports),
    *(_payments, _bills, _invoices),
)


def _put_each(found: Gathered, items: Sequence[Item], name: str, document: Any) -> None:
    for item in items:
        found.put(f"{item.folder}/{name}", document)


def _name(person: Any) -> str:
    return str(person) if person is not None else ""


def _at(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
