"""Take over what a lab kept before: bookings to come and past use, all rows or none, with the fate of every row, and nothing twice.

The preview writes nothing and locks nothing. What is confirmed is judged anew behind the locks of all calendars, compared with the preview,
and only then written; the exclusion constraint has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from schedule.models import Calendar

from booking import ports
from booking.column_wording import COLUMN_NAMES
from booking.models import ImportedBooking, Reservation
from booking.rules.booking_rows import (
    MOST_ROWS,
    BookingRow,
    Kind,
    Placed,
    check_document,
    colliding,
    columns_of,
    document_of,
    guess,
    key_of,
    kind_of,
    known_headers,
    placed,
    read_rows,
    repeated,
    row_of_event,
    says_same,
    words,
)
from booking.rules.states import ReservationState
from booking.services.brought_bookings import KIND, Brought, take_back, tell_all, write
from booking.services.conflicts import NO_OVERLAP
from booking.services.import_people import Found, Lookup, taken_positions
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import transactions
from config.kernel.time_range import TimeRange
from instruments.models import Organisation
from instruments.rules.ics_reading import REFUSED, TAKEN, IcsRow
from instruments.rules.reading_options import ENCODING, TIME_ZONE
from instruments.rules.registry_file import Limits, header_key
from instruments.services import ics_reader
from instruments.services.import_kinds import NEW, SAVED, ColumnChoices, ImportKind, Order, facts_of
from instruments.services.instrument_changes import owner_institution
from instruments.services.list_reading import read_list
from instruments.services.list_report import ReadAs, report_on
from instruments.services.registry_encoding import Decoded
from instruments.services.registry_import import ImportReport, RowFate

CALENDAR_LAYOUT = "booking_calendar"
_BACK, _AHEAD = timedelta(days=1100), timedelta(days=400)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a file says: its rows, fates of what is no booking at all, and what was read how."""

    rows: Sequence[BookingRow]
    left_out: Sequence[RowFate]
    read_as: ReadAs


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row that may be written, with everything that is needed for it."""

    placed: Placed
    found: Found
    reservation: Reservation


def import_bookings(actor: Actor, order: Order, now: datetime) -> ImportReport:
    """Read the list, judge every row, and write all of it in one transaction unless a row is refused or it is a dry run.

    Raises Forbidden, Refusal ``import.*`` / ``ics.*`` / ``booking_import.*`` when the file cannot be read as a list of bookings, Conflict
    ``import.changed_since`` when it would come otherwise than previewed, or somebody took a time meanwhile.
    """
    if order.owner_id is None:
        raise Refusal.of("import.owner_needed", "owner")
    actor.require_in(order.owner_id, Role.LAB_MANAGER)
    owner = owner_institution(order.owner_id)
    lookup = Lookup(owner)
    read = _events(order, lookup, now) if order.layout == CALENDAR_LAYOUT else _table(order)
    if len(read.rows) > MOST_ROWS:
        raise Refusal.of("booking_import.too_many_rows", "file", most=MOST_ROWS)
    try:
        with transaction.atomic():
            return _judged_and_written(actor, order, owner, lookup, read, now)
    except IntegrityError as error:
        if transactions.constraint_name(error) != NO_OVERLAP:
            raise
        raise Conflict.of("import.changed_since", "file") from error


def _judged_and_written(
    actor: Actor, order: Order, owner: Organisation, lookup: Lookup, read: _Read, now: datetime
) -> ImportReport:
    if not order.dry_run:
        calendars = Calendar.objects.filter(pk__in=lookup.calendar_ids(read.rows)).order_by("pk")
        list(calendars.select_for_update(no_key=True).values_list("pk", flat=True))
    lookup.read(read.rows)
    fates, judged = _Judge(actor, owner, lookup, now, order.options.time_zone).all(read.rows)
    fates = sorted([*fates, *read.left_out], key=lambda row: row.line)
    report = report_on(order, read.read_as, fates)
    order.progress(len(fates), len(fates))
    if order.expected_digest and report.digest != order.expected_digest:
        raise Conflict.of("import.changed_since", "file")
    if report.written:
        brought = [
            Brought(one.reservation, one.placed.row, one.placed.key, kind_of(one.placed.during, now), order.file_name)
            for one in judged
        ]
        for one in brought:
            write(actor, one, order.run_id, now)
        tell_all(owner, brought, now)
    return report


# --- Reading ----------------------------------------------------------------------------------------------------------
def _table(order: Order) -> _Read:
    """Where columns were chosen, the table that has those, as it was shown when they were chosen."""
    chosen = order.document or {}
    wanted = frozenset(map(header_key, chosen["fields"].values())) if chosen else known_headers()
    read = read_list(order.content, Limits(), wanted, encoding=order.options.encoding, delimiter=chosen.get("delimiter", ""))
    columns = columns_of(read.table.headers, order.document)
    return _Read(read_rows(read.table, columns), (), ReadAs(read.decoded, read.table.headers, frozenset(columns.values())))


def _events(order: Order, lookup: Lookup, now: datetime) -> _Read:
    """The calendar of one instrument, whose name or number is the calendar's name. Raises Refusal ``booking_import.calendar_unnamed``."""
    window = TimeRange(now - _BACK, now + _AHEAD)
    file = ics_reader.read(order.content, ZoneInfo(settings.TIME_ZONE), window)
    instrument, reasons = lookup.instrument(file.title)
    if instrument is None:
        raise Refusal(*(reasons or [Reason("booking_import.calendar_unnamed", {}, "file")]))
    zone_name = order.options.time_zone or instrument.site.time_zone
    if zone_name != settings.TIME_ZONE:
        file = ics_reader.read(order.content, ZoneInfo(zone_name), window)
    rows = [
        row_of_event(each.line, each.uid, each.recurrence, each.title, file.title, each.starts_at, each.ends_at)
        for each in file.rows
        if each.fate == TAKEN
    ]
    left_out = [_event_fate(each, lookup.owner.name) for each in file.rows if each.fate != TAKEN]
    return _Read(rows, left_out, ReadAs(Decoded("", "utf-8", "certain")))


def _event_fate(row: IcsRow, owner: str) -> RowFate:
    """What takes no time is left as it is; what cannot be read refuses the file, as any row does."""
    reasons = (row.reason,) if row.reason else ()
    if row.fate == REFUSED:
        return RowFate(line=row.line, fate="refused", name=row.title, owner=owner, reasons=reasons)
    return RowFate(line=row.line, fate="unchanged", name=row.title, owner=owner, notes=reasons)


# --- Judging ----------------------------------------------------------------------------------------------------------
class _Judge:
    """Meets the rows with what is stored; everything that many rows need is read at once."""

    def __init__(self, actor: Actor, owner: Organisation, lookup: Lookup, now: datetime, zone_name: str = "") -> None:
        """``zone_name``: in which zone the times of the file are meant; empty: each in that of its instrument."""
        self.actor, self.owner, self.lookup, self.now, self.zone_name = actor, owner, lookup, now, zone_name

    def all(self, rows: Sequence[BookingRow]) -> tuple[list[RowFate], list[_Judged]]:
        """The fate of every row, and those that are to be written."""
        fates: dict[int, RowFate] = {}  # by position: occurrences of an event share its line
        found: list[tuple[Placed, Found]] = []
        for position, row in enumerate(rows):
            pair, faults = self._placed(position, row)
            if pair is None:
                fates[position] = self._fate(row, "refused", faults)
            else:
                found.append(pair)
        self._say_known(found, fates)
        new = [one for one in found if one[0].position not in fates]
        self._refuse_taken([one for one, _found in new], fates)
        judged = [self._judged(*one) for one in new if one[0].position not in fates]
        why_not = ports.money().reasons_against([one.reservation for one in judged], self.now)
        for one, reasons in zip(judged, why_not, strict=True):
            fate = "refused" if reasons else "created"
            # What it becomes is part of what was previewed: a booking that has passed since is not written as past use unseen.
            becomes = (Reason(f"booking_import.{self._becomes(one.placed)}", {}, ""),)
            said = tuple(_of_a_past_day(reason) for reason in reasons) or becomes
            fates[one.placed.position] = self._fate(one.placed.row, fate, said, found=one.found)
        return [fates[position] for position in range(len(rows))], judged

    def _becomes(self, one: Placed) -> str:
        kind = kind_of(one.during, self.now)
        return "past_charged" if kind is Kind.PAST and one.row.charge else str(kind)

    def _placed(self, position: int, row: BookingRow) -> tuple[tuple[Placed, Found] | None, list[Reason]]:
        found, reasons = self.lookup.find(row)
        reasons = [*row.reasons, *reasons]
        if found is None:
            return None, reasons
        if found.person.pk == self.actor.user_id:
            # As with any request: nobody says yes to a time of their own. A colleague brings it.
            reasons.append(Reason("booking_import.own", {}, "email"))
        during, faults = placed(row, ZoneInfo(self.zone_name or found.instrument.site.time_zone), self.now)
        reasons += faults
        if during is None or reasons:
            return None, reasons
        key = key_of(row, found.instrument.pk, during)
        return (Placed(position, row, found.instrument.calendar_id, key, during, during), found), []

    def _say_known(self, found: Sequence[tuple[Placed, Found]], fates: dict[int, RowFate]) -> None:
        """Rows that say something again, or otherwise: within the file, or what an import has brought before."""
        keys = {one.key for one, _found in found}
        stored = {
            each.source_key: each
            for each in ImportedBooking.objects.filter(
                organisation=self.owner, source_key__in=keys, undone_at__isnull=True
            ).select_related("reservation")
        }
        again = repeated([one for one, _found in found])
        for one, who in found:
            before = again.get(one.position)
            if before is not None and says_same(one, before):
                note = Reason("booking_import.repeated_row", {"counting_line": before.row.line}, "")
                fates[one.position] = self._fate(one.row, "repeated", (note,))
            elif before is not None:
                reason = Reason("booking_import.number_twice", {"other_line": before.row.line}, "external_id")
                fates[one.position] = self._fate(one.row, "refused", (reason,))
            elif one.key in stored:
                fates[one.position] = self._known(one, who, stored[one.key])

    def _known(self, one: Placed, who: Found, before: ImportedBooking) -> RowFate:
        """Unchanged where the row says the time that its list said before, or that the booking has by now."""
        said = TimeRange(before.source_starts_at, before.source_ends_at)
        if one.during in (said, before.reservation.during):
            note = Reason("booking_import.known", {"reference": before.reservation.reference}, "")
            return self._fate(one.row, "unchanged", (), (note,), who)
        zone = self.lookup.zone(one.row)
        times = {
            "starts_at": one.during.starts_at,
            "ends_at": one.during.ends_at,
            "said_starts_at": said.starts_at,
            "said_ends_at": said.ends_at,
        }
        params = {name: moment.astimezone(zone).isoformat() for name, moment in times.items()}
        params |= {"reference": before.reservation.reference}
        return self._fate(one.row, "refused", (Reason("booking_import.known_elsewhen", params, "starts_at"),), found=who)

    def _refuse_taken(self, rows: Sequence[Placed], fates: dict[int, RowFate]) -> None:
        """Rows whose time another row, or somebody here, has."""
        others = colliding(rows)
        taken = taken_positions(rows, self.now)
        for one in rows:
            reasons = []
            if one.position in others:
                other_line = others[one.position].row.line
                reasons.append(Reason("booking_import.collides", {"other_line": other_line}, "starts_at"))
            if one.position in taken:
                zone = self.lookup.zone(one.row)
                span = {name: moment.astimezone(zone).isoformat() for name, moment in taken[one.position].items()}
                reasons.append(Reason("booking_import.taken", span, "starts_at"))
            if reasons:
                fates[one.position] = self._fate(one.row, "refused", reasons)

    def _judged(self, one: Placed, found: Found) -> _Judged:
        reservation = Reservation(
            instrument=found.instrument,
            organisation=found.customer,
            requested_by=found.person,
            starts_at=one.during.starts_at,
            ends_at=one.during.ends_at,
            state=ReservationState.REQUESTED,
            service_mode=found.service_mode,
            purpose=one.row.purpose,
            research_project=one.row.research_project,
            created_at=self.now,
            imported=True,
        )
        return _Judged(one, found, reservation)

    def _fate(
        self,
        row: BookingRow,
        fate: str,
        reasons: Sequence[Reason] = (),
        notes: Sequence[Reason] = (),
        found: Found | None = None,
    ) -> RowFate:
        moments = [self._on_the_wall(row, moment) for moment in (row.starts, row.ends) if moment is not None]
        same_day = len({moment.date() for moment in moments}) == 1
        patterns = ("%Y-%m-%d %H:%M", "%H:%M" if same_day and len(moments) > 1 else "%Y-%m-%d %H:%M")
        when = "–".join(moment.strftime(pattern) for moment, pattern in zip(moments, patterns, strict=False))
        return RowFate(
            line=row.line,
            fate=fate,
            name=f"{row.email} {when}".strip(),
            inner_id=row.external_id or row.instrument,
            owner=self.owner.name,
            instrument_id=found.instrument.pk if found else None,
            reasons=tuple(reasons),
            notes=tuple(notes),
        )

    def _on_the_wall(self, row: BookingRow, moment: datetime) -> datetime:
        """As the instrument's wall shows it; a wall time is that already, but where a zone was chosen for the file."""
        instrument, _reasons = self.lookup.instrument(row.instrument)
        if instrument is None or (moment.tzinfo is None and not self.zone_name):
            return moment
        instant = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.zone_name))
        return instant.astimezone(ZoneInfo(instrument.site.time_zone))


def _of_a_past_day(reason: Reason) -> Reason:
    """What money says against a row, in words for who brings a list: the price is missing on the day of the row."""
    return Reason("booking_import.no_price", reason.params, reason.field) if reason.code == "price.none" else reason


BOOKINGS = ImportKind(
    KIND,
    ("booking_list", CALENDAR_LAYOUT, SAVED, NEW),
    import_bookings,
    facts=facts_of,
    object_id=lambda row: row.instrument_id,
    page="instrument_detail",
    takes=frozenset({ENCODING, TIME_ZONE}),
    columns=ColumnChoices(
        tuple(words()["columns"]),
        lambda headers, choices: {header: code for header, code in guess(headers).items() if code in choices},
        document_of,
        check_document,
    ),
    names=COLUMN_NAMES,
    undo=take_back,
)
