"""Settlement statements: dry run, issue, and rendering again what failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.papers import codes
from billing.pricing import services as pricing
from billing.settlement import taken_back, two_people
from billing.settlement.annexes import Papers, papers_of
from billing.settlement.closed import is_closed, of_open_months, of_programme, share_period, with_series
from billing.settlement.models import Award, Charge, Statement, StatementLine
from billing.settlement.papers import STATEMENT
from billing.settlement.period_models import HeldBack, held
from billing.settlement.proposal_models import StatementProposal
from billing.settlement.publishing import planned
from billing.settlement.rules import statement as rules
from billing.settlement.rules.lines_digest import Expected, digest_of
from billing.settlement.rules.numbers import series_key, statement_number
from billing.settlement.rules.period import first_day, is_over, next_month
from billing.settlement.rules.statement import Bank, Heading, Party, Session
from billing.settlement.services.again import queue_again
from billing.settlement.services.numbering import next_place
from billing.subsidy import services as subsidy
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules import sample_codec
from billing.subsidy.rules.codec import assessment_from_json
from booking.models import SampleJob
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.jobs import defer_once
from instruments.models import Organisation, OrganisationIdentifier, ServiceMode
from instruments.services.answer_time import zones_of_owners

TASK = "billing.render_statement"
QUEUE = "documents"
ROUTE = "statement.issue"
Content = dict[str, Any]
#: What of an award went back with credit notes.
CREDITED = Coalesce(Sum("reversals__amount_fen"), 0)


@dataclass(frozen=True, slots=True)
class Issued:
    """A statement that was issued, now or (``replayed``) by an earlier call with the same key."""

    statement_id: int
    number: str
    replayed: bool


def preview(actor: Actor, programme_version_id: int, payee_id: int, period_on: date, now: datetime, *, mode: str = "") -> Content:
    """The content that ``issue`` would freeze now, without a number; writes nothing.

    ``period_on`` is any day of the month. ``mode``: the way of settlement; may be left out where there is one. Raises Forbidden,
    NotFound, Refusal ``statement.period_not_over`` / ``statement.nothing_to_issue`` / ``statement.several_ways``.
    """
    return look(actor, programme_version_id, payee_id, period_on, now, mode=mode)[0]


def look(
    actor: Actor,
    programme_version_id: int,
    payee_id: int,
    period_on: date,
    now: datetime,
    *,
    expected: Expected | None = None,
    mode: str = "",
    made_by: AbstractBaseUser | None = None,
) -> tuple[Content, Expected]:
    """As ``preview``, with what somebody who looks at it now has seen. ``made_by``: who proposed it or made its run.
    Raises Conflict ``statement.figures_differ`` / ``statement.lines_differ`` besides."""
    hands = two_people.made(actor, made_by)
    awards, content = _dry_run(actor, programme_version_id, payee_id, period_on, now, mode, hands)
    two_people.refuse_surprise("statement", _seen(awards, content), expected)
    return content, _seen(awards, content)


def issue(
    actor: Actor,
    programme_version_id: int,
    payee_id: int,
    period_on: date,
    now: datetime,
    *,
    expected: Expected | None = None,
    mode: str = "",
    alone: bool = False,
    made_by: AbstractBaseUser | None = None,
) -> Statement:
    """Freeze everything awarded under a version to a payee in a month in one way of settlement (``mode``, may be left out where there is
    one) that stands on no statement yet, and number it.

    ``alone``: nobody else has looked at it, so it has to come to less than what needs a second person, with what came before. ``made_by``:
    who proposed it or made its run (None: the actor); it bears that name as its maker's and the actor's as its reviewer's.

    The documents are made by the worker afterwards. Raises Forbidden, NotFound, Refusal ``statement.period_not_over`` /
    ``statement.nothing_to_issue`` / ``statement.several_ways`` / ``statement.inconsistent`` / ``statement.second_person`` /
    ``statement.second_person_together``, Conflict ``statement.issued_meanwhile`` / ``statement.figures_differ`` /
    ``statement.lines_differ`` (other than ``expected``).
    """

    def work() -> Statement:
        version = get_visible(ProgrammeVersion.objects.select_related("programme"), actor, pk=programme_version_id)
        share_period(of_programme(version.programme))
        hands = two_people.released(actor, made_by)
        awards, content = _dry_run(actor, programme_version_id, payee_id, period_on, now, mode, hands)
        two_people.refuse_surprise("statement", _seen(awards, content), expected)
        if alone:
            two_people.one_by_one("statement", payee_id)
            before = before_fen(actor.person_id, payee_id, now)
            two_people.refuse_alone("statement", content["totals"]["awarded_fen"], before)
        _lock_unstated(awards)
        return _write(actor, programme_version_id, payee_id, first_day(period_on), awards, content, now)

    return transactions.run(work)


def issue_once(
    actor: Actor,
    programme_version_id: int,
    payee_id: int,
    period_on: date,
    now: datetime,
    *,
    idempotency_key: str,
    expected: Expected | None = None,
    mode: str = "",
) -> Issued:
    """As ``issue`` by one person ``alone`` (beyond what one may, see ``proposing``), at most once for a key: the second of two clicks finds
    the statement of the first.

    Raises what ``issue`` raises, and Refusal ``idempotency.*``.
    """
    payload = payload_of(programme_version_id, payee_id, period_on, expected, mode)

    def effect() -> dict[str, Any]:
        whose = (programme_version_id, payee_id, period_on)
        statement = issue(actor, *whose, now, expected=expected, mode=mode, alone=True)
        return {"id": statement.pk, "number": statement.number}

    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return Issued(result["id"], result["number"], replayed)


def payload_of(programme_version_id: int, payee_id: int, period_on: date, expected: Expected | None, mode: str) -> dict[str, Any]:
    """What a form asks for, by which its key is known again."""
    payload: dict[str, Any] = {
        "version": programme_version_id,
        "payee": payee_id,
        "month": first_day(period_on).isoformat(),
    }
    if expected is not None:
        payload |= expected.payload()
    return payload | ({"mode": mode} if mode else {})


def before_fen(person_id: int, payee_id: int, now: datetime) -> int:
    """How much the person issued to, or proposed for, a payee by hand in the last days without anybody else (fen)."""
    return before_by_payee(person_id, [payee_id], now).get(payee_id, 0)


def before_by_payee(person_id: int, payees: Collection[int], now: datetime) -> dict[int, int]:
    """The same of several payees, by their ids."""
    proposed = StatementProposal.objects.filter(payee__in=payees).select_related("programme_version__programme")
    rows = Statement.objects.filter(payee__in=payees)
    return two_people.alone_fen("payee", rows, proposed, person_id, now, open_of=open_of)


def open_of(rows: Iterable[StatementProposal]) -> set[int]:
    """Those of some proposals (ids) of which anything can still be put on a statement; one query, and one for each month. Give them with
    their programmes."""
    rows = of_open_months(rows, lambda row: (of_programme(row.programme_version.programme), row.period_on))
    asked: dict[date, set[int]] = {}
    for row in rows:
        asked.setdefault(row.period_on, set()).add(row.payee_id)
    names = ("programme_version", "payee", "mode")
    found = {
        month: set(unstated(month).filter(payee__in=payees).order_by().values_list(*names).distinct())
        for month, payees in asked.items()
    }
    return {row.pk for row in rows if (row.programme_version_id, row.payee_id, row.mode) in found[row.period_on]}


def retry(actor: Actor, statement_id: int, now: datetime) -> None:
    """Queue the documents of a statement again after they failed or were given up. Raises Forbidden, NotFound, Refusal
    ``statement.not_failed``."""
    actor.require(Role.FINANCE)
    statement = get_visible(Statement.objects.all(), actor, pk=statement_id)

    again = ("statement.render_again", "statement.not_failed")
    queue_again(actor, statement, _job(statement.pk), *again, lambda: _queue(statement.pk, at_once=True), now, render_percent=0)


def issues_for(actor: Actor, issuer_id: int | None) -> bool:
    """Whether the actor's office issues the statements of a programme of that issuer (None: of any office)."""
    return actor.has(Role.FINANCE) and issuer_id in (None, *actor.organisations(Role.FINANCE))


def _dry_run(
    actor: Actor, programme_version_id: int, payee_id: int, period_on: date, now: datetime, mode: str, hands: two_people.Hands
) -> tuple[list[Award], Content]:
    actor.require(Role.FINANCE)
    rows = ProgrammeVersion.objects.filter(published_at__isnull=False).select_related("programme")
    version = get_visible(rows, actor, pk=programme_version_id)
    if not issues_for(actor, version.programme.issuer_id):
        raise NotFound.of("access.not_found", model="programmeversion")
    payee = get_visible(Organisation.objects.all(), actor, pk=payee_id)
    month = first_day(period_on)
    local_now = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    if not is_over(month, local_now.date()):
        raise Refusal.of("statement.period_not_over", field="month")
    if is_closed(of_programme(version.programme), month):
        raise Refusal.of("statement.period_closed", field="month")
    awards = _of_one_way(_unstated(version.pk, payee.pk, month), mode)
    parties = _parties(awards, payee, _office(actor, version))
    papers = papers_of(award.pk for award in awards)
    zones = zones_of_owners({each.charge.sample_job.lab_id for each in awards if each.charge.sample_job is not None})
    heading = Heading(
        period_on=month,
        programme=subsidy.in_force(version.pk).programme,
        office=parties[_office(actor, version)],
        payee=parties[payee.pk],
        payee_kind=payee.kind,
        bank=Bank(payee.bank_name, payee.bank_account_name, payee.bank_account_number),
        maker=hands.maker,
        reviewer=hands.reviewer,
        made_at=local_now,
        zone=settings.TIME_ZONE,
        public=planned(version, awards[0].mode, [award.service_on for award in awards], local_now.date()),
        taken_back=tuple(taken_back.untold(version.programme_id, payee.pk, awards[0].mode)),
    )
    try:
        return awards, rules.assemble(heading, [_session(award, parties, zones, papers[award.pk]) for award in awards])
    except rules.Inconsistent as error:
        raise Refusal.of("statement.inconsistent", what=str(error)) from error


def _unstated(version_id: int, payee_id: int, month: date) -> list[Award]:
    """The month's awards without a statement of which something is left, in order of service, with everything their lines show."""
    rows = unstated(month).filter(programme_version_id=version_id, payee_id=payee_id)
    rows = rows.select_related(
        "charge__reservation__organisation",
        "charge__reservation__instrument__organisation",
        "charge__reservation__instrument__site",
        "charge__sample_job__resource",
        "charge__sample_job__lab",
        "charge__sample_job__organisation",
    )
    return list(
        rows.prefetch_related("reversals").order_by("service_on", "charge__reservation__starts_at", "charge__sample_job", "pk")
    )


def unstated(month: date) -> QuerySet[Any]:
    """The awards of all payees that a statement of the month takes: of the month itself, of earlier ones that are closed by now, and
    what was postponed to it; not what is held back, stands on a statement, or went back whole."""
    postponed = Q(pk__in=HeldBack.objects.filter(lifted_at__isnull=True, until_on__lte=month).values("award"))
    late = Q(service_on__lt=month) & (postponed | Q(month_closed=True))
    of_month = Q(service_on__gte=month, service_on__lt=next_month(month))
    return with_series(statable(month)).filter(of_month | late)


def statable(on: Any) -> QuerySet[Any]:
    """The awards of any month that stand on no statement, did not go back whole and are not held back in the month of a day (``on``: a
    date, or where one stands)."""
    rows = Award.objects.filter(~held("award", on), statement_line__isnull=True)
    return rows.annotate(credited_fen=CREDITED).filter(total_fen__gt=F("credited_fen"))


def _of_one_way(awards: Sequence[Award], mode: str) -> list[Award]:
    """Those of one way of settlement: each is money of another kind, so that no statement mixes two."""
    found = [award for award in awards if mode in ("", award.mode)]
    if not found:
        raise Refusal.of("statement.nothing_to_issue", field="month")
    ways = sorted({award.mode for award in found})
    if len(ways) > 1:
        raise Refusal.of("statement.several_ways", field="mode", ways=ways)
    return found


def _office(actor: Actor, version: ProgrammeVersion) -> int:
    """The office that issues: the programme's own, else the one for which the person works."""
    return version.programme.issuer_id or min(actor.organisations(Role.FINANCE))


def _parties(awards: Sequence[Award], payee: Organisation, office_id: int) -> dict[int, Party]:
    """Every organisation named on the statement, with its identifier (the unified code before any other)."""
    named = {payee.pk: payee}
    for award in awards:
        named |= {each.pk: each for each in _sides(award.charge)}
    if office_id not in named:
        named[office_id] = Organisation.objects.get(pk=office_id)
    codes: dict[int, tuple[str, str]] = {}
    rows = OrganisationIdentifier.objects.filter(organisation_id__in=named).order_by("organisation_id", "scheme")
    for pk, scheme, value in rows.values_list("organisation_id", "scheme", "value"):
        if pk not in codes or scheme == "uscc":
            codes[pk] = (scheme, value)
    return {pk: Party(each.name, each.name_en, *codes.get(pk, ("", ""))) for pk, each in named.items()}


def _sides(charge: Charge) -> tuple[Organisation, Organisation]:
    """Owner and customer of what was charged."""
    if charge.reservation is not None:
        return charge.reservation.instrument.organisation, charge.reservation.organisation
    job = _job_of(charge)
    return job.lab, job.organisation


def _job_of(charge: Charge) -> SampleJob:
    if charge.sample_job is None:
        raise ValueError("a charge is of a reservation or of a sample job")
    return charge.sample_job


def _session(award: Award, parties: dict[int, Party], zones: Mapping[int, ZoneInfo], papers: Papers) -> Session:
    """``zones`` are those of the labs of sample jobs."""
    charge = award.charge
    reservation = charge.reservation
    if reservation is None:
        return _sample_job(award, parties, zones, papers)
    instrument = reservation.instrument
    bands = pricing.schedule(charge.inputs["schedule"]["price_version"]).bands
    return Session(
        award_id=award.pk,
        reservation_id=reservation.pk,
        reference=reservation.reference,
        instrument=instrument.name,
        instrument_en=instrument.name_en,
        inner_id=instrument.inner_id,
        owner=parties[instrument.organisation_id],
        customer=parties[reservation.organisation_id],
        service_way=reservation.service_mode,
        service_on=award.service_on,
        starts_at=datetime.fromisoformat(charge.inputs["starts_at"]),
        ends_at=datetime.fromisoformat(charge.inputs["ends_at"]),
        zone=charge.inputs["zone"],
        assessment=assessment_from_json(charge.result),
        awarded_fen=award.total_fen,
        payers=tuple((line["payer"], line["amount_fen"]) for line in award.payers),
        band_names={band.code: band.name for band in bands},
        inputs_sha256=charge.inputs_sha256,
        engine_version=charge.engine_version,
        mode=award.mode,
        credited=_credited(award),
        papers=papers,
    )


def _sample_job(award: Award, parties: dict[int, Party], zones: Mapping[int, ZoneInfo], papers: Papers) -> Session:
    """A sample job as a line: from the day its samples came to the last test."""
    charge, job = award.charge, _job_of(award.charge)
    received = job.received_at or job.asked_at
    return Session(
        award_id=award.pk,
        reservation_id=None,
        reference=job.reference,
        instrument=job.resource.name,
        instrument_en=job.resource.name_en,
        inner_id=job.resource.inner_id,
        owner=parties[job.lab_id],
        customer=parties[job.organisation_id],
        service_way=ServiceMode.COMMISSIONED.value,
        service_on=award.service_on,
        starts_at=received,
        ends_at=job.tested_at or received,
        zone=zones[job.lab_id].key,
        assessment=sample_codec.assessment_from_json(charge.result),
        awarded_fen=award.total_fen,
        payers=tuple((line["payer"], line["amount_fen"]) for line in award.payers),
        band_names={},
        inputs_sha256=charge.inputs_sha256,
        engine_version=charge.engine_version,
        mode=award.mode,
        samples=charge.inputs["samples"],
        sample_job_id=job.pk,
        credited=_credited(award),
        papers=papers,
    )


def _seen(awards: Sequence[Award], content: Content) -> Expected:
    lines = [("award", award.pk, award.total_fen - sum(amount for _, amount in _credited(award))) for award in awards]
    return Expected(content["totals"]["lines"], content["totals"]["awarded_fen"], digest_of(lines))


def _lock_unstated(awards: Sequence[Award]) -> None:
    """Lock the awards in id order and look again: whoever waited here finds what the other one issued, or that something was credited."""
    award_ids = [award.pk for award in awards]
    locked = Award.objects.select_for_update(no_key=True).filter(pk__in=award_ids).order_by("pk")
    list(locked.values_list("pk", flat=True))
    if StatementLine.objects.filter(award_id__in=award_ids).exists():
        raise Conflict.of("statement.issued_meanwhile")
    credited = dict(Award.objects.filter(pk__in=award_ids).annotate(fen=CREDITED).values_list("pk", "fen"))
    if any(credited[award.pk] != sum(amount for _, amount in _credited(award)) for award in awards):
        raise Conflict.of("statement.issued_meanwhile")


def _credited(award: Award) -> tuple[tuple[str, int], ...]:
    """What of an award went back with credit notes, by payer; its reversals are loaded."""
    back: dict[str, int] = {}
    for reversal in award.reversals.all():
        for each in reversal.payers:
            back[each["payer"]] = back.get(each["payer"], 0) + each["amount_fen"]
    return tuple(back.items())


def _write(
    actor: Actor, version_id: int, payee_id: int, month: date, awards: Sequence[Award], dry: Content, now: datetime
) -> Statement:
    content = codes.with_code(rules.numbered(dry, _next_number(now)))
    statement = Statement.objects.create(
        number=content["number"],
        programme_version_id=version_id,
        payee_id=payee_id,
        period_on=month,
        total_fen=content["totals"]["awarded_fen"],
        line_count=content["totals"]["lines"],
        content=content,
        content_sha256=rules.fingerprint(content),
        issued_at=now,
        issued_by_id=cast(int, actor.user_id),  # who has a role is somebody
    )
    codes.register(STATEMENT, statement.pk, content, now)
    StatementLine.objects.bulk_create(
        [StatementLine(statement=statement, award=award, position=place) for place, award in enumerate(awards, start=1)],
        batch_size=1000,
    )
    after = {"number": statement.number, "total_fen": statement.total_fen, "lines": statement.line_count}
    audit.record(actor, "statement.issue", statement, now, after=after)
    _queue(statement.pk)
    return statement


def _next_number(now: datetime) -> str:
    """The next number of this year's series."""
    year = now.astimezone(ZoneInfo(settings.TIME_ZONE)).year
    return statement_number(year, next_place(series_key(year)))


def _job(statement_id: int) -> str:
    return f"statement:{statement_id}"


def _queue(statement_id: int, *, at_once: bool = False) -> None:
    """One job for the worker, in the transaction of the change; one that waits already is enough."""
    name = _job(statement_id)
    defer_once(TASK, name, queue=QUEUE, lock=name, at_once=at_once, statement_id=statement_id)
