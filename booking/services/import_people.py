"""Whom and what the rows of a list of bookings mean: instruments of the owner, people with an account, the organisation they come for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection

from booking.rules.booking_rows import BookingRow, Placed
from booking.services.sides import CUSTOMER_ROLES
from config.kernel.access import Role
from config.kernel.errors import Reason
from instruments.models import Instrument, Membership, Organisation, OrganisationStatus, User

_MODE = "assisted"
"""How an instrument is used that names no way of service, where the row names none either."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a row means. ``person`` belongs to ``customer``."""

    instrument: Instrument
    person: User
    customer: Organisation
    service_mode: str


class Lookup:
    """The owner's instruments by number and name; ``read`` the people of some rows, in two statements however many."""

    def __init__(self, owner: Organisation) -> None:
        self.owner = owner
        self._by_number: dict[str, list[Instrument]] = defaultdict(list)
        self._by_name: dict[str, list[Instrument]] = defaultdict(list)
        self._people: dict[str, User] = {}
        self._customers: dict[int, dict[int, Organisation]] = defaultdict(dict)
        for one in Instrument.objects.filter(organisation=owner).select_related("site", "organisation", "policy"):
            if one.inner_id:
                self._by_number[one.inner_id].append(one)
            for name in {one.name, one.name_en} - {""}:
                self._by_name[name].append(one)

    def read(self, rows: Sequence[BookingRow]) -> None:
        """Learn who the people of the rows are and for whom they may come."""
        people = User.objects.filter(email__in={row.email for row in rows}, is_active=True)
        self._people = {one.email: one for one in people}
        members = Membership.objects.filter(user__in=self._people.values()).select_related("organisation")
        members = members.exclude(organisation__status=OrganisationStatus.SUSPENDED)
        for one in members.prefetch_related("organisation__identifiers"):
            if one.role in CUSTOMER_ROLES or (one.role == Role.LAB_MANAGER and one.organisation_id == self.owner.pk):
                self._customers[one.user_id][one.organisation_id] = one.organisation

    def instrument(self, text: str) -> tuple[Instrument | None, list[Reason]]:
        """By the lab's number, else by name; nothing for no text."""
        if not text:
            return None, []
        found = self._by_number.get(text) or self._by_name.get(text) or []
        if len(found) == 1:
            return found[0], []
        code = "licence.instrument_several" if found else "licence.instrument_unknown"
        return None, [Reason(code, {"text": text[:60]}, "instrument")]

    def calendar_ids(self, rows: Iterable[BookingRow]) -> set[int]:
        """The calendars on which the rows may take time."""
        found = (self.instrument(row.instrument)[0] for row in rows)
        return {one.calendar_id for one in found if one is not None}

    def zone(self, row: BookingRow) -> ZoneInfo:
        """The wall of the row's instrument, which is known."""
        instrument, _reasons = self.instrument(row.instrument)
        if instrument is None:
            raise LookupError(row.instrument)
        return ZoneInfo(instrument.site.time_zone)

    def find(self, row: BookingRow) -> tuple[Found | None, list[Reason]]:
        """What a row means, or everything that keeps it from meaning anything."""
        instrument, reasons = self.instrument(row.instrument)
        person = self._people.get(row.email)
        if person is None and row.email:
            reasons.append(Reason("booking_import.person_unknown", {}, "email"))
        customer = self._customer(row, person, reasons) if person else None
        mode = self._mode(row, instrument, reasons) if instrument else ""
        if instrument is None or person is None or customer is None or reasons:
            return None, reasons
        return Found(instrument, person, customer, mode), []

    def _customer(self, row: BookingRow, person: User, reasons: list[Reason]) -> Organisation | None:
        """For whom the person comes: the named organisation, or the only one. Which others there are is nobody's business here."""
        known = list(self._customers[person.pk].values())
        named = [one for one in known if not row.customer or row.customer in _names(one)]
        if len(named) == 1:
            return named[0]
        code = "customer_several" if named else "customer_unknown" if row.customer else "customer_none"
        reasons.append(Reason(f"booking_import.{code}", {}, "customer"))
        return None

    def _mode(self, row: BookingRow, instrument: Instrument, reasons: list[Reason]) -> str:
        known = instrument.service_modes or [row.service_mode or _MODE]
        mode = row.service_mode or known[0]
        if mode not in known:
            reasons.append(Reason("booking.service_mode_unknown", {"known": known}, "service_mode"))
        return str(mode)


def _names(one: Organisation) -> set[str]:
    codes = {each.value for each in one.identifiers.all()}
    return ({one.name, one.name_en} | codes) - {""}


_TAKEN = """
SELECT w.position, lower(o.during), upper(o.during)
  FROM unnest(%s::int[], %s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS w (position, calendar_id, starts_at, ends_at)
 CROSS JOIN LATERAL (
    SELECT during FROM booking_occupancy
     WHERE blocking AND int8range(calendar_id, calendar_id, '[]') && int8range(w.calendar_id, w.calendar_id, '[]')
       AND during && tstzrange(w.starts_at, w.ends_at) AND (expires_at IS NULL OR expires_at > %s)
     ORDER BY during LIMIT 1) o
"""


def taken_positions(rows: Sequence[Placed], now: datetime) -> dict[int, dict[str, datetime]]:
    """Positions of rows whose time is taken here already, with from when until when: one statement. What was held and has expired
    does not count."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKEN,
            [
                [one.position for one in rows],
                [one.calendar_id for one in rows],
                [one.occupied.starts_at for one in rows],
                [one.occupied.ends_at for one in rows],
                now,
            ],
        )
        return {position: {"taken_from_at": lower, "taken_until_at": upper} for position, lower, upper in cursor.fetchall()}
