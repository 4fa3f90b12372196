"""What somebody typed to book a time: kept as text, read as a range of instants in the site's wall time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from billing.settlement.offered import share_of_percent
from booking.ports import Addons, ExpectedFigures
from booking.queries import Before
from booking.rules.answers import typed_answers
from booking.rules.length import require_length
from booking.rules.service_facts import Said
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import ServiceMode
from instruments.rules.wall_time import instants_showing, local_day, to_wall

FIRST_YEAR, LAST_YEAR = 2000, 2100
#: What is kept of a text in an address; services say what is too long.
KEPT_IN_ADDRESS = 600
_MOMENT_LENGTH = 40
LET_GO, OVER = "let_go", "over"
UNHELD = (LET_GO, OVER)

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::00)?|24:00", re.ASCII)
_FIGURE = re.compile(r"\d{1,15}", re.ASCII)
_COUNT = re.compile(r"\d{1,6}", re.ASCII)
_CODE = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII | re.IGNORECASE)
ADDON_BOX = "addon-"
MOST_ADDONS = 50


def read_day(text: str) -> date | None:
    """``YYYY-MM-DD`` (full-width digits too) as a date between 2000 and 2100, or None."""
    found = _DAY.fullmatch(_plain(text))
    if found is None:
        return None
    try:
        day = date(*map(int, found.groups()))
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year < LAST_YEAR else None


def read_id(text: str) -> int:
    """A key of ours, or 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def read_moment(text: str) -> datetime | None:
    """ISO 8601 with an offset, as an instant between 2000 and 2100, or None."""
    try:
        moment = datetime.fromisoformat(text[:_MOMENT_LENGTH])
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and FIRST_YEAR <= moment.year <= LAST_YEAR else None


def read_range(text: str) -> TimeRange | None:
    """Two such instants with a slash between them, as what a button or a box sends, or None."""
    starts_at, ends_at = map(read_moment, text.partition("/")[::2])
    return TimeRange(starts_at, ends_at) if starts_at and ends_at and starts_at < ends_at else None


def require_range(text: str) -> TimeRange:
    """As ``read_range``. Raises Refusal ``booking.time_unreadable``."""
    if (during := read_range(text)) is None:
        raise Refusal.of("booking.time_unreadable", field="time")
    return during


@dataclass(frozen=True, slots=True)
class BookingForm:
    """The fields as typed. ``to_on`` is empty when the session ends on the day it starts (or at midnight after it)."""

    on: str = ""
    from_time: str = ""
    to_time: str = ""
    to_on: str = ""
    organisation: str = ""
    service_mode: str = ""
    purpose: str = ""
    research_project: str = ""
    service_direction: str = ""
    fund_source: str = ""
    service_kind: str = ""
    settlement: str = ""
    rate: str = ""
    """In per cent, as it was typed; empty: none was chosen."""
    answers: str = ""
    """To the questions of programmes (``booking.rules.answers``)."""
    fund_card: str = ""
    for_person: str = ""
    override_reason: str = ""
    whom: str = ""
    """For whom one of the lab's managers enters it (``frontend.whom``); empty: it is booked for an organisation of one's own."""
    has_yes: str = ""
    customer_yes: str = ""
    """Whether the lab has that customer's yes, and how it was said."""
    addons: str = ""
    """What is used besides the time: ``cell:2,gas:1``, codes of the price's add-ons with how many."""
    unheld: str = ""
    """Why the time is not kept by opening the form: the person let it go ("let_go"), or it was kept as long as it is ("over")."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> BookingForm:
        """From the query or the body of a request: ``on``, ``from``, ``to``, ``to_on`` and the rest by their names."""
        return cls(
            on=_plain(data.get("on", "")),
            from_time=_plain(data.get("from", "")),
            to_time=_plain(data.get("to", "")),
            to_on=_plain(data.get("to_on", "")),
            organisation=_plain(data.get("organisation", "")),
            service_mode=_plain(data.get("service_mode", "")),
            purpose=str(data.get("purpose", "")),
            research_project=str(data.get("research_project", "")),
            service_direction=_plain(data.get("service_direction", "")),
            fund_source=_plain(data.get("fund_source", "")),
            service_kind=_plain(data.get("service_kind", "")),
            settlement=_plain(data.get("settlement", "")),
            rate=_plain(data.get("rate", "")),
            answers=typed_answers(data),
            fund_card=_plain(data.get("fund_card", "")),
            for_person=_plain(data.get("for_person", "")),
            override_reason=str(data.get("override_reason", "")),
            whom=_plain(data.get("whom", "")),
            has_yes="on" if data.get("has_yes") else "",
            customer_yes=str(data.get("customer_yes", "")),
            addons=_typed_addons(data),
            unheld=data.get("unheld", "") if data.get("unheld") in UNHELD else "",
        )

    @property
    def has_time(self) -> bool:
        return bool(self.on and self.from_time and self.to_time)

    def query(self) -> str:
        """The same as a query, to come back to after logging in; empty fields are left out."""
        names = {"from_time": "from", "to_time": "to"}
        # What is said of a customer's yes stands in no address.
        said = replace(self, has_yes="", customer_yes="")
        pairs = {names.get(name, name): str(value)[:KEPT_IN_ADDRESS] for name, value in asdict(said).items() if value}
        return urlencode(pairs)

    def at(self, during: TimeRange, zone: ZoneInfo) -> BookingForm:
        """The same request at another time."""
        starts, ends = to_wall(during.starts_at, zone), to_wall(during.ends_at, zone)
        same_day = starts.date() == ends.date() or (ends.hour == ends.minute == 0 and ends.date() - starts.date() == timedelta(1))
        return replace(
            self,
            on=starts.date().isoformat(),
            from_time=f"{starts:%H:%M}",
            to_time=f"{ends:%H:%M}",
            to_on="" if same_day else ends.date().isoformat(),
        )

    def as_before(self, before: Before) -> BookingForm:
        """What is empty filled in as it was asked for last."""
        return replace(
            self,
            purpose=self.purpose or before.purpose,
            research_project=self.research_project or before.research_project,
            service_direction=self.service_direction or before.service_direction,
            fund_source=self.fund_source or before.fund_source,
            fund_card=self.fund_card or str(before.fund_card_id or ""),
        )

    def said(self) -> Said:
        """What programmes that ask are told, as it was typed."""
        return Said(self.service_kind, self.settlement, share_of_percent(self.rate), self.answers)

    def organisation_id(self) -> int | None:
        """The organisation's id, or None when it is not a number."""
        return int(self.organisation) if _FIGURE.fullmatch(self.organisation) else None

    def fund_card_id(self) -> int | None:
        """The card's id; None where none was chosen. Raises Refusal ``card.choose`` for what is not a number."""
        return read_card(self.fund_card)

    def for_person_id(self) -> int | None:
        """The colleague's id; None where it is for oneself. Raises Refusal ``consent.missing`` for what is not a number."""
        if not self.for_person:
            return None
        if not _FIGURE.fullmatch(self.for_person):
            raise Refusal.of("consent.missing", field="for_person")
        return int(self.for_person)

    def evidence(self) -> str:
        """How the customer said yes; empty: it did not. Raises Refusal ``entry.evidence_missing`` for a yes of which nothing is said."""
        if not self.has_yes:
            return ""
        if not self.customer_yes.strip():
            raise Refusal.of("entry.evidence_missing", "customer_yes")
        return self.customer_yes

    def quantities(self) -> dict[str, str]:
        """What was typed for each add-on, by code."""
        return {code: count for code, _colon, count in (each.partition(":") for each in self.addons.split(",")) if code}

    def chosen_addons(self) -> tuple[tuple[str, int], ...]:
        """Codes of the add-ons with how many. What is no number is 0, which is refused where it is asked for."""
        return tuple((code, int(count) if _COUNT.fullmatch(count) else 0) for code, count in self.quantities().items())

    def known_service_mode(self) -> str:
        """The service mode. Raises Refusal ``booking.service_mode_unknown`` for none that exists."""
        if self.service_mode not in ServiceMode.values:
            raise Refusal.of("booking.service_mode_unknown", field="service_mode", known=list(ServiceMode.values))
        return self.service_mode

    def during(self, zone: ZoneInfo) -> TimeRange:
        """The wall times in ``zone`` as instants.

        Raises as ``walls`` does, and Refusal ``booking.range_too_long`` and ``booking.time_not_local`` (a time that clocks jump
        over). Of a repeated hour the first pass is meant, and the end is the first time after the start at which clocks show it.
        """
        during = _instants(*self.walls(), zone)
        require_length(during.duration)
        return during

    def walls(self) -> tuple[datetime, datetime]:
        """Start and end as wall times (naive).

        Raises Refusal ``booking.day_unreadable``, ``booking.time_unreadable`` and ``booking.range_invalid`` with every reason.
        """
        day, last_day = read_day(self.on), read_day(self.to_on or self.on)
        reasons = [Reason("booking.day_unreadable", {}, name) for name, found in (("on", day), ("to_on", last_day)) if not found]
        for name, text in (("starts_at", self.from_time), ("ends_at", self.to_time)):
            if not _TIME.fullmatch(text) or (name == "starts_at" and text == "24:00"):
                reasons.append(Reason("booking.time_unreadable", {}, name))
        if day is None or last_day is None or reasons:
            raise Refusal(*(reasons if self.to_on else [reason for reason in reasons if reason.field != "to_on"]))
        starts, ends = _wall(day, self.from_time), _wall(last_day, self.to_time)
        if not self.to_on and self.to_time == "00:00":
            ends += timedelta(days=1)
        if ends <= starts:
            raise Refusal.of("booking.range_invalid", field="ends_at")
        return starts, ends


def read_key(data: Mapping[str, Any]) -> str:
    """The form's idempotency key, or an empty text when it is not one of ours."""
    text = str(data.get("key", ""))
    try:
        return str(UUID(text)) if len(text) <= 36 else ""
    except ValueError:
        return ""


def read_card(text: str) -> int | None:
    """The id of a fund card; None where none was chosen. Raises Refusal ``card.choose`` for what is not a number."""
    if not text:
        return None
    if not _FIGURE.fullmatch(text):
        raise Refusal.of("card.choose", field="fund_card")
    return int(text)


def read_addons(form: BookingForm, data: Mapping[str, Any]) -> Addons:
    """The add-ons of the form, with what the person saw that they come to."""
    return Addons(form.chosen_addons(), figures_of(str(data.get("expected_addons_fen", "")), "").payable_now_fen)


def _typed_addons(data: Mapping[str, Any]) -> str:
    """From the boxes ``addon-<code>`` of the form, else as ``addons`` in an address; what is empty or none of it is left out."""
    boxes = [(name[len(ADDON_BOX) :], _plain(data.get(name, ""))) for name in data if name.startswith(ADDON_BOX)]
    pairs = boxes or [
        (code, count) for code, _colon, count in (one.partition(":") for one in str(data.get("addons", "")).split(","))
    ]
    kept = [
        (code, count) for code, count in pairs if _CODE.fullmatch(code) and count not in ("", "0") and not set(count) & set(",:")
    ]
    return ",".join(f"{code}:{count[:_MOMENT_LENGTH]}" for code, count in kept[:MOST_ADDONS])


def read_expected(data: Mapping[str, Any]) -> ExpectedFigures:
    """The figures that the person saw, in fen; None where the form carries none that can be read."""
    return figures_of(*(str(data.get(name, "")) for name in ("expected_payable_now_fen", "expected_final_cost_fen")))


def read_longer(data: Mapping[str, Any]) -> tuple[datetime, ExpectedFigures]:
    """Until when a session shall go on, with the figures that were shown for it. Raises Refusal ``booking.time_unreadable``."""
    ends_at = read_moment(str(data.get("ends_at", "")))
    if ends_at is None:
        raise Refusal.of("booking.time_unreadable", "ends_at")
    return ends_at, read_expected(data)


def figures_of(payable_now: str, final_cost: str) -> ExpectedFigures:
    """Two figures as texts; None for what is no figure."""
    first, second = (int(text) if _FIGURE.fullmatch(text) else None for text in (payable_now, final_cost))
    return ExpectedFigures(first, second)


def _plain(value: Any) -> str:
    """Full-width digits and blanks around become plain ones."""
    return unicodedata.normalize("NFKC", str(value)).strip()


def _wall(day: date, text: str) -> datetime:
    if text == "24:00":
        return datetime(day.year, day.month, day.day) + timedelta(days=1)  # noqa: DTZ001  (wall time)
    hour, minute = text.split(":")[:2]
    return datetime(day.year, day.month, day.day, int(hour), int(minute))  # noqa: DTZ001  (wall time)


def window_between(first: date, from_time: str, last: date, to_time: str, zone: ZoneInfo) -> TimeRange:
    """From a wall time of the first day (empty: its beginning) to one of the last day (empty: its end), as instants.

    Raises Refusal ``booking.time_unreadable``, ``booking.time_not_local`` and ``booking.range_invalid``.
    """
    typed = (("starts_at", from_time), ("ends_at", to_time))
    Refusal.raise_any([Reason("booking.time_unreadable", {}, name) for name, text in typed if text and not _TIME.fullmatch(text)])
    starts = instants_showing(_wall(first, from_time), zone) if from_time else [local_day(first, zone).starts_at]
    ends = instants_showing(_wall(last, to_time), zone) if to_time else [local_day(last, zone).ends_at]
    return _between(starts, ends, zone)


def _instants(starts: datetime, ends: datetime, zone: ZoneInfo) -> TimeRange:
    return _between(instants_showing(starts, zone), instants_showing(ends, zone), zone)


def _between(first: Sequence[datetime], last: Sequence[datetime], zone: ZoneInfo) -> TimeRange:
    """From the first instant at which clocks show the start to the first one after it at which they show the end."""
    reasons = [
        Reason("booking.time_not_local", {"zone": zone.key}, name)
        for name, found in (("starts_at", first), ("ends_at", last))
        if not found
    ]
    Refusal.raise_any(reasons)
    after = [moment for moment in last if moment > first[0]]
    if not after:
        raise Refusal.of("booking.range_invalid", field="ends_at")
    return TimeRange(first[0].astimezone(UTC), after[0].astimezone(UTC))


def seen_time(data: Mapping[str, Any]) -> TimeRange | None:
    """The time that a form showed beside its button; None where it says none that can be read."""
    return read_range(f"{data.get('seen_starts_at', '')}/{data.get('seen_ends_at', '')}")


def seen_times(data: Mapping[str, Any], ids: Iterable[int]) -> dict[int, TimeRange]:
    """The times that a list showed, by id: ``seen-7`` is the interval (ISO 8601, with a slash) beside the seventh."""
    found = {pk: read_range(str(data.get(f"seen-{pk}", ""))) for pk in ids}
    return {pk: during for pk, during in found.items() if during is not None}
