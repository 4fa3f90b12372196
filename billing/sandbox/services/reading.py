"""The sessions and commissioned tests of a period as the simulation takes them, piece by piece, in the order in which they were charged;
and the vouchers that were issued."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from billing.firms.rules.incomes import year_before
from billing.firms.rules.places import place_of
from billing.pricing.rules.tax import Tax
from billing.sandbox.rules import priced_counts
from billing.sandbox.rules.purses import Vouchers, by_holder
from billing.sandbox.rules.rows import Income, Row
from billing.sandbox.rules.spending import Spending, sums
from billing.settlement.incomes import Asked as AskedIncome
from billing.settlement.incomes import known as known_incomes
from billing.settlement.models import Award
from billing.settlement.services.assessing import SERVICE_KIND, TESTING_KIND, Told
from billing.settlement.services.gathering import gather_all, instrument_party
from billing.subsidy import services as subsidy
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.facts import Facts, facts_document, parse_facts
from billing.subsidy.rules.outcome import SettlementMode, home_payer
from billing.subsidy.rules.parts.days import add_months
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.questions import OTHER, OTHER_AMOUNTS, Question
from billing.subsidy.rules.questions import told as with_answers
from billing.vouchers.models import Voucher
from billing.vouchers.rules.backing import Usable
from booking.rules.answers import known_answers
from instruments.models import Instrument, Organisation, ServiceMode
from instruments.queries.places import RESOURCE_PLACE

Json = dict[str, Any]
Read = tuple[Any, ...]
"""A row of ``_ROWS`` or ``_TESTS``."""
PIECE = 20_000
#: The grade of a service that a second person confirmed and that stands now, whatever it was charged with.
_GRADED = "(SELECT g.grade FROM booking_closeout g WHERE g.{of} = {row}.id AND g.confirmed_at IS NOT NULL)"
#: The sheet in force that a service stands under, 0 without one.
_SHEET = (
    "coalesce((SELECT o.id FROM billing_{links} l JOIN billing_commissionsheet o ON o.id = l.sheet_id"
    " WHERE l.{of} = {row}.id AND o.in_force_at IS NOT NULL), 0)"
)
#: What a piece of frozen facts says about one service alone.
_GROUPS_OF_ONE = ("service", "amounts", "quantities")

#: Of a reservation's own site and period; ``r``, ``i`` and ``s`` are there.
_WITHIN = """
       r.starts_at >= %(from)s AND r.starts_at < %(until)s
   AND (r.starts_at AT TIME ZONE s.time_zone)::date BETWEEN %(first)s AND %(last)s
   AND r.organisation_id <> i.organisation_id
"""
_EXTENT = f"""
SELECT count(*), min(c.id), max(c.id)
  FROM billing_charge c
  JOIN booking_reservation r ON r.id = c.reservation_id
  JOIN instruments_instrument i ON i.id = r.instrument_id
  JOIN instruments_site s ON s.id = i.site_id
 WHERE {_WITHIN}
"""  # noqa: S608  (constants only; values are bound)
#: Commissioned tests count on the day on which their samples were to come, as in their price; ``j`` is there.
_TESTED_WITHIN = "j.arrive_on BETWEEN %(first)s AND %(last)s AND j.organisation_id <> j.lab_id"
_TESTS_EXTENT = f"""
SELECT count(*), min(c.id), max(c.id)
  FROM booking_samplejob j JOIN billing_charge c ON c.sample_job_id = j.id
 WHERE {_TESTED_WITHIN}
"""  # noqa: S608  (constants only; values are bound)
#: Where a piece ends: a walk along the primary key.
_END = "SELECT max(id) FROM (SELECT id FROM billing_charge WHERE id > %s ORDER BY id LIMIT %s) piece"
_EXTRAS = "coalesce((SELECT sum((e ->> 'amount_fen')::bigint) FROM jsonb_array_elements(c.inputs -> 'extras') e), 0)::bigint"
#: The rate of the tax in or on a price, where it is asked for and the price names one.
_TAX_RATE = """CASE WHEN %(taxed)s THEN jsonb_path_query_first(
           c.result, '$.priced.steps[*] ? (@.key starts with "price.step.tax").params.rate') #>> '{}' END"""
#: The lines of a price, with the end of what is subsidised of a session, where it is asked for what they count.
_COUNTED = """CASE WHEN %(counted)s THEN jsonb_build_object('lines', c.result #> '{priced,lines}',
           'seconds', extract(epoch FROM (c.inputs ->> 'subsidised_until')::timestamptz - (c.inputs ->> 'starts_at')::timestamptz)::bigint)
           END::text"""
_FACTS = """((c.inputs #> '{candidates,0,facts}') - ARRAY['service', 'amounts', 'quantities'] #- '{applicant,first_use}'
           #- '{request,side}' #- '{request,voucher}' #- '{request,voucher_issued_on}' #- '{before,spend}' #- '{quality,grade}'
           #- '{other}' #- '{other_amounts}')::text,
       ((c.inputs #> '{candidates,0,facts,service}') - ARRAY['person', 'order', 'listed', 'project_evidence'])::text"""
#: Row by row behind its charge (OFFSET 0), so that a piece costs the same whatever the period is; joined freely, all reservations of
#: the period would be read for every piece. What is used beyond the booked end, or used besides, is charged and never subsidised.
_ROWS = f"""
SELECT c.id, r.organisation_id, i.organisation_id, i.id, r.requested_by_id,
       coalesce(r.series_id * 3 + 1, r.group_id * 3 + 2, 0), {_SHEET.format(links="commissionreservation", of="reservation_id", row="r")},
       c.gross_fen - CASE WHEN c.inputs ? 'subsidised_until' THEN coalesce((jsonb_path_query_first(
           c.result, '$.steps[*] ? (@.key == "session.step.beyond_booked").params.beyond_fen') #>> '{{}}')::bigint, 0) ELSE 0 END
           - {_EXTRAS},
       coalesce((c.result #>> '{{priced,minimum_top_up_fen}}')::bigint, 0),
       coalesce(r.billable_minutes, 0), 0, (r.starts_at AT TIME ZONE s.time_zone)::date, s.region_code,
       coalesce(nullif(r.service_kind, ''), '{SERVICE_KIND}'), r.service_mode, r.service_direction, r.answers,
       {_GRADED.format(of="reservation_id", row="r")}, {_TAX_RATE}, {_COUNTED}, {_FACTS}
  FROM billing_charge c
 CROSS JOIN LATERAL (
       SELECT r.*, (SELECT u.billable_minutes FROM booking_usagesession u WHERE u.reservation_id = r.id)
         FROM booking_reservation r WHERE r.id = c.reservation_id OFFSET 0) r
  JOIN instruments_instrument i ON i.id = r.instrument_id
  JOIN instruments_site s ON s.id = i.site_id
 WHERE c.id > %(after)s AND c.id <= %(end)s AND {_WITHIN}
 ORDER BY c.id
"""  # noqa: S608  (constants only; values are bound)
_TESTS = f"""
SELECT c.id, j.organisation_id, j.lab_id, 0, j.requested_by_id,
       0, {_SHEET.format(links="commissionsamplejob", of="sample_job_id", row="j")}, c.gross_fen - {_EXTRAS},
       coalesce((c.result #>> '{{priced,minimum_top_up_fen}}')::bigint, 0),
       0, (c.inputs ->> 'samples')::int, j.arrive_on, {RESOURCE_PLACE},
       coalesce(nullif(j.service_kind, ''), '{TESTING_KIND}'), '{ServiceMode.COMMISSIONED.value}', j.service_direction, j.answers,
       {_GRADED.format(of="sample_job_id", row="j")}, {_TAX_RATE}, {_COUNTED}, {_FACTS}
  FROM billing_charge c
  JOIN booking_samplejob j ON j.id = c.sample_job_id
  JOIN instruments_resource r ON r.id = j.resource_id
  JOIN instruments_organisation o ON o.id = r.organisation_id
 WHERE c.id > %(after)s AND c.id <= %(end)s AND c.sample_job_id IS NOT NULL AND {_TESTED_WITHIN}
"""  # noqa: S608  (constants only; values are bound)
#: What customers were charged by other owners in a piece, on the local day of the service.
_CHARGED = """
SELECT c.id, r.organisation_id, (r.starts_at AT TIME ZONE s.time_zone)::date, c.gross_fen
  FROM billing_charge c JOIN booking_reservation r ON r.id = c.reservation_id
  JOIN instruments_instrument i ON i.id = r.instrument_id JOIN instruments_site s ON s.id = i.site_id
 WHERE c.id > %(after)s AND c.id <= %(end)s AND r.organisation_id = ANY(%(ids)s::bigint[])
   AND r.starts_at > %(since)s::date AND i.organisation_id <> r.organisation_id
 UNION ALL
SELECT c.id, j.organisation_id, j.arrive_on, c.gross_fen
  FROM billing_charge c JOIN booking_samplejob j ON j.id = c.sample_job_id
 WHERE c.id > %(after)s AND c.id <= %(end)s AND j.organisation_id = ANY(%(ids)s::bigint[])
   AND j.arrive_on > %(since)s AND j.lab_id <> j.organisation_id
"""
#: A day that counts may lie before the service: an approval, at most so long.
_EARLIER = timedelta(days=366)
#: What versions (each with its place) gave for the services of a piece, and how much of it made them cheaper for the customer.
_GIVEN = f"""
SELECT a.charge_id, v.place, sum(a.total_fen)::bigint,
       coalesce(sum(a.total_fen) FILTER (WHERE a.mode <> '{SettlementMode.PAID_BESIDE.value}'), 0)::bigint
  FROM billing_award a JOIN unnest(%(versions)s::bigint[], %(places)s::int[]) AS v (id, place) ON v.id = a.programme_version_id
 WHERE a.charge_id > %(after)s AND a.charge_id <= %(end)s
 GROUP BY 1, 2
"""  # noqa: S608  (constants only; values are bound)


@dataclass(slots=True)
class Piece:
    """Services with the facts, and the owners' incomes, that came up for the first time; ``last`` is the id to go on behind."""

    rows: list[Row]
    facts: list[Json]
    services: list[Json]
    last: int
    incomes: list[Income] = field(default_factory=list)


@dataclass(slots=True)
class Reader:
    """Reads a period (local days of the instruments' sites, both included). What a lab does for itself is left out, because no programme is
    tried for it. ``asked``: what the programmes look at of those facts of a service that are told only where one looks at them; nobody may
    have asked when it was booked. ``income_bases``: the days (as in ``validity``) by which those programmes go that ask what the owner
    earned in the year before; a figure counts that was confirmed by ``as_of``. ``before``: of what is tried and of what it is held against
    the programme versions (ids) whose awards it is told, nothing where neither asks. ``taxed``: whether one asks for the tax, or
    what an owner earns without it; ``counted``: for what a price counts. ``questions``: what the programmes ask of whoever books;
    the answers stand with the booking, where nobody changes them once money is promised. ``spending``: what each of them asks of
    what the customer spent before, nothing where neither does."""

    first_on: date
    last_on: date
    asked: frozenset[str] = frozenset()
    income_bases: frozenset[str] = frozenset()
    as_of: datetime | None = None
    before: Sequence[Collection[int]] = ()
    taxed: bool = False
    questions: tuple[Question, ...] = ()
    counted: bool = False
    spending: tuple[Spending, ...] = ()
    _facts: dict[tuple[str, ...], int] = field(default_factory=dict)
    _kinds: list[str] = field(default_factory=list)
    """Of each facts the kind of the applicant."""
    _owners: list[str] = field(default_factory=list)
    """Of each facts the owner."""
    _years: list[tuple[int, ...]] = field(default_factory=list)
    """Of each service the years before the days that count."""
    _incomes: set[AskedIncome] = field(default_factory=set)
    """What was looked up."""
    _spent: dict[int, dict[date, int]] = field(default_factory=dict)
    """What each customer that came up was charged so far, by day."""
    _bases: list[tuple[date | None, ...]] = field(default_factory=list)
    """Of each service the days by which the spending is counted."""
    _services: dict[tuple[str, ...], int] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)

    @property
    def told_of_price(self) -> bool:
        """Whether rows say what follows from their prices."""
        return self.taxed or self.counted

    def count(self) -> int:
        """How many services there are."""
        return sum(each[0] for each in self._extents())

    def pieces(self, after: int, until: int | None = None) -> Iterator[Piece]:
        """From behind the charge ``after`` on (``until``: up to that one); each piece is one read of its own, so that nothing is held open
        meanwhile."""
        sessions, tests = self._extents()
        found = [each for each in (sessions, tests) if each[0]]
        if not found:
            return
        after, last = max(after, min(first for _count, first, _last in found) - 1), max(last for _count, _first, last in found)
        last = last if until is None else min(last, until)
        while after < last:
            with connection.cursor() as cursor:
                cursor.execute(_END, [after, PIECE])
                end = min(int(cursor.fetchone()[0]), last)
                bounds = {**self._bounds(), "after": after, "end": end}
                cursor.execute(_ROWS, bounds)
                read = cursor.fetchall()
                if tests[0]:
                    cursor.execute(_TESTS, bounds)
                    read = sorted([*read, *cursor.fetchall()], key=itemgetter(0))
            after = end
            if read:
                yield self._piece(read, bounds, self._given(bounds))
            else:
                self._count_all(self._charged([], bounds))

    def _extents(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """How many sessions and how many tests, the first and the last charge of each (nil without any)."""
        found = []
        with connection.cursor() as cursor:
            for statement in (_EXTENT, _TESTS_EXTENT):
                cursor.execute(statement, self._bounds())
                count, first, last = cursor.fetchone()
                found.append((count, first or 0, last or 0))
        return found[0], found[1]

    def _bounds(self) -> dict[str, Any]:
        """A day around the period in UTC, whatever the zones of the sites are."""
        return {
            "first": self.first_on,
            "last": self.last_on,
            "from": self.first_on - timedelta(days=1),
            "until": self.last_on + timedelta(days=2),
            "taxed": self.taxed,
            "counted": self.counted,
        }

    def _given(self, bounds: Mapping[str, Any]) -> dict[int, list[int]]:
        """By charge what its row says as ``given``, of those for which something was given; one statement, none where nobody asks."""
        pairs = [(version_id, place) for place, versions in enumerate(self.before) for version_id in versions]
        found: dict[int, list[int]] = {}
        if pairs:
            asked = {"versions": [version for version, _ in pairs], "places": [place for _, place in pairs]}
            with connection.cursor() as cursor:
                cursor.execute(_GIVEN, {**bounds, **asked})
                for charge_id, place, given, off_cost in cursor.fetchall():
                    sums = found.setdefault(charge_id, [0] * 2 * len(self.before))
                    sums[2 * place : 2 * place + 2] = given, off_cost
        return found

    def _piece(self, read: Sequence[Read], bounds: Mapping[str, Any], given: Mapping[int, Sequence[int]]) -> Piece:
        piece = Piece([], [], [], bounds["end"])
        nothing_given = (0,) * 2 * len(self.before)
        made = self._made(read)
        incomes: set[AskedIncome] = set()
        charged = self._charged(read, bounds)
        for row in read:
            (
                charge_id,
                customer,
                owner,
                instrument,
                person,
                asked_with,
                sheet,
                fee,
                top_up,
                minutes,
                samples,
                on,
                _region,
                kind,
                way,
                direction,
                answers,
                graded,
                tax_rate,
                counted,
                facts,
                service,
            ) = row
            if facts is None:
                facts, service = made[_made_of(row)], json.dumps({"kind": kind, **_days(on)}, sort_keys=True)
            own_answers, of_service = self._answered(answers)
            key = facts, graded or "", own_answers
            known = self._facts.get(key)
            if known is None:
                document = json.loads(facts) | json.loads(own_answers or "{}")
                if graded:
                    document["quality"] = {**document.get("quality", {}), "grade": graded}
                known = self._facts[key] = len(self._facts)
                self._kinds.append(document.get("applicant", {}).get("kind", ""))
                self._owners.append(document.get("provider", {}).get("id", ""))
                piece.facts.append(document)
            said = (service, of_service, way, direction, self._kinds[known]) if self.asked else (service, of_service)
            found = self._services.get(said)
            if found is None:
                found = self._services[said] = len(self._services)
                piece.services.append(self._told(*said))
                self._years.append(self._years_before(piece.services[-1]))
                self._bases.append(self._spending_days(piece.services[-1]))
            if self._years[found]:
                incomes.update(AskedIncome(self._owners[known], year) for year in self._years[found])
            month = f"{on:%Y-%m}"
            order = sheet * 3 or asked_with
            own = (customer, owner, instrument, person, order, sheet)
            tax = Tax(Decimal(tax_rate), included=True).contained_fen(fee) if tax_rate else 0
            others = tuple(given[charge_id]) if charge_id in given else nothing_given
            counts = (
                priced_counts.of(json.loads(counted) if counted else None, taxed=bool(tax_rate)) if self.told_of_price else ()
            )
            spent = self._spent_before(row, found, charged)
            piece.rows.append(Row(known, found, fee, top_up, minutes, samples, *own, month, tax, others, counts, spent))
        self._count_all(charged)
        piece.incomes = self._known_incomes(incomes)
        return piece

    def _spending_days(self, service: Json) -> tuple[date | None, ...]:
        """By which day each programme counts what was spent."""
        if not self.spending:
            return ()
        read = parse_facts({"service": service}).service
        return tuple(each.day(read) for each in self.spending)

    def _charged(self, read: Sequence[Read], bounds: Mapping[str, Any]) -> list[tuple[int, int, date, int]]:
        """What customers were charged in a piece, as (charge, customer, day, fen), the last one first; what those that are new were charged
        before is counted already. Two statements, none where nobody asks."""
        if not self.spending:
            return []
        new = {row[1] for row in read} - self._spent.keys()
        self._spent |= {customer: {} for customer in new}
        months = max(month for each in self.spending for month in each.months)
        asked = {"since": add_months(self.first_on, -months) - _EARLIER, "after": 0, "end": bounds["after"], "ids": sorted(new)}
        with connection.cursor() as cursor:
            cursor.execute(_CHARGED, asked)
            for _charge_id, customer, on, fen in cursor.fetchall():
                self._count_spent(customer, on, fen)
            ids = sorted(self._spent)
            cursor.execute(_CHARGED, {**asked, "after": bounds["after"], "end": bounds["end"], "ids": ids})
            return sorted(cursor.fetchall(), reverse=True)

    def _count_all(self, charged: Iterable[tuple[int, int, date, int]]) -> None:
        for _charge_id, customer, on, fen in charged:
            self._count_spent(customer, on, fen)

    def _count_spent(self, customer: int, on: date, fen: int) -> None:
        days = self._spent[customer]
        days[on] = days.get(on, 0) + fen

    def _spent_before(self, row: Read, service: int, charged: list[tuple[int, int, date, int]]) -> tuple[int, ...]:
        """What the customer of a row was charged before it, in the months that each programme asks for."""
        while charged and charged[-1][0] < row[0]:
            self._count_spent(*charged.pop()[1:])
        found: list[int] = []
        for each, on in zip(self.spending, self._bases[service], strict=True):
            found += sums(each, on, self._spent[row[1]])
        return tuple(found)

    def _years_before(self, service: Json) -> tuple[int, ...]:
        """The years whose figures programmes ask for with a service."""
        read = parse_facts({"service": service}).service
        days = (getattr(read, f"{basis}_on") for basis in self.income_bases)
        return tuple({year_before(on) for on in days if on is not None})

    def _known_incomes(self, wanted: set[AskedIncome]) -> list[Income]:
        """Those that nobody asked for before; one query, none where no programme asks."""
        new = {each for each in wanted - self._incomes if each.owner}
        self._incomes |= new
        return [(owner, year, fen) for (owner, year), fen in known_incomes(new, self.as_of).items()]

    def _answered(self, answers: str) -> tuple[str, str]:
        """What was answered to the questions, as text (JSON): facts of one's own with counts, and those of the service."""
        if not self.questions or not answers:
            return "", ""
        said, facts = known_answers(answers), Facts()
        for each in self.questions:  # two may ask for the same fact in other ways: the answer is to whom it fits
            facts = with_answers(facts, (each,), said)
        document = facts_document(facts)
        own = {name: document[name] for name in (OTHER, OTHER_AMOUNTS, "quantities") if name in document}
        return json.dumps(own, sort_keys=True), json.dumps(document.get("service", {}), sort_keys=True)

    def _told(self, service: str, answers: str = "", way: str = "", direction: str = "", customer_kind: str = "") -> Json:
        """What a service says, with what was answered of it and what nobody asked when it was booked."""
        document = (json.loads(service) or {}) | json.loads(answers or "{}")
        told = Told(customer_kind, way, direction)
        values = {path.partition(".")[2]: told.fact(path) for path in sorted(self.asked)}
        return {name: value for name, value in values.items() if value is not None} | document

    def _made(self, read: Sequence[Read]) -> dict[tuple[int, int, int, str, str], str]:
        """Facts of services for which no programme was tried when they were booked, from what is known of both sides and of the instrument
        today."""
        wanted = {_made_of(row): row[11] for row in read if row[-2] is None}
        if not wanted:
            return {}
        ids = {pk for customer, owner, *_place in wanted for pk in (customer, owner)}
        found, gathered = Organisation.objects.in_bulk(ids), gather_all(ids)
        instruments = Instrument.objects.select_related("site", "organisation").in_bulk({one[2] for one in wanted if one[2]})
        made = {}
        for one, on in wanted.items():
            customer, owner, instrument, region, kind = one
            lab = found[owner]
            tested = place_of(region, lab.region_code, lab.policy_zones)
            place = instrument_party(instruments[instrument]) if instrument else tested
            facts = gathered.facts(found[owner], place, found[customer], kind, on, on)
            made[one] = json.dumps(_without_one(facts_document(facts)), sort_keys=True, ensure_ascii=False)
        return made


def vouchers_of(codes: Iterable[str], until: datetime) -> dict[str, Vouchers]:
    """The vouchers that were issued by a moment under programmes, by the programme's code. What was given back by then holds until the
    day before."""
    rows = Voucher.objects.filter(programme__code__in=set(codes), issued_at__lte=until).select_related(
        "programme", "origin", "account"
    )
    found: dict[str, list[tuple[int, Usable]]] = {}
    for row in rows.order_by("pk"):
        ends_on = row.valid_to
        if row.returned_at is not None and row.returned_at <= until:
            ends_on = min(ends_on, timezone.localdate(row.returned_at) - timedelta(days=1))
        payer = home_payer(row.origin.platform_id) if row.origin is not None else ""
        voucher = Usable(row.account.key, row.programme_id, row.cap_id, row.number, row.valid_from, ends_on, payer, row.face_fen)
        found.setdefault(row.programme.code, []).append((row.organisation_id, voucher))
    return {code: by_holder(vouchers) for code, vouchers in found.items()}


def versions_before(programme: Programme, instead_of: Collection[str]) -> tuple[int, ...]:
    """The versions (ids) that gave something and stand before a programme in the order of the codes, as when a service is charged. Without
    those that it is not combined with, because it is tried without them, and without programmes (codes) in whose place it is tried."""
    rows = ProgrammeVersion.objects.filter(published_at__isnull=False, programme__code__lt=programme.code)
    rows = rows.exclude(programme__code__in=instead_of).filter(Exists(Award.objects.filter(programme_version=OuterRef("pk"))))
    found = ((pk, subsidy.in_force(pk).programme) for pk in rows.order_by("pk").values_list("pk", flat=True))
    return tuple(pk for pk, other in found if not programme.excludes(other) and not other.excludes(programme))


def _made_of(row: Read) -> tuple[int, int, int, str, str]:
    """What the facts of a service are made from: customer, owner, instrument (0: a test), its place and the kind."""
    return row[1], row[2], row[3], row[12], row[13]


def _days(on: date) -> dict[str, str]:
    return dict.fromkeys(("service_on", "invoice_on", "claim_on", "approval_on"), on.isoformat())


def _without_one(document: Mapping[str, Any]) -> Json:
    """Nor with the owner's grade as that of the service: that stands with the owner."""
    kept = {name: group for name, group in document.items() if name not in _GROUPS_OF_ONE}
    kept["quality"] = {name: value for name, value in kept.get("quality", {}).items() if name != "grade"}
    return kept
