"""Take over a lab's list of licences: all rows or none, with the fate of every row, and nothing twice when it comes again.

People are found by the e-mail address of their account; instruments by the lab's number, else by their name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from booking.column_wording import COLUMN_NAMES
from booking.licence_queries import in_force
from booking.models import Licence
from booking.rules.licence_rows import LicenceRow, columns_of, known_headers, read_rows
from booking.services import licences
from booking.services.import_people import Lookup
from booking.services.licences import Terms
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from instruments.models import Organisation, User
from instruments.rules.names import clean_name
from instruments.rules.registry_file import Limits
from instruments.rules.wall_time import FIRST_YEAR, LAST_YEAR, local_day
from instruments.services.import_kinds import ImportKind, Order, facts_of
from instruments.services.instrument_changes import owner_institution, require_manager
from instruments.services.list_reading import read_list
from instruments.services.list_report import ReadAs, report_on
from instruments.services.registry_import import ImportReport, RowFate

_ZONE = ZoneInfo(settings.TIME_ZONE)


def import_licences(actor: Actor, order: Order, now: datetime) -> ImportReport:
    """Read the list, then write all of it in one transaction, unless a row is refused or it is a dry run.

    Raises Forbidden, Refusal ``import.*`` / ``licence.column_missing`` when it cannot be read as a list of licences, Conflict
    ``import.changed_since`` when it would come otherwise than previewed.
    """
    if order.owner_id is None:
        raise Refusal.of("import.owner_needed", "owner")
    require_manager(actor, order.owner_id)
    owner = owner_institution(order.owner_id)
    read = read_list(order.content, Limits(), known_headers(), encoding=order.options.encoding)
    columns = columns_of(read.table.headers)
    rows = read_rows(read.table, columns)
    with transaction.atomic():
        fates = _Writer(actor, owner, now).fates(rows)
        read_as = ReadAs(read.decoded, read.table.headers, frozenset(columns.values()))
        report = report_on(order, read_as, fates, settings.TIME_ZONE)
        if order.expected_digest and report.digest != order.expected_digest:
            raise Conflict.of("import.changed_since", "file")
        if not report.written:
            transaction.set_rollback(True)
    order.progress(len(fates), len(fates))
    return report


class _Writer:
    """Meets the rows with what is stored; all people and instruments of the list are read at once."""

    def __init__(self, actor: Actor, owner: Organisation, now: datetime) -> None:
        self.actor, self.owner, self.now = actor, owner, now
        self.lookup = Lookup(owner)

    def fates(self, rows: Sequence[LicenceRow]) -> list[RowFate]:
        """The fate of each row; those that count are written."""
        people = {one.email: one for one in User.objects.filter(email__in={row.email for row in rows}, is_active=True)}
        stored = Licence.objects.filter(organisation=self.owner, person__in=people.values(), state="valid")
        valid = in_force(stored, self.now)
        known = {(one.person_id, one.instrument_id, one.class_code, one.level) for one in stored if one.pk in valid}
        return [self._fate(row, people.get(row.email), known) for row in rows]

    def _fate(self, row: LicenceRow, person: User | None, known: set[tuple[Any, ...]]) -> RowFate:
        shown: dict[str, Any] = {
            "line": row.line, "name": row.email, "inner_id": row.instrument or row.class_code, "owner": self.owner.name
        }  # fmt: skip
        instrument, reasons = self.lookup.instrument(row.instrument)
        reasons = [*row.reasons, *reasons]
        if person is None and row.email:
            reasons.append(Reason("licence.person_unknown", {}, "email"))
        elif person is not None and person.pk == self.actor.user_id:
            reasons.append(Reason("licence.own", {}, "email"))
        granted_at, until = self._times(row, reasons)
        evidence = self._evidence(row, reasons)
        if reasons or person is None:
            return RowFate(fate="refused", reasons=tuple(reasons), **shown)
        shown["instrument_id"] = instrument.pk if instrument else None
        if row.same_as_line is not None:
            repeated = Reason("licence.repeated_row", {"counting_line": row.same_as_line}, "email")
            return RowFate(fate="repeated", reasons=(repeated,), **shown)
        if (person.pk, shown["instrument_id"], row.class_code, row.level) in known:
            return RowFate(fate="unchanged", notes=(Reason("licence.known", {}, "email"),), **shown)
        terms = Terms(row.level, shown["instrument_id"], row.class_code, until)
        licences.write(
            self.actor, self.owner.pk, person.pk, terms, "imported", self.now, granted_at=granted_at, evidence_reference=evidence
        )
        return RowFate(fate="created", **shown)

    def _times(self, row: LicenceRow, reasons: list[Reason]) -> tuple[datetime, datetime | None]:
        """When it was granted (now, where the list says nothing or a day to come) and until when it holds: that day included."""
        granted_at = self.now
        if row.granted_on is not None and row.granted_on.year >= FIRST_YEAR:
            granted_at = min(self.now, local_day(row.granted_on, _ZONE).starts_at)
        if row.valid_until is None:
            return granted_at, None
        until = _end_of(row.valid_until)
        if until is None or until <= self.now:
            reasons.append(Reason("licence.until_past", {}, "valid_until"))
        return granted_at, until

    def _evidence(self, row: LicenceRow, reasons: list[Reason]) -> str:
        if not row.evidence:
            reasons.append(Reason("licence.reference_missing", {}, "evidence"))
            return ""
        try:
            return clean_name(row.evidence, licences.REFERENCE_LENGTH, "evidence")
        except Refusal as refusal:
            reasons += refusal.reasons
            return ""


def _end_of(day: date) -> datetime | None:
    return local_day(day, _ZONE).ends_at if FIRST_YEAR <= day.year <= LAST_YEAR else None


LICENCES = ImportKind(
    "licences",
    ("licence_list",),
    import_licences,
    facts=facts_of,
    object_id=lambda row: row.instrument_id,
    page="instrument_licence",
    names=COLUMN_NAMES,
)
