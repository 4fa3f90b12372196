"""Money that payees transfer back for claw-back notices: recorded by one person of the office's finance, by hand or from a bank's list,
confirmed by another, and undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum

from billing.bills.services.issuing import local_day
from billing.claims import accounts
from billing.claims.models import Claim, ClaimLine, Clawback
from billing.claims.notices import tell_repaid
from billing.claims.repayment_models import Repayment
from billing.claims.rules import repaying as rules
from billing.claims.rules.repaying import NoticeStanding
from billing.claims.rules.states import EASED, PROMISED, ClaimState
from billing.claims.rules.totals import Standing, split_like
from billing.claims.services import batches, clawbacks
from billing.claims.services.office import Right, checked_text, plain_text, require_office, right_of
from billing.ledger.services import Source
from billing.payments.rules import bank_rows
from billing.payments.services.bank_import import fault_reason
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files, idempotency, transactions

ROUTE = "claims.repayment.form"
_TEXT = 500
_NAME = 200


@dataclass(frozen=True, slots=True)
class Money:
    """What came in on a local day: who paid it and the purpose on the transfer, as the bank says them. ``too_much``: also where nothing is
    open; then all of it is the payee's."""

    amount_fen: int
    received_on: date
    payer_name: str = ""
    reference: str = ""
    too_much: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """The row of a bank's list that money was read from."""

    file: StoredFile
    row: int
    fingerprint: str


class Fate(StrEnum):
    """What became of a row of a bank's list that names a notice: ``several`` names more than one, ``settled`` one of which nothing is open;
    both are left to a person. ``known`` was taken in before."""

    RECORDED = "recorded"
    KNOWN = "known"
    SEVERAL = "several"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class RowRead:
    """Such a row, and what was recorded of it."""

    row: int
    amount_fen: int
    remark: str
    fate: Fate
    numbers: tuple[str, ...]
    repayment: Repayment | None = None


@dataclass(frozen=True, slots=True)
class ListRead:
    """What a bank's list held: the rows that name notices, how many others came in, and how many went out. Of both nothing is kept: they
    are no business of the platform."""

    rows: tuple[RowRead, ...]
    others: int
    outgoing: int

    def of(self, fate: Fate) -> list[RowRead]:
        return [each for each in self.rows if each.fate is fate]


def standing_of(clawback: Clawback) -> NoticeStanding:
    """What has become of a notice, from its ``lines`` with their claims and ``repayments``."""
    live = [each for each in clawback.repayments.all() if each.ended_at is None]
    lines = [line for line in clawback.lines.all() if line.standing == Standing.INCLUDED]
    planned = -sum(line.amount_fen for line in lines if line.claim.state == ClaimState.DRAFT)
    return NoticeStanding(
        clawback.total_fen,
        set_off_fen=-sum(line.amount_fen for line in lines) - planned,
        planned_fen=planned,
        repaid_fen=sum(each.amount_fen for each in live if each.confirmed_at is not None),
        waiting_fen=sum(each.amount_fen for each in live if each.confirmed_at is None),
    )


def record(actor: Actor, clawback_id: int, money: Money, now: datetime) -> Repayment:
    """Write down that money came back for a notice. What claims take off that is not decided (drafts, handed in, in review) makes room for
    it; what is more is the payee's (``surplus``). It counts in the books once another person has confirmed it.

    Raises NotFound, Forbidden, Conflict ``repaid.not_promised``, Refusal ``repaid.amount`` / ``repaid.on`` / ``repaid.settled``.
    """

    def work() -> Repayment:
        found = get_visible(Clawback.objects.select_related("claim__batch__programme"), actor, pk=clawback_id)
        right = require_office(actor, found.claim.batch, now, Role.FINANCE)
        if money.amount_fen <= 0:
            raise Refusal.of("repaid.amount", field="amount")
        if not local_day(found.issued_at) <= money.received_on <= local_day(now):
            raise Refusal.of("repaid.on", field="received_on", issued_on=local_day(found.issued_at).isoformat())
        written = write(actor, right, locked_notice(found.pk), money, now)
        if written is None:
            raise Refusal.of("repaid.settled", number=found.number)
        return written

    return transactions.run(work)


def record_once(actor: Actor, clawback_id: int, money: Money, now: datetime, idempotency_key: str) -> None:
    """``record`` at most once for a key, however often a form is sent. Raises as that, Refusal ``idempotency.*``."""
    payload = {"clawback": clawback_id, **asdict(money)}

    def effect() -> dict[str, int]:
        return {"id": record(actor, clawback_id, money, now).pk}

    transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))


@dataclass(frozen=True, slots=True)
class Locked:
    """A notice behind its lock, and the claims that take some of it off and may change still, locked before it."""

    clawback: Clawback
    claims: list[Claim]

    @property
    def drafts(self) -> list[Claim]:
        return [each for each in self.claims if each.state == ClaimState.DRAFT]

    @property
    def eased(self) -> list[Claim]:
        """Those that were handed in, the latest first."""
        return [each for each in reversed(self.claims) if ClaimState(each.state) in EASED]


def locked_notice(clawback_id: int) -> Locked:
    """A notice and those claims, locked and read again: claims come before notices, as everywhere."""
    on = ClaimLine.objects.filter(clawback_id=clawback_id, standing=Standing.INCLUDED).values("claim")
    held = Claim.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=on, state__in=[ClaimState.DRAFT, *EASED])
    claims = list(held.select_related("batch__programme", "batch__programme_version", "payee").order_by("pk"))
    rows = Clawback.objects.select_for_update(no_key=True, of=("self",)).select_related("claim", "reversal")
    return Locked(rows.prefetch_related("lines__claim", "repayments").get(pk=clawback_id), claims)


def open_for_money(notice: Locked) -> int:
    """What of a locked notice money may still pay: what is open, and what claims take off that may change still (fen)."""
    return standing_of(notice.clawback).open_fen + clawbacks.off_claims(notice.clawback, notice.eased)


def write(
    actor: Actor,
    right: Right,
    notice: Locked,
    money: Money,
    now: datetime,
    row: _Row | None = None,
    moved_from: Repayment | None = None,
) -> Repayment | None:
    """Record money for a locked notice; None: nothing of it is open. Raises Conflict ``repaid.not_promised``."""
    clawback, drafts = notice.clawback, notice.drafts
    if ClaimState(clawback.claim.state) not in PROMISED:
        raise Conflict.of("repaid.not_promised", number=clawback.number)
    amount = min(money.amount_fen, open_for_money(notice))
    if amount <= 0 and not money.too_much:
        return None
    on_drafts = ClaimLine.objects.filter(clawback=clawback, claim__in=drafts, standing=Standing.INCLUDED)
    on_drafts.update(standing=Standing.REPLACED)
    clawbacks.ease(actor, clawback, notice.eased, amount - standing_of(clawback).open_fen, now, right.behalf_id)
    written = Repayment.objects.create(
        clawback=clawback,
        amount_fen=amount,
        received_fen=money.amount_fen,
        payers=_by_payer(clawback, amount),
        received_on=money.received_on,
        payer_name=plain_text(money.payer_name, _NAME),
        reference=plain_text(money.reference, _TEXT),
        file=row.file if row is not None else None,
        row=row.row if row is not None else None,
        fingerprint=row.fingerprint if row is not None else None,
        moved_from=moved_from,
        recorded_by_id=actor.person_id,
        recorded_for_id=right.behalf_id,
        recorded_at=now,
    )
    for claim in drafts:
        batches.refresh(claim, now)
    after = {"number": clawback.number, "amount_fen": amount, "received_fen": money.amount_fen}
    audit.record(actor, "clawback.repay", written, now, after=after)
    return written


def _by_payer(clawback: Clawback, amount_fen: int) -> list[dict[str, int | str]]:
    """What of it goes back to each payer: in the proportion of what none of them has got back yet."""
    left = {each["payer"]: each["amount_fen"] for each in clawback.reversal.payers}
    taken = ClaimLine.objects.filter(clawback=clawback, standing=Standing.INCLUDED).values_list("payers", flat=True)
    back = Repayment.objects.filter(clawback=clawback, ended_at__isnull=True).values_list("payers", flat=True)
    for parts, sign in [*((each, 1) for each in taken), *((each, -1) for each in back)]:
        for part in parts:
            left[part["payer"]] += sign * part["amount_fen"]
    return [{"payer": payer, "amount_fen": part} for payer, part in split_like(amount_fen, left).items() if part]


def confirm(actor: Actor, repayment_id: int, now: datetime) -> Repayment:
    """Say that money that somebody else recorded is there: it goes back to its payers in the books, and the payee is told.

    Raises NotFound, Forbidden (``repaid.two_people``), Conflict ``repaid.decided``.
    """

    def work() -> Repayment:
        row, right = _locked(actor, repayment_id, now)
        if not row.waits:
            raise Conflict.of("repaid.decided")
        if {row.recorded_by_id, row.recorded_for_id} & right.people(actor):
            raise Forbidden.of("repaid.two_people")
        changes = {"confirmed_by_id": actor.person_id, "confirmed_for_id": right.behalf_id, "confirmed_at": now}
        Repayment.objects.filter(pk=row.pk).update(**changes)
        source = Source("repayment", row.pk, "clawback_repaid", _version_of(row), actor.user_id)
        _post(accounts.post_repaid, row, source, now)
        _post_surplus(row, source, now)
        audit.record(actor, "clawback.repaid", row, now, after={"number": row.clawback.number, "amount_fen": row.amount_fen})
        row.refresh_from_db()
        tell_repaid(row, now)
        return row

    return transactions.run(work)


def end(actor: Actor, repayment_id: int, reason: str, now: datetime) -> Repayment:
    """Say that money did not come back after all: before it was confirmed nothing happened, later its postings are reversed. What it paid
    is open again.

    Raises NotFound, Forbidden, Conflict ``repaid.decided`` / ``repaid.surplus_used``, Refusal ``claims.text_*``.
    """
    why = checked_text(reason)

    def work() -> Repayment:
        row, _right = _locked(actor, repayment_id, now)
        if row.ended_at is not None:
            raise Conflict.of("repaid.decided")
        if row.refunds.filter(ended_at=None).exists() or row.moved_to.filter(ended_at=None).exists():
            raise Conflict.of("repaid.surplus_used")
        Repayment.objects.filter(pk=row.pk).update(ended_by_id=actor.person_id, ended_at=now, end_reason=why)
        if row.confirmed_at is not None:
            source = Source("repayment", row.pk, "clawback_unpaid", _version_of(row), actor.user_id)
            _post(accounts.post_not_repaid, row, source, now)
            _post_surplus(row, source, now, undone=True)
        after = {"number": row.clawback.number, "amount_fen": row.amount_fen}
        audit.record(actor, "clawback.repay_end", row, now, after=after, reason=why)
        row.refresh_from_db()
        return row

    return transactions.run(work)


def _locked(actor: Actor, repayment_id: int, now: datetime) -> tuple[Repayment, Right]:
    found = get_visible(Repayment.objects.all(), actor, pk=repayment_id)
    Clawback.objects.select_for_update(no_key=True).values_list("pk").get(pk=found.clawback_id)
    rows = Repayment.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("clawback__claim__batch__programme", "clawback__payee").get(pk=found.pk)
    return row, require_office(actor, row.clawback.claim.batch, now, Role.FINANCE)


_Posting = Callable[[int, str, int, int, Source, datetime], None]


def _version_of(row: Repayment) -> int:
    return row.clawback.claim.batch.programme_version_id


def _post(posting: _Posting, row: Repayment, source: Source, now: datetime) -> None:
    clawback = row.clawback
    for part in row.payers:
        posting(clawback.programme_id, part["payer"], clawback.payee_id, part["amount_fen"], source, now)


def _post_surplus(row: Repayment, source: Source, now: datetime, *, undone: bool = False) -> None:
    """What came too much is held for the payee; what was taken from such money is held no longer. ``undone``: the other way round."""
    amount = row.amount_fen if row.moved_from_id is not None else row.too_much_fen
    gone = (row.moved_from_id is not None) is not undone
    if amount:
        posting = accounts.post_surplus_gone if gone else accounts.post_surplus
        posting(row.clawback.programme_id, row.clawback.payee_id, amount, source, now)


def take_in(actor: Actor, content: bytes, file_name: str, now: datetime, *, layout: str = "") -> ListRead:
    """Record what a bank's list says came in for notices of the actor's offices, by the reference or the number on the transfer. Whole or
    not at all; what is taken in waits for another person.

    ``layout``: a code of ``bank_rows.LAYOUTS``, empty: the first that fits. Raises Forbidden, and Refusal with a reason for *every* fault
    of the file (``bank.*``).
    """
    actor.require(Role.FINANCE)
    try:
        read = bank_rows.read_rows(bank_rows.decoded(content), layout)
    except bank_rows.Unreadable as error:
        raise Refusal(*(fault_reason(fault) for fault in error.faults)) from error

    def work() -> ListRead:
        named = {incoming.row: rules.numbers_in(incoming.remark) for incoming in read.incoming}
        mine = _mine(actor, {number for numbers in named.values() for number in numbers}, now)
        own = [(incoming, [mine[each] for each in named[incoming.row] if each in mine]) for incoming in read.incoming]
        own = [(incoming, notices) for incoming, notices in own if notices]
        stored: list[StoredFile] = []

        def file() -> StoredFile:
            if not stored:
                stored.append(_stored(actor, content, file_name, now))
            return stored[0]

        rows = tuple(_take_row(actor, incoming, notices, file, now) for incoming, notices in own)
        return ListRead(rows, len(read.incoming) - len(rows), read.outgoing)

    return transactions.run(work)


def _mine(actor: Actor, numbers: set[str], now: datetime) -> dict[str, tuple[Clawback, Right]]:
    """The notices of these numbers for which the actor may record money, by number."""
    rows = Clawback.objects.filter(number__in=numbers).select_related("claim__batch__programme")
    found = {}
    for clawback in rows.order_by("pk"):
        right = right_of(actor, clawback.claim.batch.programme.issuer_id, (Role.FINANCE,), now)
        if right is not None:
            found[clawback.number] = (clawback, right)
    return found


def _take_row(
    actor: Actor,
    incoming: bank_rows.Incoming,
    notices: Sequence[tuple[Clawback, Right]],
    file: Callable[[], StoredFile],
    now: datetime,
) -> RowRead:
    fate, written = Fate.SEVERAL, None
    if len(notices) == 1:
        clawback, right = notices[0]
        notice = locked_notice(clawback.pk)  # before it is asked: somebody else may be taking the same list in
        if Repayment.objects.filter(fingerprint=incoming.fingerprint, ended_at__isnull=True).exists():
            fate = Fate.KNOWN
        else:
            money = Money(incoming.amount_fen, incoming.booked_on, incoming.payer_name, incoming.remark)
            written = write(actor, right, notice, money, now, _Row(file(), incoming.row, incoming.fingerprint))
            fate = Fate.SETTLED if written is None else Fate.RECORDED
    numbers = tuple(clawback.number for clawback, _right in notices)
    return RowRead(incoming.row, incoming.amount_fen, incoming.remark, fate, numbers, written)


def _stored(actor: Actor, content: bytes, file_name: str, now: datetime) -> StoredFile:
    name = "".join(letter for letter in file_name if letter.isprintable())[:_NAME] or "statement.csv"
    return files.store(content, file_name=name, media_type="text/csv", user_id=actor.person_id, now=now)
