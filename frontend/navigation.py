"""What each persona finds in the navigation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.ledger.books import READERS as BOOK_READERS
from billing.ledger.queries import READERS as ACCOUNT_READERS
from billing.settlement.queries import BOARD_ROLES, READER_ROLES
from booking.queries.enquiries import LAB_READERS
from booking.queries.utilisation import READERS
from config.kernel.access import OFFICIALS, Actor, Role

CUSTOMERS = frozenset({Role.RESEARCHER, Role.FIRM_ADMIN})
SPENDERS = CUSTOMERS | {Role.LAB_MANAGER, Role.OWNER_FINANCE}
HAS_ORGANISATIONS = frozenset({Role.FIRM_ADMIN, Role.LAB_MANAGER, Role.OWNER_FINANCE, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class Place:
    """``roles``: who sees it (empty: everybody, also visitors). ``go``: the letter after ``g``. ``begins``: url names it covers."""

    url_name: str
    label: Promise | str
    icon: str
    roles: frozenset[Role] = frozenset()
    go: str = ""
    begins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NavigationItem:
    url: str
    label: Promise | str
    icon: str
    go: str
    current: bool
    area: Promise | str = ""


@dataclass(frozen=True, slots=True)
class Navigation:
    """What is shown at once (``bar``) and what stands behind "More"; a phone has room for five."""

    bar: tuple[NavigationItem, ...]
    more: tuple[NavigationItem, ...]

    def __iter__(self) -> Iterator[NavigationItem]:
        return chain(self.bar, self.more)

    @property
    def more_is_current(self) -> bool:
        return any(item.current for item in self.more)

    @property
    def groups(self) -> list[tuple[Promise | str, list[NavigationItem]]]:
        """What stands behind "More", by area; one area alone needs no heading."""
        found = [
            (area, [item for item in self.more if item.area == area]) for area in dict.fromkeys(item.area for item in self.more)
        ]
        return [("", items) for _area, items in found] if len(found) == 1 else found


ROOM = 5
WORK, BILLS, PUBLIC_MONEY, PLATFORM = _("Use"), _("Bills and payments"), _("Public money"), _("Platform")
_AREAS: dict[Promise | str, tuple[str, ...]] = {
    BILLS: (
        "price_",
        "bill_",
        "month_",
        "payment_",
        "provider_",
        "invoice_",
        "receipt_",
        "dunning_",
        "prepaid_",
        "group_",
        "slip_",
    ),
    PUBLIC_MONEY: ("finance_", "statement_", "claim_", "account_", "programme_", "announcement_", "ledger_list"),
    PLATFORM: ("verification_", "review_", "declaration_", "person_", "ledger_check", "organisation_", "utilisation_"),
}
"""An area -> how the names of its places begin; every other place is WORK."""


def area_of(url_name: str) -> Promise | str:
    return next((area for area, begins in _AREAS.items() if url_name.startswith(begins)), WORK)


#: What is there only where bills can be paid online.
_ONLINE = (
    (
        Place(
            "provider_news",
            _("Payment service"),
            "coins",
            frozenset({Role.OPERATOR, Role.OWNER_FINANCE, Role.INSPECTOR}),
            begins=("provider_",),
        ),
    )
    if settings.STRIPE is not None
    else ()
)
_OF_ACCOUNTS = (
    *(f"account_{what}" for what in ("list", "detail", "top_up", "suspend", "last_day", "close")),
    "opening_",
)
APPROVALS = Place("approval_inbox", _("Approvals"), "inbox", frozenset({Role.LAB_MANAGER}), "a", ("approval_",))
MY_BOOKINGS = Place("reservation_list", _("My bookings"), "calendar-event", CUSTOMERS, "b", ("reservation_", "wait_"))
PLACES: tuple[Place, ...] = (
    Place(
        "instrument_list",
        _("Instruments"),
        "microscope",
        go="i",
        begins=("instrument_", "problem_", "sheet_", "closure_import_", "search", "compare", "import_"),
    ),
    Place("find_a_time", _("Find a time"), "clock", go="n", begins=("find_a_time", "time_alert_")),
    MY_BOOKINGS,
    APPROVALS,
    Place(
        "sessions_today",
        _("Today"),
        "clock",
        frozenset({Role.LAB_MANAGER}),
        "t",
        ("session", "lab_timeline", "downtime_", "unassisted_"),
    ),
    Place(
        "training_list",
        _("Training"),
        "certificate",
        frozenset({Role.LAB_MANAGER}),
        "l",
        ("training_", "course_", "licence_", "credit_lab", "credit_rules", "access_list_"),
    ),
    Place("my_record", _("My record"), "user-check", CUSTOMERS, "m", ("my_record",)),
    Place("resource_inbox", _("Resources"), "database", frozenset({Role.LAB_MANAGER}), "r", ("resource_inbox", "resource_list")),
    Place("resource_request_list", _("My requests"), "send", CUSTOMERS, "q", ("resource_request_",)),
    Place("sample_list", _("My samples"), "flask", CUSTOMERS, "h", ("sample_list", "sample_create")),
    Place(
        "sample_board",
        pgettext_lazy("sample jobs", "Samples"),
        "flask",
        frozenset(LAB_READERS),
        "k",
        ("sample_board", "sample_scan", "sample_at", "sample_all"),
    ),
    Place("enquiry_list", _("My questions"), "message-report", CUSTOMERS, "e", ("enquiry_list", "need_")),
    Place("enquiry_inbox", _("Questions"), "message-report", frozenset(LAB_READERS), "u", ("enquiry_inbox",)),
    Place("commission_list", _("Commissions"), "file-certificate", frozenset({Role.OWNER_FINANCE}), "d", ("commission_",)),
    Place("price_list", _("Prices"), "coins", frozenset({Role.LAB_MANAGER, Role.OWNER_FINANCE}), "g", ("price_",)),
    Place("finance_period", _("Finance"), "coins", frozenset(BOARD_ROLES), "f", ("finance_",)),
    Place("statement_list", _("Statements"), "file-invoice", frozenset(READER_ROLES), "s", ("statement_",)),
    Place(
        "bill_list",
        _("Bills"),
        "file-invoice",
        frozenset({Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.INSPECTOR}),
        "z",
        ("bill_", "credit_note_"),
    ),
    Place(
        "claim_list",
        _("Claims"),
        "receipt-refund",
        frozenset({Role.OWNER_FINANCE, Role.FIRM_ADMIN}),
        begins=("claim_list", "claim_detail", "clawback_"),
    ),
    Place(
        "claim_batch_list",
        _("Claims"),
        "receipt-refund",
        frozenset({Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR}),
        begins=("claim_", "payout_", "recheck_", "clawback_"),
    ),
    Place(
        "month_board", _("Month"), "calendar", frozenset({Role.OWNER_FINANCE, Role.FINANCE, Role.INSPECTOR}), begins=("month_",)
    ),
    Place(
        "payment_list",
        _("Payments"),
        "coins",
        frozenset({Role.OWNER_FINANCE, Role.INSPECTOR}),
        begins=("payment_", "hand_payment_"),
    ),
    Place(
        "invoice_list",
        _("VAT invoices"),
        "file-certificate",
        frozenset({Role.OWNER_FINANCE, Role.FINANCE, Role.INSPECTOR}),
        begins=("invoice_",),
    ),
    Place(
        "receipt_list",
        _("Receipts"),
        "receipt-refund",
        frozenset({Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.INSPECTOR}),
        begins=("receipt_", "account_statement_"),
    ),
    Place(
        "dunning_list",
        _("Unpaid bills"),
        "hourglass",
        frozenset({Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.INSPECTOR}),
        begins=("dunning_",),
    ),
    Place(
        "prepaid_list",
        _("Prepaid and limits"),
        "cash",
        frozenset({Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.INSPECTOR}),
        begins=("prepaid_", "limit_"),
    ),
    *_ONLINE,
    Place("group_list", _("Groups and cards"), "users", SPENDERS, "w", ("group_", "fund_card_", "leader_", "spending_")),
    Place("slip_list", _("Internal slips"), "file-invoice", frozenset({Role.OWNER_FINANCE, Role.LAB_MANAGER}), "x", ("slip_",)),
    Place("utilisation_list", _("Use and figures"), "chart-bar", frozenset({*READERS, *OFFICIALS}), "y", ("utilisation_",)),
    Place("verification_queue", _("Verification"), "shield-check", frozenset({Role.OPERATOR}), "v", ("verification_",)),
    Place("review_queue", _("Changes"), "git-compare", frozenset({Role.OPERATOR}), "c", ("review_",)),
    Place(
        "declaration_queue",
        _("Facts of firms"),
        "certificate",
        frozenset({Role.OPERATOR}),
        begins=("declaration_", "credit_lists"),
    ),
    Place("ledger_list", _("Ledger"), "coins", frozenset(BOOK_READERS), begins=("ledger_list", "ledger_account")),
    Place("person_erase", _("Erase a person"), "user-off", frozenset({Role.OPERATOR}), begins=("person_erase",)),
    Place(
        "person_retention",
        _("How long data is kept"),
        "hourglass",
        frozenset({Role.OPERATOR}),
        begins=("person_retention", "person_mentions"),
    ),
    Place("ledger_check", _("Check the books"), "shield-check", frozenset({Role.OPERATOR}), begins=("ledger_check",)),
    Place("account_list", _("Accounts"), "coins", frozenset(ACCOUNT_READERS), begins=_OF_ACCOUNTS),
    Place(
        "programme_list",
        _("Subsidies"),
        "receipt-refund",
        go="p",
        begins=("programme_", "eligibility", "income_"),
    ),
    Place(
        "announcement_list",
        _("Vouchers"),
        "cash",
        go="j",
        begins=("announcement_", "application_", "voucher_", "wallet", "partner_"),
    ),
    Place("organisation_list", _("Organisations"), "building", HAS_ORGANISATIONS, "o", ("organisation_", "join_", "invitation_")),
)


#: For who was named to assist in sessions, whatever their role.
ASSISTING = Place("assisting", _("I assist"), "users", begins=("assisting", "assistant_"))
#: For who books beside other work: not before what that work is.
OWN_BOOKINGS = Place("reservation_list", MY_BOOKINGS.label, MY_BOOKINGS.icon, go=MY_BOOKINGS.go, begins=MY_BOOKINGS.begins)
_BESIDE_BEFORE = "training_list"


def _places(*, assists: bool, books: bool) -> list[Place]:
    found = list(PLACES)
    beside = [place for place, wanted in ((ASSISTING, assists), (OWN_BOOKINGS, books)) if wanted]
    before = next(index for index, one in enumerate(found) if one.url_name == _BESIDE_BEFORE)
    return [*found[:before], *beside, *found[before:]]


def navigation(actor: Actor, current: str, *, assists: bool = False, decides: bool = False, books: bool = False) -> Navigation:
    """The places ``actor`` may go to; ``current`` is the name of the page being shown, ``assists`` whether they assist in sessions,
    ``decides`` whether a request waits for them because its lab has no other manager, ``books`` whether they may book or have booked."""
    items = tuple(
        NavigationItem(
            reverse(place.url_name),
            place.label,
            place.icon,
            place.go,
            bool(current) and current.startswith(place.begins),
            area_of(place.url_name),
        )
        for place in _places(assists=assists, books=books and not actor.has(*CUSTOMERS))
        if not place.roles or actor.has(*place.roles) or (decides and place is APPROVALS)
    )
    shown = len(items) if len(items) <= ROOM else ROOM - 1
    return Navigation(items[:shown], items[shown:])
