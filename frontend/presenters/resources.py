"""A resource and a request for one as people read them: facts, prices, quotes, what happened and what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from billing import wording
from billing.pricing.rules.samples import UNITS_OF_TIME, SamplePrice
from billing.settlement.services.sample_quotes import SampleQuote
from config.kernel.errors import Refusal
from frontend import display
from frontend.presenters.assessment import AssessmentRows, present
from frontend.presenters.choices import ChoicesView
from instruments.models import Qualification, Resource, ResourceKind, ResourceRequest, TestItem
from instruments.resource_wording import (
    CODE_NAMES,
    DARWIN_CORE_NAMES,
    DELIVERY_NAMES,
    KIND_ICONS,
    KIND_NAMES,
    LITERATURE_TYPE_NAMES,
    MCPD_NAMES,
    SERVICE_KIND_NAMES,
)
from instruments.rules.resource_requests import OF_THE_ASKING, RequestAction, RequestState, actions_from

Word = Promise | str


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a table: ``url`` makes the value a link, ``code`` is the standard's own name of the field."""

    label: Word
    value: str
    url: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class QualificationRow:
    """A qualification; ``state`` is valid, future or expired on the day of reading."""

    scheme: str
    certificate_number: str
    valid_from: date | None
    valid_to: date | None
    state: str


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What a class of customers pays for one unit."""

    name: str
    amount_fen: int
    own: bool


@dataclass(frozen=True, slots=True)
class TestPriceWords:
    """A test item's price. ``rows`` are empty when everybody pays the same."""

    amount_fen: int
    unit: str
    unit_word: str
    rows: list[PriceRow]

    @property
    def asks_elements(self) -> bool:
        return self.unit == "element"

    @property
    def counts_samples(self) -> bool:
        """Whether samples can be sent for it by number."""
        return self.unit not in UNITS_OF_TIME


@dataclass(frozen=True, slots=True)
class QuoteForm:
    """What was typed: as it was typed."""

    samples: str
    elements: str
    organisation: str

    def numbers(self) -> tuple[int, int]:
        """Samples and elements; what cannot be read is 0, which the rules refuse with a sentence."""
        return _number(self.samples), _number(self.elements)


@dataclass(frozen=True, slots=True)
class SampleQuoteView:
    """A live quote; ``problems`` are sentences."""

    rows: AssessmentRows | None = None
    once_verified: AssessmentRows | None = None
    promised_on: date | None = None
    problems: list[str] = field(default_factory=list)
    choices: ChoicesView | None = None
    """What can be chosen under the programmes; ``wrong_choice``: what is wrong with what was chosen, so that it is quoted without."""
    wrong_choice: list[str] = field(default_factory=list)
    asks_the_lab: bool = False
    """Whether only the lab can say what it costs."""


_ONLY_THE_LAB_KNOWS = frozenset({"price.on_request", "samples.priced_by_time"})


def asks_the_lab(refusal: Refusal) -> bool:
    """Whether a price is missing that one asks the lab for: given on request, or by the hour or day."""
    return any(reason.code in _ONLY_THE_LAB_KNOWS for reason in refusal.reasons)


def title(resource: Resource, name: str) -> str:
    """What a resource is called at the top of a page: a test item with what exactly is measured."""
    condition = resource.test_item.condition if resource.kind == ResourceKind.TEST_ITEM else ""
    return f"{name} · {condition}" if condition else name


def kind_word(kind: str) -> str:
    return str(KIND_NAMES.get(kind, kind))


def kind_icon(kind: str) -> str:
    return KIND_ICONS.get(kind, "book")


def facts(resource: Resource) -> list[Fact]:
    """The typed part as a table, what is empty left out."""
    found = [*_FACTS[resource.kind](resource), Fact(_("Keywords"), wording.several(resource.keywords))]
    return [fact for fact in found if fact.value]


def further_columns(resource: Resource) -> list[Fact]:
    """Columns of the file it came from that no field takes."""
    return [Fact(name, text) for name, text in sorted(resource.attributes.items()) if text]


def qualifications(item: TestItem, today: date) -> list[QualificationRow]:
    """The qualifications, each with whether it is valid today."""
    return [
        QualificationRow(row.scheme, row.certificate_number, row.valid_from, row.valid_to, _validity(row, today))
        for row in sorted(item.qualifications.all(), key=lambda row: row.pk)
    ]


def price_words(price: SamplePrice | None, own_classes: Iterable[str]) -> TestPriceWords | None:
    """The price in words; None while it is given on request."""
    if price is None:
        return None
    own = set(own_classes)
    names = price.terms.class_names if price.terms is not None else {}
    rows = [
        PriceRow(wording.class_word(name, names), price.rate_fen(name), name in own)
        for name in sorted(price.customer_classes, key=lambda name: name not in own)
    ]
    return TestPriceWords(price.amount_fen, price.unit, wording.unit_word(price.unit), rows if price.class_fen else [])


def quote_view(quote: SampleQuote, *, in_house: bool = False) -> SampleQuoteView:
    """A quote as the page shows it; ``in_house``: for an owner's own people."""
    programmes = [version.programme for version in quote.versions]
    return SampleQuoteView(
        rows=present(quote.assessment, programmes, None, in_house=in_house),
        once_verified=present(quote.once_verified, programmes, None) if quote.once_verified is not None else None,
        promised_on=quote.promised_on,
    )


# --- Requests ---------------------------------------------------------------------------------------------------------
_NEXT: dict[str, tuple[Word, Word]] = {
    "requested": (
        gettext_lazy("The owner has been told and answers. You get a mail either way."),
        gettext_lazy("Approve it, or refuse it with a reason. The requester gets a mail."),
    ),
    "approved": (
        gettext_lazy("The owner delivers it next; you get a mail."),
        gettext_lazy("Deliver it: as a file, on a visit, or as a sample that is sent."),
    ),
    "refused": (
        gettext_lazy("The owner refused. Its reason stands here; you may ask again with a better purpose."),
        gettext_lazy("You refused this request."),
    ),
    "withdrawn": (
        gettext_lazy("This request was withdrawn."),
        gettext_lazy("This request was withdrawn; nothing is left to do."),
    ),
    "delivered": (
        gettext_lazy("It is delivered. Please say how it was."),
        gettext_lazy("It is delivered. The requester is asked for feedback."),
    ),
    "closed": (gettext_lazy("Thank you for the feedback; this request is done."), gettext_lazy("This request is done.")),
}
_HAPPENED: dict[str, tuple[str, Word]] = {
    "requested": ("send", pgettext_lazy("what happened to a request", "Requested")),
    "approved": ("circle-check", pgettext_lazy("what happened to a request", "Approved")),
    "refused": ("circle-x", pgettext_lazy("what happened to a request", "Refused")),
    "delivered": ("download", pgettext_lazy("what happened to a request", "Delivered")),
    "withdrawn": ("ban", pgettext_lazy("what happened to a request", "Withdrawn")),
    "closed": ("flag", pgettext_lazy("what happened to a request", "Feedback given")),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline (``components/timeline.html``)."""

    icon: str
    title: Word
    at: datetime | None
    who: str = ""
    text: str = ""
    zone: str = ""
    later: bool = False


@dataclass(frozen=True, slots=True)
class RequestRights:
    """What the reader may do with a request now."""

    is_asking: bool
    is_owner: bool
    may_approve: bool
    may_refuse: bool
    may_deliver: bool
    may_withdraw: bool
    may_give_feedback: bool


def request_rights(request: ResourceRequest, *, is_asking: bool, is_owner: bool) -> RequestRights:
    """What may be done in its state by a reader of that side."""
    open_to = {
        action for action in actions_from(RequestState(request.state)) if (is_asking if action in OF_THE_ASKING else is_owner)
    }
    return RequestRights(
        is_asking=is_asking,
        is_owner=is_owner,
        may_approve=RequestAction.APPROVE in open_to,
        may_refuse=RequestAction.REFUSE in open_to,
        may_deliver=RequestAction.DELIVER in open_to,
        may_withdraw=RequestAction.WITHDRAW in open_to,
        may_give_feedback=RequestAction.GIVE_FEEDBACK in open_to,
    )


def next_words(request: ResourceRequest, *, is_owner: bool) -> Word:
    """What comes next, for the side that reads."""
    return _NEXT[request.state][is_owner]


def request_timeline(request: ResourceRequest) -> list[Entry]:
    """What happened, oldest first."""
    entries = [_entry("requested", request.requested_at, str(request.requested_by))]
    decider = str(request.decided_by) if request.decided_by is not None else ""
    if request.decided_at is not None:
        refused = request.state == "refused"
        entries.append(
            _entry("refused" if refused else "approved", request.decided_at, decider, request.reason if refused else "")
        )
    if request.delivered_at is not None:
        entries.append(_entry("delivered", request.delivered_at, "", str(DELIVERY_NAMES.get(request.delivery_mode, ""))))
    if request.closed_at is not None:
        entries.append(_entry(request.state, request.closed_at))
    return entries


def _entry(state: str, at: datetime, who: str = "", text: str = "") -> Entry:
    icon, word = _HAPPENED[state]
    return Entry(icon, word, at, who, text)


# --- The typed parts --------------------------------------------------------------------------------------------------
def _test_item(resource: Resource) -> list[Fact]:
    part = resource.test_item
    return [
        Fact(_("Method"), part.method),
        Fact(_("Standard"), part.standard),
        Fact(_("Sample type"), part.matrix),
        Fact(_("Amount of sample"), part.sample_amount),
        Fact(_("Preparation of samples"), part.sample_preparation),
        Fact(_("Turnaround"), _("%(days)s workdays") % {"days": part.turnaround_days} if part.turnaround_days else ""),
        Fact(_("Samples a day"), str(part.daily_capacity or "")),
        Fact(_("Group"), part.group),
        Fact(_("Kind of service"), str(SERVICE_KIND_NAMES.get(part.service_kind, part.service_kind))),
    ]


def _germplasm(resource: Resource) -> list[Fact]:
    part = resource.germplasm
    names: Mapping[str, Word] = MCPD_NAMES if part.standard == "mcpd" else DARWIN_CORE_NAMES
    return [
        Fact(label, _descriptor(name, part.descriptors[name]), code=name)
        for name, label in names.items()
        if name in part.descriptors
    ]


def _descriptor(name: str, text: str) -> str:
    """A descriptor's value; codes with what they mean."""
    names = CODE_NAMES.get(name)
    if names is None:
        return text
    return wording.several(f"{code} {names.get(code, '')}".strip() for code in (part.strip() for part in text.split(";")))


def _dataset(resource: Resource) -> list[Fact]:
    part = resource.dataset
    period = ""
    if part.temporal_from or part.temporal_to:
        first, last = (display.date_words(day) if day else "…" for day in (part.temporal_from, part.temporal_to))
        period = f"{first} – {last}"
    return [
        Fact(_("Creators"), wording.several(part.creators)),
        Fact(_("Published on"), display.date_words(part.issued_on) if part.issued_on else ""),
        Fact(_("Version"), part.version),
        Fact(_("Media types"), wording.several(part.media_types)),
        Fact(_("Size"), display.bytes_words(part.size_bytes) if part.size_bytes else ""),
        Fact(_("Covers"), period),
        Fact(_("Area"), part.spatial),
        Fact(_("Page of the data set"), part.landing_page, part.landing_page),
    ]


def _literature(resource: Resource) -> list[Fact]:
    part = resource.literature
    return [
        Fact(_("Authors"), wording.several(part.creators)),
        Fact(_("Type"), str(LITERATURE_TYPE_NAMES.get(part.type, part.type))),
        Fact(_("Published"), part.issued),
        Fact(_("Published in"), part.source),
        Fact(_("Publisher"), part.publisher),
        Fact(_("Language"), part.language),
        Fact(_("Rights"), part.rights),
    ]


def _validity(row: Qualification, today: date) -> str:
    if row.valid_to is not None and row.valid_to < today:
        return "expired"
    if row.valid_from is not None and row.valid_from > today:
        return "future"
    return "valid"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


_FACTS: dict[str, Any] = {
    "test_item": _test_item,
    "germplasm": _germplasm,
    "dataset": _dataset,
    "literature": _literature,
}
