"""The VAT invoices behind the lines of claims: what was recorded of them, where else they stand, and what took a class of programme."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from billing.bills.models import BillLine
from billing.cards.accounts import RESERVATION, SAMPLE_JOB
from billing.claims.models import Claim, ClaimLine
from billing.claims.rules.checks import InvoiceSeen, references_of
from billing.claims.rules.states import ENDS, ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.invoices.queries import blue_invoices, of_awards
from billing.settlement.models import StatementLine
from billing.settlement.once import INVOICE, class_of
from billing.settlement.once_models import TakenOnce
from billing.settlement.opening_models import SubsidisedItem
from billing.subsidy import services as subsidy
from billing.subsidy.rules.outcome import SettlementMode
from billing.subsidy.rules.sale import Invoiced, invoiced


@dataclass(frozen=True, slots=True)
class Behind:
    """What is known of the invoices behind lines. ``recorded``: by number (of old paper after its code), as ``blue_invoices`` has them;
    ``bills``: bill id by the id of a charge; ``statements``: statement id by the id of an award."""

    recorded: Mapping[str, Any]
    bills: Mapping[int, int]
    statements: Mapping[int, int]

    def day_of(self, line: ClaimLine) -> date | None:
        """The date of the invoice whose number a line says, where it was recorded."""
        found = self.recorded.get(line.invoice_number)
        return found.issued_on if found is not None else None

    def of(self, line: ClaimLine) -> InvoiceSeen | None:
        """What is known of the invoice whose number a line says; None where none of that number was recorded."""
        found = self.recorded.get(line.invoice_number)
        if found is None:
            return None
        return InvoiceSeen(
            of_bill=self._is_of(line, found),
            counts=found.left_fen > 0,
            covers=found.left_fen >= found.owed_fen,
            to_customer=found.buyer_code == found.customer_code,
        )

    def _is_of(self, line: ClaimLine, found: Any) -> bool:
        """Whether an invoice is that of the bill of a line's service, or of the statement by which it is bought."""
        if found.statement_id is not None:
            return self.statements.get(line.award_id) == found.statement_id
        return self.bills.get(line.award.charge_id) == found.bill_id


def behind(lines: Sequence[ClaimLine]) -> Behind:
    """What is known of the invoices whose numbers lines say; their awards are loaded. Three queries, none where no line has a number."""
    named = [line for line in lines if line.invoice_number]
    if not named:
        return Behind({}, {}, {})
    rows = blue_invoices().filter(whole__in={line.invoice_number for line in named})
    statements = StatementLine.objects.filter(award__in={line.award_id for line in named}).values_list("award_id", "statement_id")
    return Behind({each.whole: each for each in rows}, _bills({line.award.charge_id for line in named}), dict(statements))


def proposed(lines: Sequence[ClaimLine]) -> dict[int, str]:
    """Line id -> the number of the invoice that was recorded for the statement by which its service is bought, else for the bill of the
    service, and counts; their awards are loaded. Three queries."""
    bills = _bills({line.award.charge_id for line in lines})
    rows = blue_invoices().filter(bill_id__in=set(bills.values()), left_fen__gt=0).order_by("pk")
    numbers = {each.bill_id: each.whole for each in rows}
    sold = {each.award_id: each.whole for each in of_awards(line.award_id for line in lines)}
    found = {line.pk: sold.get(line.award_id) or numbers.get(bills.get(line.award.charge_id, 0), "") for line in lines}
    return {pk: number for pk, number in found.items() if number}


def sold(claims: Iterable[Claim]) -> dict[int, list[dict[str, str]]]:
    """Claim id -> the invoices (``number``, ``issued_on``) that count of the statements by which what it claims is bought; claims without
    one are left out. Two queries."""
    by_award = {line.award_id: line.claim_id for line in _beside(claims)}
    found: dict[int, dict[str, str]] = {}
    for each in of_awards(by_award):
        found.setdefault(by_award[each.award_id], {})[each.whole] = each.issued_on.isoformat()
    return {pk: [{"number": number, "issued_on": on} for number, on in rows.items()] for pk, rows in found.items()}


def awaited(claims: Iterable[Claim]) -> dict[int, str]:
    """The numbers of claims, by id, with a line for which the programme waits for the provider's invoice and none that counts was recorded
    (or that stands on no statement yet). Two queries, and one for each version of a programme."""
    claims = list(claims)
    lines = [line for line in _beside(claims) if _waits(line.award.programme_version_id)]
    known = {each.award_id for each in of_awards(line.award_id for line in lines)} if lines else set()
    numbers = {claim.pk: claim.number for claim in claims}
    return {line.claim_id: numbers[line.claim_id] for line in lines if line.award_id not in known}


def _waits(version_id: int) -> bool:
    document = subsidy.in_force(version_id).programme.document
    return invoiced(document, SettlementMode.PAID_BESIDE.value) is Invoiced.BEFORE_PAYMENT


def _beside(claims: Iterable[Claim]) -> list[ClaimLine]:
    """The lines of claims that are paid beside the bill, with their awards; one query."""
    beside = {"kind": LineKind.AWARD, "standing": Standing.INCLUDED, "award__mode": SettlementMode.PAID_BESIDE.value}
    rows = ClaimLine.objects.filter(claim__in=list(claims), **beside).select_related("award")
    return list(rows.order_by("claim_id", "position"))


def _bills(charge_ids: Collection[int]) -> dict[int, int]:
    return dict(BillLine.objects.filter(charge_id__in=charge_ids, voided=False).values_list("charge_id", "bill_id"))


def elsewhere(lines: Sequence[ClaimLine], known: Behind) -> frozenset[str]:
    """The numbers of invoices on these lines that stand in more than one claim that counts (but where one was recorded for the bill of all
    of them, as in ``taken``, or where they are the claims of both sides of one programme for the same service), or took a subsidy elsewhere
    as was loaded; two queries. ``known``: what ``behind`` knows of them."""
    numbers = {line.invoice_number for line in lines if line.invoice_number}
    if not numbers:
        return frozenset()
    rows = ClaimLine.objects.filter(invoice_number__in=numbers, standing=Standing.INCLUDED).exclude(claim__state__in=ENDS)
    standing: dict[str, set[tuple[int, int, str, int]]] = {}
    for number, *claimed in rows.order_by().values_list("invoice_number", *_CLAIMED).distinct():
        standing.setdefault(number, set()).add(tuple(claimed))
    several = frozenset(number for number, found in standing.items() if _is_of_several(found))
    loaded = {reference for reference, _class in _loaded(numbers)}
    subsidised = {number for number in numbers if loaded & references_of(number)}
    of_their_bill = {line.invoice_number for line in lines if (seen := known.of(line)) is not None and seen.of_bill}
    return several - of_their_bill | subsidised


_CLAIMED = ("claim_id", "award__programme_version__programme_id", "award__mode", "award__charge_id")


def _is_of_several(found: Collection[tuple[int, int, str, int]]) -> bool:
    """Whether these claims, with programme, way of settlement and service of their lines, use an invoice more than once: one programme pays
    the user and the owner of a service in different ways."""
    services: dict[tuple[int, int, str], set[int]] = {}
    for claim, programme, way, charge in found:
        services.setdefault((claim, programme, way), set()).add(charge)
    claims, programmes, ways = (len(set(column)) for column in zip(*services, strict=True))
    of_both = programmes == 1 and ways == claims == len(services) and set.intersection(*services.values())
    return claims > 1 and not of_both


def taken(lines: Sequence[ClaimLine]) -> list[ClaimLine]:
    """Those of a claim's lines whose invoice took a programme of the same class already: as was loaded, by what was promised here, or on
    another claim that was handed in. That one invoice recorded for a bill stands behind all services of that bill is no second use of it.
    A constant number of queries."""
    named = [line for line in lines if line.invoice_number and line.kind == LineKind.AWARD]
    if not named:
        return []
    references = {reference for line in named for reference in references_of(line.invoice_number)}
    used, promised = (
        _loaded(references),
        list(TakenOnce.objects.filter(kind=INVOICE, reference__in=references, ended_at__isnull=True)),
    )
    known, others = behind(named), _handed_in(named)
    return [line for line in named if _of_class(line, used, promised) or _claimed_before(line, known, others)]


def _loaded(references: Iterable[str]) -> set[tuple[str, str]]:
    wanted = {each for reference in references for each in references_of(reference)}
    return set(SubsidisedItem.objects.filter(kind=INVOICE, reference__in=wanted).values_list("reference", "exclusive_class"))


def _of_class(line: ClaimLine, used: Collection[tuple[str, str]], promised: Iterable[TakenOnce]) -> bool:
    """What was promised for the line's own service is no other use."""
    own, references, charge = _class(line), references_of(line.invoice_number), line.award.charge
    sources = {(RESERVATION, charge.reservation_id), (SAMPLE_JOB, charge.sample_job_id)}
    taken_for = {(one.reference, one.exclusive_class) for one in promised if (one.source_type, one.source_id) not in sources}
    return any((reference, own) in taken_for or (reference, own) in used for reference in references)


def _handed_in(lines: Sequence[ClaimLine]) -> list[ClaimLine]:
    """Lines with one of these numbers on other claims that were handed in and have not ended."""
    numbers, claims = {line.invoice_number for line in lines}, {line.claim_id for line in lines}
    rows = ClaimLine.objects.filter(invoice_number__in=numbers, standing=Standing.INCLUDED, kind=LineKind.AWARD)
    rows = rows.exclude(Q(claim__in=claims) | Q(claim__state__in=[*ENDS, ClaimState.DRAFT]))
    return list(rows.select_related("award"))


def _claimed_before(line: ClaimLine, known: Behind, others: Iterable[ClaimLine]) -> bool:
    seen = known.of(line)
    if seen is not None and seen.of_bill:
        return False
    return any(
        other.invoice_number == line.invoice_number
        and other.award.charge_id != line.award.charge_id
        and _class(other) == _class(line)
        for other in others
    )


def _class(line: ClaimLine) -> str:
    return class_of(subsidy.in_force(line.award.programme_version_id))
