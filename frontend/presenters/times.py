"""Free times in the reader's language: rows, the strip of days, ways out when there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.settlement.time_finding import Customer, PricedTime, PricedTimes
from booking.queries.candidates import MOST_COUNTED, DayCount
from booking.queries.finding import MOST_FOUND
from booking.queries.relaxing import Blocked, Relaxed
from booking.rules.eligibility import Outcome
from booking.rules.time_search import ELSEWHERE, SAME_COUNTY, SAME_PREFECTURE, SAME_PROVINCE, TimeSearch
from config.kernel.access import Actor
from config.kernel.messages import duration_words, reason_sentence
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.booking_form import BookingForm
from frontend.presenters.hours import unpublished_words
from frontend.presenters.instruments import class_label, class_name, is_english, place_name, reader_language
from frontend.templatetags.jishi import bilingual
from frontend.time_form import ROWS, TimeForm
from instruments.models import CodeScheme
from instruments.queries import codes, divisions
from instruments.queries.facet_labels import owner_names, zone_names
from instruments.queries.techniques import offered_techniques, technique_name
from instruments.registry_wording import SERVICE_MODE_NAMES
from instruments.rules.classification import instrument_classes
from instruments.rules.facets import class_path, plain_class
from instruments.services.pinyin import pinyin

SORT_NAMES: dict[str, Promise | str] = {
    "earliest": gettext_lazy("Earliest"),
    "cost": gettext_lazy("Lowest final cost"),
    "nearest": gettext_lazy("Nearest"),
}
PROFILE_NAMES: dict[str, Promise | str] = {
    "firm_small": gettext_lazy("a small firm"),
    "firm_large": gettext_lazy("a large firm"),
    "team": gettext_lazy("a start-up team"),
    "academic": gettext_lazy("a university or institute"),
}
NEARNESS: dict[int, Promise | str] = {
    SAME_COUNTY: gettext_lazy("in your county or district"),
    SAME_PREFECTURE: gettext_lazy("in your prefecture"),
    SAME_PROVINCE: gettext_lazy("in your province"),
    ELSEWHERE: "",
}
FILTERS: dict[str, Promise | str] = {
    "text": gettext_lazy("the words"),
    "technique": gettext_lazy("the technique"),
    "class_code": gettext_lazy("the class"),
    "region_code": gettext_lazy("the place"),
    "zone": gettext_lazy("the zone"),
    "owner": gettext_lazy("the owner"),
    "service_mode": gettext_lazy("the way of service"),
    "no_training": gettext_lazy("without training"),
    "no_approval": gettext_lazy("without approval"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """Whether one can book, in a word, with its colour and icon."""

    word: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class TimeRow:
    """An instrument with its earliest time. ``book_url`` leads to the booking form with the time filled in; ``against``: why the reader
    cannot book it."""

    priced: PricedTime
    name: str
    owner: str
    place: str
    kind: str
    distance: Promise | str
    badges: list[Badge]
    against: list[str]
    url: str
    book_url: str
    zone: str

    @property
    def during(self) -> TimeRange:
        return self.priced.found.during

    @property
    def is_refused(self) -> bool:
        return self.priced.eligibility is not None and self.priced.eligibility.outcome is Outcome.REFUSED

    @property
    def needs_approval(self) -> bool:
        return self.priced.eligibility is not None and self.priced.eligibility.approval


@dataclass(frozen=True, slots=True)
class Link:
    """A link with a word; ``note`` beside it. ``code``: what it stands for."""

    label: str
    href: str
    current: bool = False
    note: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class DayTile:
    """One day of the strip. ``words`` say it as a whole, for those who hear the page."""

    day: date
    weekday: str
    label: str
    count: str
    price: str
    words: str
    href: str
    current: bool
    none: bool


@dataclass(frozen=True, slots=True)
class TimesView:
    rows: list[TimeRow]
    summary: str
    notes: list[str]
    sorts: list[Link]
    more: Link | None
    strip: list[DayTile]


@dataclass(frozen=True, slots=True)
class NothingView:
    """What stands in the way, and ways round it."""

    blocking: str
    ways: list[Link]
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The nearest to what was asked for; ``way``: what was given up, empty where the title says it."""

    title: str
    way: str
    rows: list[TimeRow]


def times_view(
    form: TimeForm,
    search: TimeSearch,
    found: PricedTimes,
    days: Sequence[DayCount],
    customer: Customer,
    known_until: date,
) -> TimesView:
    """The rows and everything around them."""
    return TimesView(
        rows=[time_row(row, form, search, customer) for row in found.rows],
        summary=_summary(search, found),
        notes=_notes(form, found, search, customer, known_until),
        sorts=[Link(str(name), form.query(sort=sort), form.sort == sort, code=sort) for sort, name in SORT_NAMES.items()],
        more=_more(form, found),
        strip=[_tile(day, form, search) for day in days],
    )


def time_row(priced: PricedTime, form: TimeForm, search: TimeSearch, customer: Customer) -> TimeRow:
    """One row."""
    found = priced.found
    instrument, zone = found.instrument, found.context.zone
    asked = BookingForm(
        organisation="" if customer.assumed else str(customer.organisation.pk), service_mode=search.service_mode
    ).at(found.during, zone)
    page = reverse("instrument_detail", args=[instrument.pk])
    booking = reverse("reservation_create", args=[instrument.pk])
    return TimeRow(
        priced=priced,
        name=bilingual(instrument),
        owner=bilingual(instrument.organisation),
        place=place_name(instrument.site.region_code or instrument.organisation.region_code),
        kind=class_name(instrument.class_code),
        distance=NEARNESS[found.nearness],
        badges=_badges(priced),
        against=_against(priced),
        url=f"{page}?{asked.query()}",
        book_url=f"{booking}?{asked.query()}",
        zone=zone.key,
    )


def _badges(priced: PricedTime) -> list[Badge]:
    """What would become of a request, and budgets that have little left."""
    said, badges = priced.eligibility, []
    if said is not None and said.outcome is Outcome.REFUSED:
        badges.append(Badge(_("You cannot book this time"), "bad", "circle-x"))
    elif said is not None:
        if said.training:
            badges.append(Badge(_("Training needed"), "wait", "certificate"))
        if said.approval:
            badges.append(answer_badge(priced.found.answer_hours))
        if said.outcome is Outcome.AT_ONCE:
            badges.append(Badge(_("You can book at once"), "good", "circle-check"))
        if said.outcome is Outcome.LOG_IN:
            badges.append(Badge(_("Log in to see whether you can book"), "info", "login"))
    return badges + budget_badges(priced.nearly_used_up)


def _against(priced: PricedTime) -> list[str]:
    """Why the reader cannot book; that there is no price stands in the place of the price."""
    if priced.eligibility is None or priced.assessment is None:
        return []
    return [reason_sentence(reason) for reason in priced.eligibility.reasons]


def budget_badges(codes: Sequence[str]) -> list[Badge]:
    """Programmes that would pay and have little left."""
    return [Badge(words, "wait", "coins") for words in budget_words(codes)]


def budget_words(codes: Sequence[str]) -> list[str]:
    """The same in words."""
    return [_("%(programme)s: budget nearly used up") % {"programme": code} for code in codes]


def answer_badge(hours: float | None) -> Badge:
    """That the lab has to say yes, and how long that usually takes."""
    if hours is None:
        return Badge(_("The lab approves"), "wait", "hourglass")
    whole = max(1, round(hours))
    words = ngettext("Approval, usually in %(hours)s hour", "Approval, usually in %(hours)s hours", whole) % {"hours": whole}
    return Badge(words, "wait", "hourglass")


def _summary(search: TimeSearch, found: PricedTimes) -> str:
    length = duration_words(search.duration_minutes)
    if not found.rows:
        return _("No free time of %(length)s found") % {"length": length}
    words = ngettext("%(count)s instrument with %(length)s free", "%(count)s instruments with %(length)s free", len(found.rows))
    said = words % {"count": len(found.rows), "length": length}
    return _("%(said)s, and more") % {"said": said} if found.more or found.others else said


def _notes(form: TimeForm, found: PricedTimes, search: TimeSearch, customer: Customer, known_until: date) -> list[str]:
    notes = []
    if form.sort == "nearest" and found.sort != "nearest":
        notes.append(
            _("Nobody knows where you are, so the earliest times come first. Say where you are under “More”, or choose a place.")
        )
    years = {year for row in found.rows for year in row.found.unpublished_years}
    notes += [unpublished_words(year) for year in sorted(years)]
    if found.compared is not None and found.others:
        notes.append(
            _("The final cost was compared among the %(count)s earliest times. Narrow the search to compare others.")
            % {"count": found.compared}
        )
    if not found.exact:
        notes.append(_("So many instruments fit that not all were looked at: another one may be free a little earlier."))
    if search.last_on > known_until:
        notes.append(
            _("Free times are known until %(day)s. Look again later for days after it.")
            % {"day": display.date_words(known_until)}
        )
    if customer.known and customer.assumed:
        notes.append(_("Costs are estimates for an organisation of this kind; log in to see your own."))
    return notes


def calculating_note(count: int) -> str:
    """That some calendars are not up to date."""
    words = ngettext(
        "The calendar of %(count)s instrument is being calculated; it may be missing here for some minutes.",
        "The calendars of %(count)s instruments are being calculated; they may be missing here for some minutes.",
        count,
    )
    return words % {"count": count}


def _more(form: TimeForm, found: PricedTimes) -> Link | None:
    if not found.more or form.rows >= MOST_FOUND:
        return None
    return Link(_("Show more"), form.query(show=str(form.rows + ROWS)))


def _tile(day: DayCount, form: TimeForm, search: TimeSearch) -> DayTile:
    length = search.last_on - search.first_on
    last_on = max(search.last_on, day.local_on) if day.local_on >= search.first_on else day.local_on + length
    count = f"{MOST_COUNTED}+" if day.more else f"{day.count}"
    price = ""
    if day.price_from_fen is not None:
        price = _("from %(price)s") % {"price": display.yuan(day.price_from_fen * search.duration_minutes // 60)}
    weekday, label = display.weekday(day.local_on), f"{day.local_on:%m-%d}"
    return DayTile(
        day=day.local_on,
        weekday=weekday,
        label=label,
        count=count,
        price=price,
        words=_("%(day)s: %(count)s free") % {"day": display.date_words(day.local_on), "count": count},
        href=form.query(first_on=day.local_on.isoformat(), last_on=last_on.isoformat(), show=""),
        current=day.local_on == search.first_on,
        none=not day.count,
    )


def nothing_view(form: TimeForm, blocked: Blocked) -> NothingView:
    """Ways to something."""
    sentences = []
    if not blocked.matching:
        sentences.append(_("No instrument that can be booked fits the filters, whatever the time."))
    else:
        words = ngettext(
            "%(count)s instrument fits the filters, but has no such time in these days.",
            "%(count)s instruments fit the filters, but none has such a time in these days.",
            blocked.matching,
        )
        sentences.append(words % {"count": f"{blocked.matching}+" if blocked.many else blocked.matching})
    if blocked.calculating:
        sentences.append(calculating_note(blocked.calculating))
    return NothingView(
        blocking=_filter_words(blocked.blocking),
        ways=[_way(form, way) for way in blocked.ways],
        sentences=sentences,
    )


def alternatives_view(form: TimeForm, way: Relaxed, found: PricedTimes, customer: Customer) -> Alternatives:
    """What a way leads to. How far it is from the reader is left aside where it is near the place that was asked for."""
    rows = [time_row(row, form, way.search, customer) for row in found.rows]
    if "region_code" in way.left_out:
        rows = [replace(row, distance="") for row in rows]
    title = _("Nearest elsewhere") if way.what == "region_code" else _("Nearest alternatives")
    return Alternatives(title, "" if way.what == "region_code" else _way_words(way), rows)


def _way(form: TimeForm, way: Relaxed) -> Link:
    number = f"{way.count}+" if way.more else f"{way.count}"
    note = ngettext("%(count)s instrument", "%(count)s instruments", way.count) % {"count": number}
    return Link(_way_words(way), form.query(**form.fields_of(way.search)), note=note)


def _way_words(way: Relaxed) -> str:
    if way.what == "days":
        return _("Until %(day)s") % {"day": display.date_words(way.search.last_on)}
    if way.what == "duration":
        return _("Only %(length)s") % {"length": duration_words(way.search.duration_minutes)}
    return _("Leave out: %(filter)s") % {"filter": _filter_words(way.left_out)}


def _filter_words(names: Sequence[str]) -> str:
    return str(_(" and ")).join(str(FILTERS[name]) for name in names)


# --- The choices of the form ------------------------------------------------------------------------------------------
def region_choices(chosen: str) -> list[tuple[str, str]]:
    """The divisions to choose among."""
    return divisions.choices(reader_language(), chosen)


Choices = list[tuple[str, str]]


def technique_choices(chosen: str) -> tuple[Choices, Choices]:
    """The common techniques by name, and those that only the operator's list has; one that is chosen and offered no more is of these."""
    common, listed = offered_techniques()
    if chosen and chosen not in (*common, *listed):
        listed.append(chosen)
    return _by_name(common), _by_name(listed)


def _by_name(technique_codes: Sequence[str]) -> Choices:
    named = ((code, technique_name(code, reader_language())) for code in technique_codes)
    return sorted(named, key=lambda one: pinyin(one[1]).casefold())


def class_choices(chosen: str) -> Choices:
    """The fifteen classes, and behind the one that is chosen those around it and the finer ones directly below, as far as a list has
    them; a finer one stands further in."""
    path = class_path(chosen)
    return [choice for top in instrument_classes() for choice in _class_branch(top, path, 0)]


def _class_branch(code: str, path: Sequence[str], depth: int) -> Iterator[tuple[str, str]]:
    yield code, "\u2003" * depth + class_label(code)
    if code in path:
        finer = [
            plain_class(one.code)
            for one in codes.children_of(CodeScheme.INSTRUMENT_CLASS, code.ljust(6, "0"), timezone.localdate())
        ]
        unlisted = [one for one in path[depth + 1 : depth + 2] if one not in finer]
        for one in [*finer, *unlisted]:
            yield from _class_branch(one, path, depth + 1)


def mode_choices() -> list[tuple[str, str]]:
    return [(mode, str(name)) for mode, name in SERVICE_MODE_NAMES.items()]


def alert_lines(actor: Actor, searches: Sequence[TimeSearch]) -> list[str]:
    """Each search in a line: two statements for all of them."""
    names = _names_of(actor, searches)
    return [_alert_words(search, names) for search in searches]


def narrowed(actor: Actor, form: TimeForm, search: TimeSearch) -> list[Link]:
    """What the search is narrowed to that no field of the form says, each with the way to leave it out."""
    found = _narrowings(search, _names_of(actor, [search]))
    return [Link(name, form.query(**{field: "", "show": ""}), code=field) for field, name in found]


Names = Mapping[tuple[str, str], tuple[str, str]]


def _names_of(actor: Actor, searches: Sequence[TimeSearch]) -> Names:
    """Names by the owners' ids, as far as the actor may see them, and the zones' slugs that searches name."""
    zones = zone_names({search.zone for search in searches if search.zone})
    owners = owner_names(actor, {str(search.owner) for search in searches if search.owner})
    return {(field, key): both for field, found in (("zone", zones), ("owner", owners)) for key, both in found.items()}


def _narrowings(search: TimeSearch, names: Names) -> Iterator[tuple[str, str]]:
    """The fields owner and zone as far as the search has them, with the name of each in the reader's language."""
    for field, value in (("owner", str(search.owner or "")), ("zone", search.zone)):
        if value:
            name, name_en = names.get((field, value), (value, ""))
            yield field, (name_en or name) if is_english() else name


def _alert_words(search: TimeSearch, names: Names) -> str:
    parts = [f"“{search.text}”"] if search.text else []
    if search.technique:
        parts.append(technique_name(search.technique, reader_language()))
    if search.class_code:
        parts.append(class_label(search.class_code))
    if search.region_code:
        parts.append(place_name(search.region_code) or search.region_code)
    parts += [name for _field, name in _narrowings(search, names)]
    parts.append(duration_words(search.duration_minutes))
    parts.append(f"{display.date_words(search.first_on)} – {display.date_words(search.last_on)}")
    return " · ".join(parts)


def strip_search(search: TimeSearch, today: date) -> TimeSearch:
    """The seven days around the first one, none that is over."""
    first = max(today, search.first_on - timedelta(days=3))
    return replace(search, first_on=first, last_on=first + timedelta(days=6))
