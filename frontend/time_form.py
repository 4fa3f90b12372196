"""What somebody typed to find a time: kept as text, read as a search."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from billing.settlement.time_finding import SORTS
from booking.queries.finding import MOST_FOUND
from booking.rules.time_search import LONGEST_MINUTES, SHORTEST_MINUTES, TimeSearch
from config.kernel.errors import Reason, Refusal
from frontend.booking_form import read_day
from frontend.hours_text import hours_text, read_hours
from instruments.queries.divisions import is_division, known_places
from instruments.queries.techniques import known_techniques
from instruments.rules.asking import days_meant, parse_asking
from instruments.rules.classification import instrument_classes
from instruments.rules.facets import plain_class
from instruments.rules.registry_values import SERVICE_MODES

ROWS = 20
USUAL_HOURS = "2"
USUAL_DAYS = 14
_MOST_TEXT = 200
_REGION = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_SAMPLES = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_CLASS = re.compile(r"([0-9]{2}){1,3}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
#: Names in the address that differ from the fields'.
_NAMES = {"text": "q", "first_on": "from", "last_on": "to"}


@dataclass(frozen=True, slots=True)
class TimeForm:
    """The fields as typed. ``who`` is an organisation's id or a profile; ``place`` the division from which one comes; ``show`` how many
    rows; ``samples`` for how many a test item's day is promised; ``service_mode``, ``technique`` and ``class_code`` are empty when they
    mean nothing."""

    text: str = ""
    hours: str = ""
    samples: str = ""
    first_on: str = ""
    last_on: str = ""
    region_code: str = ""
    technique: str = ""
    class_code: str = ""
    zone: str = ""
    owner: str = ""
    service_mode: str = ""
    no_training: bool = False
    no_approval: bool = False
    who: str = ""
    place: str = ""
    sort: str = ""
    show: str = ""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> TimeForm:
        """From the query or the body of a request."""

        def plain(name: str) -> str:
            return unicodedata.normalize("NFKC", str(data.get(name, ""))).replace("\0", " ").strip()[:_MOST_TEXT]

        return cls(
            text=str(data.get("q", "")).replace("\0", " ").strip()[:_MOST_TEXT],
            hours=plain("hours"),
            samples=plain("samples") if _SAMPLES.fullmatch(plain("samples")) else "",
            first_on=plain("from"),
            last_on=plain("to"),
            region_code=plain("region_code"),
            technique=plain("technique"),
            class_code=_class(plain("class_code")),
            zone=plain("zone"),
            owner=plain("owner") if _NUMBER.fullmatch(plain("owner")) else "",
            service_mode=plain("service_mode") if plain("service_mode") in SERVICE_MODES else "",
            no_training=plain("no_training") == "1",
            no_approval=plain("no_approval") == "1",
            who=plain("who"),
            place=plain("place") if _REGION.fullmatch(plain("place")) else "",
            sort=plain("sort") if plain("sort") in SORTS else SORTS[0],
            show=plain("show"),
        )

    def understood(self, today: date, *, places_alone: bool = False) -> TimeForm:
        """The same with what its words mean in the fields that nobody touched, and the rest of the words; itself where they are but words.
        A name that was said like a place and is none stands where the place is asked for. ``places_alone``: a place's name means it
        without a word before it too."""
        asked = parse_asking(self.text, known_places(), places_alone=places_alone)
        if not asked.hints:
            return self
        changes: dict[str, Any] = {"text": asked.words}
        if asked.duration_minutes and self.hours in ("", USUAL_HOURS):
            changes["hours"] = hours_text(asked.duration_minutes)
        usual = (today, today + timedelta(days=USUAL_DAYS))
        meant = days_meant(asked.when, today)
        if meant and self.first_on in ("", usual[0].isoformat()) and self.last_on in ("", usual[1].isoformat()):
            first_on, after = (today + timedelta(days=number) for number in meant)
            changes |= {"first_on": first_on.isoformat(), "last_on": (after - timedelta(days=1)).isoformat()}
        if not self.region_code:
            changes["region_code"] = asked.region_code or asked.unknown_place
        if asked.samples and not self.samples:
            changes["samples"] = str(asked.samples)
        return replace(self, **changes)

    @property
    def rows(self) -> int:
        """How many rows are asked for: a page, or more of them."""
        wanted = int(self.show) if _NUMBER.fullmatch(self.show) else ROWS
        return min(max(ROWS, wanted), MOST_FOUND)

    def search(self, today: date) -> TimeSearch:
        """What is looked for; empty fields are usual ones, days that are over are left out.

        Raises Refusal with every reason: ``time_search.*``, ``booking.day_unreadable``.
        """
        first_on, last_on = read_day(self.first_on), read_day(self.last_on)
        minutes = read_hours(self.hours or USUAL_HOURS)
        reasons = []
        if minutes is None:
            reasons.append(Reason("time_search.hours_unreadable", {"typed": self.hours[:20]}, "hours"))
        elif not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
            limits = {"minimum": hours_text(SHORTEST_MINUTES), "maximum": hours_text(LONGEST_MINUTES)}
            reasons.append(Reason("time_search.hours_out_of_range", {"typed": self.hours[:20], **limits}, "hours"))
        if self.first_on and first_on is None:
            reasons.append(Reason("booking.day_unreadable", {}, "from"))
        if self.last_on and last_on is None:
            reasons.append(Reason("booking.day_unreadable", {}, "to"))
        if self.region_code and not is_division(self.region_code):
            reasons.append(Reason("time_search.region_unknown", {"place": self.region_code}, "region_code"))
        if self.technique and self.technique not in known_techniques():
            reasons.append(Reason("time_search.technique_unknown", {"technique": self.technique[:40]}, "technique"))
        if reasons or minutes is None:
            raise Refusal(*reasons)
        first_on = max(first_on or today, today)
        return TimeSearch(
            duration_minutes=minutes,
            first_on=first_on,
            last_on=last_on or first_on + timedelta(days=USUAL_DAYS),
            text=self.text,
            technique=self.technique,
            class_code=self.class_code,
            region_code=self.region_code,
            zone=self.zone,
            owner=int(self.owner) if self.owner else None,
            service_mode=self.service_mode,
            no_training=self.no_training,
            no_approval=self.no_approval,
        )

    def query(self, **changes: Any) -> str:
        """The address's query with these changes of fields; empty and usual fields are left out."""
        changed = replace(self, **changes)
        pairs = {_NAMES.get(name, name): "1" if value is True else value for name, value in asdict(changed).items() if value}
        if pairs.get("sort") == SORTS[0]:
            del pairs["sort"]
        return f"?{urlencode(pairs)}"

    def fields_of(self, search: TimeSearch) -> dict[str, Any]:
        """The fields that say the same as ``search``."""
        return {
            **{
                name: getattr(search, name) for name in ("text", "technique", "class_code", "region_code", "zone", "service_mode")
            },
            "no_training": search.no_training,
            "no_approval": search.no_approval,
            "owner": str(search.owner or ""),
            "hours": hours_text(search.duration_minutes),
            "first_on": search.first_on.isoformat(),
            "last_on": search.last_on.isoformat(),
            "show": "",
        }


def _class(typed: str) -> str:
    """The class of any level that digits mean; empty when its first two are none."""
    return plain_class(typed) if _CLASS.fullmatch(typed) and typed[:2] in instrument_classes() else ""
