"""Every page of the platform with populated examples, and who looks at it.

``PAGES`` and ``NOT_PAGES`` together name every route of the resolver outside the API and Django's admin; a route in neither, or
in both, fails ``test_every_page``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import get_resolver, reverse

from tests.browser import stage
from tests.browser.visitors import ANONYMOUS, PERSONAS

CUSTOMERS = ("researcher", "firm_admin")
OWNERS = ("lab_manager", "owner_finance")
OFFICIALS = ("programme_officer", "finance", "inspector", "operator")
ROLES = (*CUSTOMERS, *OWNERS, *OFFICIALS)
EVERYBODY = (ANONYMOUS, *ROLES)
ACCOUNT = ("researcher", "lab_manager", "operator")
"""Pages about one's own account say the same to everybody; only the navigation around them differs."""


@dataclass(frozen=True)
class Shown:
    """One page: ``path`` finds its address in the site's database; the first of ``personas`` is whom it is made for.

    ``leads_on``: the address itself sends people on, to one of this route.
    """

    route: str
    path: Callable[[], str]
    personas: tuple[str, ...]
    variant: str = ""
    status: int = 200
    important: bool = False
    leads_on: bool = False

    @property
    def name(self) -> str:
        return f"{self.route}-{self.variant}" if self.variant else self.route


def at(route: str, *args: Any, **query: Any) -> str:
    """The address of a route; ``from_`` stands for ``from``."""
    given = {name.rstrip("_"): value for name, value in query.items()}
    return reverse(route, args=args) + (f"?{urlencode(given, doseq=True)}" if given else "")


# --- Things to look at ------------------------------------------------------------------------------------------------
def organisation(email: str) -> int:
    """The organisation of a persona."""
    return min(stage.persona(email).organisations())


def instrument(name: str = stage.ROUND_THE_CLOCK) -> Any:
    from instruments.models import Instrument

    return Instrument.objects.get(name=name)


def programme_draft(state: str) -> int:
    """A draft of the demo's office."""
    from billing.models import ProgrammeDraft

    return ProgrammeDraft.objects.filter(state=state).earliest("pk").pk


def programme_trial() -> int:
    """The trial of the demo's office, which is done."""
    from billing.models import SandboxRun

    return SandboxRun.objects.filter(state="done").earliest("pk").pk


def course() -> Any:
    """The course of the personas' lab that licenses for one instrument."""
    from booking.models import TrainingCourse

    lab = organisation(PERSONAS["lab_manager"])
    return TrainingCourse.objects.filter(organisation_id=lab, scopes__instrument__isnull=False).earliest("pk")


def course_session(*, past: bool) -> int:
    """A date of it."""
    rows = course().sessions.order_by("starts_at")
    return int((rows.first() if past else rows.last()).pk)


def taught() -> int:
    """The instrument that it is for."""
    return int(course().scopes.get().instrument_id)


def demo_instrument() -> int:
    """A microscope of the personas' lab as the demo has it, for the picture of a quote."""
    from instruments.models import Instrument

    lab = organisation(PERSONAS["lab_manager"])
    return int(Instrument.objects.filter(organisation_id=lab, status="normal", technique="SEM").earliest("pk").pk)


def some_entries(count: int = 3) -> str:
    """Ids of public entries, for comparing."""
    from instruments.models import CatalogueEntry

    return ",".join(
        str(pk) for pk in CatalogueEntry.objects.filter(public=True).order_by("pk").values_list("pk", flat=True)[:count]
    )


def rich_instrument() -> int:
    """An instrument of the personas' lab with the whole national record, pictures, documents and ratings."""
    from instruments.models import InstrumentDocument

    lab = organisation(PERSONAS["lab_manager"])
    return int(InstrumentDocument.objects.filter(instrument__organisation_id=lab).earliest("pk").instrument_id)


def _between() -> tuple[Any, Any, Any]:
    """Who accounts for the personas' lab, the latest part of a payment that pays a bill of it, and now."""
    from django.utils import timezone

    from billing.payments.models import Allocation

    actor = stage.persona(PERSONAS["owner_finance"])
    rows = Allocation.objects.filter(amount_fen__gt=0, bill__owner_id__in=actor.organisations(), undone_by__isnull=True)
    firm = organisation(PERSONAS["firm_admin"])
    found = rows.filter(bill__customer_id=firm).select_related("bill").first() or rows.select_related("bill").earliest("pk")
    return actor, found, timezone.now()


def a_receipt() -> int:
    """A receipt of the personas' firm for it, issued when first asked for."""
    from billing.models import Receipt
    from billing.receipts.services import issuing

    known = Receipt.objects.filter(customer_id=organisation(PERSONAS["firm_admin"])).first()
    actor, given, now = _between()
    return int((known or issuing.receipt(actor, given.payment_id, given.bill.customer_id, now)).pk)


def an_account_statement() -> int:
    """A statement of account between the two, issued when first asked for."""
    from billing.models import AccountStatement
    from billing.receipts.services import issuing

    known = AccountStatement.objects.first()
    actor, given, now = _between()
    days = (now - timedelta(days=60)).date(), now.date()
    return int((known or issuing.account_statement(actor, given.bill.owner_id, given.bill.customer_id, *days, now)).pk)


def a_paper_code() -> str:
    """The code of a paper that was issued; where the world before the tests has none, of one made now."""
    from billing.papers.models import PaperCode

    return str(PaperCode.objects.earliest("pk").code)


def a_voucher() -> int:
    from billing.vouchers.models import Voucher

    return int(Voucher.objects.earliest("pk").pk)


def a_declaration(*, waits: bool) -> int:
    """Of the personas' firm: one that waits for the operator, or one that counts."""
    from billing.firms.models import FirmDeclaration

    return int(FirmDeclaration.objects.filter(decided_at__isnull=waits).earliest("pk").pk)


def an_income() -> Any:
    """What an institution declared of a year."""
    from billing.firms.income_models import OwnerIncome

    return OwnerIncome.objects.earliest("pk")


def a_partner() -> int:
    from billing.firms.partner_models import PartnerRegion

    return int(PartnerRegion.objects.earliest("pk").pk)


def a_pool() -> int:
    """A budget from which something is spent."""
    from billing.ledger.models import Account

    return int(Account.objects.filter(kind="pool").latest("posted_fen").pk)


def a_top_up() -> int:
    """Money for a budget that waits for a second person."""
    from billing.ledger.top_up_models import TopUp

    return int(TopUp.objects.filter(state="asked").earliest("pk").pk)


def a_figure() -> Any:
    """The figure of a limit that waits for a second person."""
    from billing.subsidy.figure_models import CapFigure

    return CapFigure.objects.filter(state="asked").earliest("pk")


def an_end() -> Any:
    """The early end of a programme version that waits for a second officer."""
    from django.utils import timezone

    from billing.subsidy import ends
    from billing.subsidy.end_models import VersionEnd
    from billing.subsidy.models import ProgrammeVersion

    waits = VersionEnd.objects.filter(state="asked").first()
    if waits is not None:
        return waits
    now = timezone.now()
    version = ProgrammeVersion.objects.filter(published_at__isnull=False, valid__contains=now.date()).latest("valid")
    officer = stage.persona(PERSONAS["programme_officer"])
    return ends.ask(officer, version.pk, version.last_on - timedelta(days=1), "The fund is used up", now)


def an_announcement(*, draft: bool = False) -> int:
    from billing.vouchers.models import VoucherAnnouncement

    return int(VoucherAnnouncement.objects.filter(published_at__isnull=draft).latest("pk").pk)


def an_application(state: str) -> int:
    from billing.vouchers.models import VoucherApplication

    return int(VoucherApplication.objects.filter(state=state).earliest("pk").pk)


def a_series() -> int:
    """One of the researcher's series of which something is still ahead."""
    from booking.models import Reservation

    rows = Reservation.objects.filter(series__requested_by__email=PERSONAS["researcher"], state__in=["requested", "approved"])
    return int(rows.earliest("pk").series_id or 0)


def waiting_change() -> int:
    from instruments.models import InstrumentChange

    return int(InstrumentChange.objects.filter(state="submitted").earliest("pk").pk)


def waiting_resource_change() -> int:
    from instruments.models import ResourceChange

    return int(ResourceChange.objects.filter(state="submitted").earliest("pk").pk)


def handed_in_sheet() -> int:
    from instruments.models import InstrumentSheet

    return int(InstrumentSheet.objects.earliest("pk").pk)


def priced() -> Any:
    """The instrument of the personas' lab whose next price is being written."""
    from billing.models import PriceDraft

    return PriceDraft.objects.filter(instrument__organisation_id=organisation(PERSONAS["lab_manager"])).earliest("pk").instrument


def price_family() -> int:
    """The family of prices of the personas' lab."""
    from billing.models import PriceFamily

    return int(PriceFamily.objects.filter(organisation_id=organisation(PERSONAS["lab_manager"])).earliest("pk").pk)


def layered() -> Any:
    """An instrument of the personas' lab whose calendar has layers in the demo."""
    from instruments.models import CalendarEntry, Instrument

    lab = organisation(PERSONAS["lab_manager"])
    layers = CalendarEntry.objects.filter(season_name__gt="").values("calendar_id")
    return Instrument.objects.filter(organisation_id=lab, calendar_id__in=layers).earliest("pk")


def outage() -> int:
    """The breakdown of the demo, with bookings that wait."""
    from booking.models import Downtime

    rows = Downtime.objects.filter(instrument__organisation_id=organisation(PERSONAS["lab_manager"]), kind="breakdown")
    return rows.earliest("pk").pk


def comes_again() -> int:
    """Its closure that comes again and again."""
    from instruments.models import CalendarEntry

    rows = CalendarEntry.objects.filter(calendar_id=layered().calendar_id, kind="closure", event__rule__isnull=False)
    return int(rows.earliest("pk").pk)


def a_token() -> str:
    """Of the link in a mail about a saved search of the firm's administrator."""
    from django.utils import timezone

    from instruments.rules.search_state import CatalogueSearch
    from instruments.services.saved_searches import save_search, unsubscribe_token

    actor = stage.persona(PERSONAS["firm_admin"])
    return unsubscribe_token(save_search(actor, CatalogueSearch(text="XRD"), "XRD", True, timezone.now()).pk)


def notice_token() -> str:
    """Of the link in a mail to the researcher."""
    from instruments.services.notice_settings import unsubscribe_token

    return unsubscribe_token(stage.persona(PERSONAS["researcher"]).user_id, ["reservations", "alerts"])


def webhook() -> int:
    """The one of the personas' lab, with a log."""
    from instruments.models import Webhook

    return int(Webhook.objects.filter(organisation_id=organisation(PERSONAS["lab_manager"]), removed_at=None).earliest("pk").pk)


def under_repair() -> int:
    from instruments.models import Instrument

    return int(Instrument.objects.filter(status="under_repair").earliest("pk").pk)


def resource(kind: str, *, lab_only: bool = False) -> int:
    """A published resource of a kind, of the personas' lab where ``lab_only``."""
    from instruments.models import Resource

    rows = Resource.objects.filter(kind=kind, published=True)
    if lab_only:
        rows = rows.filter(organisation_id=organisation(PERSONAS["lab_manager"]))
    return int(rows.earliest("pk").pk)


def resource_request(state: str) -> int:
    """A request of the personas' firm for something of the personas' lab."""
    from instruments.models import ResourceRequest

    firm, lab = organisation(PERSONAS["researcher"]), organisation(PERSONAS["lab_manager"])
    return int(ResourceRequest.objects.filter(state=state, organisation_id=firm, resource__organisation_id=lab).earliest("pk").pk)


def chosen_time(hours: int = 3) -> dict[str, str]:
    """A time of the day after tomorrow for the instrument that is open at every hour."""
    from django.utils import timezone

    day = (timezone.now() + timedelta(days=2)).date()
    return {"on": day.isoformat(), "from_": "09:00", "to": f"{9 + hours:02d}:00", "service_mode": "self_operated"}


def two_instruments() -> dict[str, Any]:
    """The instrument that is open at every hour and another of its lab, at the same time."""
    from instruments.models import Instrument

    first = instrument()
    second = Instrument.objects.filter(organisation_id=first.organisation_id, status="normal", published=True).exclude(
        pk=first.pk
    )
    return {"instrument": [first.pk, second.earliest("pk").pk], **chosen_time()}


def taken_time() -> dict[str, str]:
    """A time of the costly instrument that is booked already."""
    from django.utils import timezone

    from booking.models import Reservation

    taken = Reservation.objects.filter(instrument__name=stage.COSTLY, state="approved").earliest("pk")
    starts, ends = timezone.localtime(taken.starts_at), timezone.localtime(taken.ends_at)
    time = {"on": starts.date().isoformat(), "from_": f"{starts:%H:%M}", "to": f"{ends:%H:%M}"}
    return time if starts.date() == ends.date() else time | {"to_on": ends.date().isoformat()}


def reservation(state: str, **lookup: Any) -> int:
    """The newest reservation of the personas' firm in a state, at the personas' lab where there is one."""
    from booking.models import Reservation

    firm, lab = organisation(PERSONAS["researcher"]), organisation(PERSONAS["lab_manager"])
    rows = Reservation.objects.filter(state=state, **(lookup or {"organisation_id": firm}))
    found = rows.filter(instrument__organisation_id=lab).order_by("-starts_at").first() or rows.order_by("-starts_at").first()
    if found is None and state != "requested":
        found = Reservation.objects.filter(state=state, instrument__organisation_id=lab).order_by("-starts_at").first()
    assert found is not None, f"the demo has no reservation that is {state}"
    return int(found.pk)


def own_reservation(state: str) -> int:
    """A reservation of the personas' lab for itself, on a fund card."""
    lab = organisation(PERSONAS["lab_manager"])
    return reservation(state, organisation_id=lab, fund_card__isnull=False)


def fund_card() -> Any:
    """A card of the group that a persona leads."""
    from instruments.models import FundCard

    return FundCard.objects.select_related("group").filter(group__leader__email=PERSONAS["group_leader"]).earliest("pk")


def internal_slip() -> int:
    """A slip of the personas' lab."""
    from billing.models import InternalSlip

    return int(InternalSlip.objects.filter(organisation_id=organisation(PERSONAS["lab_manager"])).latest("pk").pk)


def lab_reservation(state: str) -> int:
    """A reservation at the personas' lab in a state."""
    return reservation(state, instrument__organisation_id=organisation(PERSONAS["lab_manager"]))


def run_to_look_at() -> int:
    """A run of the personas' lab that no booking explains."""
    from booking.models import DeviceRun

    lab = organisation(PERSONAS["lab_manager"])
    return int(DeviceRun.objects.filter(state="open", instrument__organisation_id=lab).earliest("starts_at").pk)


def at_the_instrument(persona: str) -> str:
    """Where the code at an instrument leads who runs a session there (the firm's administrator), or a colleague."""
    from django.utils import timezone

    from booking.models import CheckInPoint
    from booking.services import check_in_points

    point = CheckInPoint.objects.get(instrument__name=stage.AT_HAND)
    proof = check_in_points.read_code(stage.persona(PERSONAS[persona]), point.code, timezone.now())
    return at("here_now", s=proof)


def waiting_figures() -> int:
    """The request whose subsidy shrank before it was approved."""
    from billing.settlement.models import Quote

    found = Quote.objects.filter(reservation__instrument__name=stage.COSTLY, reservation__state="requested")
    return int(found.order_by("-pk").values_list("reservation_id", flat=True)[0])


def moving() -> int:
    """A reservation at the personas' lab for which its customer asks another time."""
    from booking.models import ReservationChange

    lab = organisation(PERSONAS["lab_manager"])
    rows = ReservationChange.objects.filter(state="open", side="customer", reservation__instrument__organisation_id=lab)
    row = rows.earliest("pk")
    return int(row.reservation_id)


def later() -> dict[str, str]:
    """A time of the coming days, to see what a move would change."""
    from django.utils import timezone

    day = (timezone.now() + timedelta(days=6)).date()
    return {"on": day.isoformat(), "from_": "09:00", "to": "11:00"}


def busy_day() -> str:
    """The day with the most sessions in the personas' lab."""
    from django.utils import timezone

    from booking.models import Reservation

    lab = organisation(PERSONAS["lab_manager"])
    starts = Reservation.objects.filter(instrument__organisation_id=lab).values_list("starts_at", flat=True)
    days = Counter(timezone.localtime(each).date().isoformat() for each in starts)
    return max(days, key=lambda day: (days[day], day))


def statement(**lookup: Any) -> int:
    from billing.settlement.models import Statement

    return int(Statement.objects.filter(**lookup).latest("pk").pk)


def rendered_statement() -> int:
    """A statement whose documents are made."""
    return statement(render_state="done")


def lab_statement(**lookup: Any) -> int:
    """A statement whose payee is the personas' lab."""
    return statement(payee_id=organisation(PERSONAS["lab_manager"]), **lookup)


def bill(**lookup: Any) -> int:
    """The first bill of the personas' lab to the personas' firm."""
    from billing.models import Bill

    firm = organisation(PERSONAS["firm_admin"])
    return int(Bill.objects.filter(customer_id=firm, **lookup).earliest("pk").pk)


def credit_note() -> int:
    from billing.models import CreditNote

    return int(CreditNote.objects.earliest("pk").pk)


def claim(**lookup: Any) -> int:
    """The latest claim that is so."""
    from billing.models import Claim

    return int(Claim.objects.filter(**lookup).latest("pk").pk)


def own_claim() -> int:
    """The latest claim of the personas' lab, which waits for it."""
    return claim(payee_id=organisation(PERSONAS["owner_finance"]), state="draft")


def claim_batch(**lookup: Any) -> int:
    from billing.models import ClaimBatch

    return int(ClaimBatch.objects.filter(**lookup).earliest("pk").pk)


def of_claims(model: str, **lookup: Any) -> int:
    """The latest publicity or payment list that is so."""
    from django.apps import apps

    return int(apps.get_model("billing", model).objects.filter(**lookup).latest("pk").pk)


def to_bill() -> dict[str, Any]:
    """A customer of the personas' lab who can be billed."""
    from django.utils import timezone

    from billing.bills.services.collecting import open_by_customer

    lab, until = organisation(PERSONAS["owner_finance"]), timezone.localdate()
    return {"owner": lab, "customer": open_by_customer(lab, until)[0].customer_id, "until": until.isoformat()}


def payment(*, free: bool) -> int:
    """A payment of which something is free, or nothing is."""
    from django.db.models import Sum

    from billing.models import Payment

    rows = Payment.objects.annotate(given=Sum("allocations__amount_fen"))
    return int(rows.filter(given__isnull=free).earliest("pk").pk)


def month_run() -> int:
    """The drafts of the personas' lab for last month."""
    from billing.models import DraftRun

    return int(DraftRun.objects.earliest("pk").pk)


def month_draft() -> int:
    """The largest of them."""
    from billing.models import Draft

    return int(Draft.objects.filter(run_id=month_run()).earliest("position").pk)


def month_export() -> int:
    from billing.models import MonthExport

    return int(MonthExport.objects.earliest("pk").pk)


def to_issue() -> dict[str, Any]:
    """The programme, payee and month of sessions that stand on no statement yet."""

    from billing.settlement.models import Award

    month = month_of_use()
    award = Award.objects.filter(
        service_on__month=month.month, charge__reservation__instrument__name=stage.ROUND_THE_CLOCK
    ).latest("pk")
    return {"version": award.programme_version_id, "payee": award.payee_id, "month": f"{month:%Y-%m}"}


def month_of_use() -> Any:
    """The first day of the last month that is over: of which year there is something to see, also in January."""
    from django.utils import timezone

    return stage.months_ago(timezone.now(), 1)


def closure_import(confirmed: bool) -> int:
    """The newest file of closures that was confirmed, or that waits."""
    from instruments.models import ClosureImport

    return int(ClosureImport.objects.filter(confirmed_at__isnull=not confirmed).latest("pk").pk)


def sharing() -> str:
    """What it would do if an instrument took the calendar of another one of its lab."""
    one = instrument()
    others = type(one).objects.filter(organisation=one.organisation, site__time_zone=one.site.time_zone)
    return at("instrument_sharing", one.pk, with_=others.exclude(calendar=one.calendar).earliest("pk").pk)


def assistant() -> Any:
    """Somebody of the personas' lab who assists in sessions."""
    from booking.models import Assistant

    return (
        Assistant.objects.filter(instruments__instrument__organisation=organisation(PERSONAS["lab_manager"]))
        .distinct()
        .earliest("pk")
    )


def assisted() -> Any:
    """An instrument on which that person may assist."""
    return assistant().instruments.earliest("pk").instrument


def import_in(state: str, kind: str = "instruments") -> int:
    """An import of the personas' lab in that state."""
    from instruments.models import ImportRun

    runs = ImportRun.objects.filter(state=state, kind=kind, organisation_id=organisation(PERSONAS["lab_manager"]))
    return int(runs.latest("pk").pk)


def code_load() -> int:
    """A code list that was taken in."""
    from instruments.models import CodeLoad

    return int(CodeLoad.objects.latest("pk").pk)


def centre() -> int:
    from instruments.models import InstrumentCentre

    return int(InstrumentCentre.objects.get(organisation=organisation(PERSONAS["lab_manager"])).pk)


def zone() -> int:
    from instruments.models import PolicyZone

    return int(PolicyZone.objects.earliest("pk").pk)


def licence() -> int:
    from instruments.models import VerificationRequest

    return int(VerificationRequest.objects.filter(decided_at=None).earliest("pk").pk)


def colleague() -> int:
    from instruments.models import User

    return int(User.objects.get(email=PERSONAS["researcher"]).pk)


def reset_link() -> str:
    """The link of a mail about a forgotten password."""
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    from instruments.models import User

    user = User.objects.get(email=stage.NEWCOMER)
    return at("account_reset_password_from_key", user_pk_to_url_str(user), default_token_generator.make_token(user))


def confirmation_link() -> str:
    """The link of a mail that asks to confirm an address."""
    from allauth.account.models import EmailAddress, EmailConfirmationHMAC

    return at("account_confirm_email", EmailConfirmationHMAC(EmailAddress.objects.get(email=stage.UNCONFIRMED)).key)


# --- Pages ------------------------------------------------------------------------------------------------------------
PAGES: tuple[Shown, ...] = (
    Shown("home", lambda: at("home"), (*EVERYBODY, "newcomer", "unverified_firm"), important=True),
    Shown("help", lambda: at("help"), (ANONYMOUS, "researcher", "operator")),
    Shown("open_data", lambda: at("open_data"), (ANONYMOUS,)),
    Shown("person_erase", lambda: at("person_erase"), ("operator",)),
    Shown("person_mentions", lambda: at("person_mentions"), ("operator",)),
    Shown("person_retention", lambda: at("person_retention"), ("operator",)),
    Shown("paper_check", lambda: at("paper_check"), (ANONYMOUS,)),
    Shown("paper_verify", lambda: at("paper_verify", a_paper_code()), (ANONYMOUS, "firm_admin"), important=True),
    Shown("paper_verify", lambda: at("paper_verify", "0000-0000-0000-0000"), (ANONYMOUS,), "unknown", status=404),
    # Account
    Shown("account_login", lambda: at("account_login"), (ANONYMOUS,), important=True),
    Shown("account_signup", lambda: at("account_signup"), (ANONYMOUS,)),
    Shown("account_logout", lambda: at("account_logout"), ACCOUNT),
    Shown("account_inactive", lambda: at("account_inactive"), (ANONYMOUS,)),
    Shown("account_reauthenticate", lambda: at("account_reauthenticate"), ACCOUNT),
    Shown("account_email", lambda: at("account_email"), ACCOUNT),
    Shown("account_email_verification_sent", lambda: at("account_email_verification_sent"), (ANONYMOUS,)),
    Shown("account_confirm_email", confirmation_link, (ANONYMOUS,)),
    Shown("account_change_password", lambda: at("account_change_password"), ACCOUNT),
    Shown("account_reset_password", lambda: at("account_reset_password"), (ANONYMOUS,)),
    Shown("account_reset_password_done", lambda: at("account_reset_password_done"), (ANONYMOUS,)),
    Shown("account_reset_password_from_key", reset_link, (ANONYMOUS,), leads_on=True),
    Shown("account_reset_password_from_key_done", lambda: at("account_reset_password_from_key_done"), (ANONYMOUS,)),
    Shown("account_settings", lambda: at("account_settings"), ACCOUNT),
    Shown("mfa_index", lambda: at("mfa_index"), (*ACCOUNT, "second_factor")),
    Shown("mfa_activate_totp", lambda: at("mfa_activate_totp"), ACCOUNT),
    Shown("mfa_deactivate_totp", lambda: at("mfa_deactivate_totp"), ("second_factor",)),
    Shown("mfa_view_recovery_codes", lambda: at("mfa_view_recovery_codes"), ("second_factor",)),
    Shown("mfa_generate_recovery_codes", lambda: at("mfa_generate_recovery_codes"), ("second_factor",)),
    Shown("mfa_reauthenticate", lambda: at("mfa_reauthenticate"), ("second_factor",)),
    # News
    Shown("notice_list", lambda: at("notice_list"), ("lab_manager", "researcher", "operator"), important=True),
    Shown("notice_list", lambda: at("notice_list", show="action", group="alerts"), ("researcher",), "nothing"),
    Shown("notice_settings", lambda: at("notice_settings"), ACCOUNT, important=True),
    Shown("notice_unsubscribe", lambda: at("notice_unsubscribe", notice_token()), (ANONYMOUS, "researcher")),
    Shown("channel_address", lambda: at("channel_address", "sms"), ("researcher",)),
    Shown("channel_code", lambda: at("channel_code", "sms"), ("researcher",)),
    Shown("mail_log", lambda: at("mail_log"), ("operator", "lab_manager"), important=True),
    Shown("mail_log", lambda: at("mail_log", state="failed", q="zzzz"), ("operator",), "nothing"),
    Shown("webhook_list", lambda: at("webhook_list", organisation(PERSONAS["lab_manager"])), ("lab_manager",)),
    Shown("webhook_list", lambda: at("webhook_list", organisation(PERSONAS["firm_admin"])), ("firm_admin",), "none"),
    Shown("webhook_create", lambda: at("webhook_create", organisation(PERSONAS["lab_manager"])), ("lab_manager",)),
    Shown("webhook_detail", lambda: at("webhook_detail", webhook()), ("lab_manager",), important=True),
    # Finding
    Shown("search", lambda: at("search"), EVERYBODY, important=True),
    Shown("search", lambda: at("search", q="X", subsidy="yes"), (ANONYMOUS, "researcher"), "filtered"),
    Shown("search", lambda: at("search", q="zzzz", price="to100"), (ANONYMOUS, "lab_manager"), "nothing"),
    Shown("saved_search_list", lambda: at("saved_search_list"), ("firm_admin", "lab_manager")),
    Shown("saved_search_unsubscribe", lambda: at("saved_search_unsubscribe", a_token()), (ANONYMOUS, "researcher")),
    Shown("compare", lambda: at("compare", ids=some_entries()), (ANONYMOUS, "researcher"), important=True),
    Shown("compare", lambda: at("compare"), (ANONYMOUS,), "empty"),
    # Instruments
    Shown("instrument_list", lambda: at("instrument_list"), EVERYBODY, important=True),
    Shown("instrument_list", lambda: at("instrument_list", q="X", bookable="yes"), (ANONYMOUS, "researcher"), "filtered"),
    Shown("instrument_list", lambda: at("instrument_list", q="zzzz"), (ANONYMOUS, "lab_manager"), "nothing"),
    Shown("instrument_detail", lambda: at("instrument_detail", instrument().pk), EVERYBODY),
    Shown(
        "instrument_detail",
        lambda: at("instrument_detail", instrument().pk, **chosen_time()),
        (*CUSTOMERS, "lab_manager", "unverified_firm", "newcomer", ANONYMOUS),
        "quote",
        important=True,
    ),
    Shown("instrument_detail", lambda: at("instrument_detail", instrument(stage.COSTLY).pk, **taken_time()), CUSTOMERS, "taken"),
    Shown("instrument_detail", lambda: at("instrument_detail", under_repair()), (ANONYMOUS, "researcher"), "under-repair"),
    Shown("instrument_detail", lambda: at("instrument_detail", instrument(stage.DRAFT).pk), ("lab_manager", "operator"), "draft"),
    Shown(
        "instrument_detail",
        lambda: at("instrument_detail", rich_instrument()),
        (ANONYMOUS, "lab_manager"),
        "rich",
        important=True,
    ),
    Shown("instrument_create", lambda: at("instrument_create"), ("lab_manager",)),
    Shown("instrument_files", lambda: at("instrument_files", rich_instrument()), ("lab_manager", "operator")),
    Shown("instrument_history", lambda: at("instrument_history", rich_instrument()), ("lab_manager", "inspector", "operator")),
    Shown("instrument_label", lambda: at("instrument_label", rich_instrument()), (ANONYMOUS,)),
    Shown("review_queue", lambda: at("review_queue"), ("operator", "lab_manager"), important=True),
    Shown(
        "review_detail", lambda: at("review_detail", waiting_change()), ("operator", "reviewed_lab", "inspector"), important=True
    ),
    Shown(
        "resource_review",
        lambda: at("resource_review", waiting_resource_change()),
        ("operator", "reviewed_lab", "inspector"),
        important=True,
    ),
    Shown("resource_sheet_start", lambda: at("resource_sheet_start", "germplasm"), ("lab_manager",)),
    Shown("sheet_start", lambda: at("sheet_start"), ("lab_manager",)),
    Shown("sheet_preview", lambda: at("sheet_preview", handed_in_sheet()), ("lab_manager", "operator")),
    # Training and credit
    Shown(
        "instrument_licence", lambda: at("instrument_licence", taught()), (ANONYMOUS, "researcher", "lab_manager"), important=True
    ),
    Shown("instrument_licence", lambda: at("instrument_licence", instrument().pk), ("researcher",), "nothing-taught"),
    Shown("training_list", lambda: at("training_list"), ("lab_manager", "operator"), important=True),
    Shown("course_create", lambda: at("course_create"), ("lab_manager",)),
    Shown("course_detail", lambda: at("course_detail", course().pk), ("lab_manager",)),
    Shown("course_edit", lambda: at("course_edit", course().pk), ("lab_manager",)),
    Shown("course_session", lambda: at("course_session", course_session(past=True)), ("lab_manager",), "past"),
    Shown("course_session", lambda: at("course_session", course_session(past=False)), ("lab_manager",)),
    Shown("licence_list", lambda: at("licence_list"), ("lab_manager", "operator"), important=True),
    Shown("my_record", lambda: at("my_record"), ("researcher", "newcomer")),
    Shown("credit_lab", lambda: at("credit_lab"), ("lab_manager", "operator"), important=True),
    Shown("credit_rules", lambda: at("credit_rules"), ("lab_manager", "operator")),
    Shown("problem_report", lambda: at("problem_report", instrument().pk), ("researcher",)),
    Shown("problem_list", lambda: at("problem_list"), ("lab_manager", "operator"), important=True),
    Shown("problem_list", lambda: at("problem_list", show="all"), ("lab_manager",), "all"),
    Shown("instrument_edit", lambda: at("instrument_edit", instrument().pk), ("lab_manager", "operator")),
    Shown("instrument_hours", lambda: at("instrument_hours", instrument().pk), ("lab_manager", "operator")),
    # Calendars
    Shown("instrument_closure_import", lambda: at("instrument_closure_import", instrument().pk), ("lab_manager",)),
    Shown("closure_import_detail", lambda: at("closure_import_detail", closure_import(False)), ("lab_manager",), "preview"),
    Shown("closure_import_detail", lambda: at("closure_import_detail", closure_import(True)), ("lab_manager",), "done"),
    Shown("instrument_sharing", sharing, ("lab_manager",), "preview"),
    Shown("instrument_assistants", lambda: at("instrument_assistants", assisted().pk), ("lab_manager",)),
    Shown("assistant_detail", lambda: at("assistant_detail", assistant().pk), ("lab_manager",)),
    Shown("assisting", lambda: at("assisting"), ("lab_manager", "researcher")),
    Shown("unassisted_list", lambda: at("unassisted_list"), ("lab_manager",)),
    Shown("instrument_calendars", lambda: at("instrument_calendars", instrument().pk), ("lab_manager", "operator"), "none"),
    Shown("instrument_calendars", lambda: at("instrument_calendars", instrument(stage.FOLLOWING).pk), ("lab_manager",)),
    Shown("feed_list", lambda: at("feed_list"), ("lab_manager", "researcher")),
    Shown("feed_create", lambda: at("feed_create"), ("lab_manager", "researcher")),
    Shown(
        "instrument_hours",
        lambda: at("instrument_hours", layered().pk, month=f"{month_of_use():%Y-%m}"),
        ("lab_manager",),
        "layers",
    ),
    Shown("instrument_season", lambda: at("instrument_season", layered().pk), ("lab_manager",)),
    Shown("instrument_customers", lambda: at("instrument_customers", layered().pk), ("lab_manager",)),
    Shown("instrument_exception", lambda: at("instrument_exception", layered().pk), ("lab_manager",)),
    Shown(
        "instrument_occurrences", lambda: at("instrument_occurrences", layered().pk, comes_again()), ("lab_manager", "operator")
    ),
    Shown("booking_for", lambda: at("booking_for", layered().pk, **chosen_time()), ("lab_manager",)),
    Shown("instrument_policy", lambda: at("instrument_policy", layered().pk, **chosen_time()), ("lab_manager",), important=True),
    Shown("group_list", lambda: at("group_list"), ("group_leader", "owner_finance", "firm_admin")),
    Shown("group_create", lambda: at("group_create", organisation(PERSONAS["lab_manager"])), ("owner_finance",)),
    Shown("group_detail", lambda: at("group_detail", fund_card().group_id), ("group_leader", "owner_finance"), important=True),
    Shown("group_edit", lambda: at("group_edit", fund_card().group_id), ("owner_finance",)),
    Shown("fund_card_create", lambda: at("fund_card_create", fund_card().group_id), ("owner_finance",)),
    Shown("fund_card_edit", lambda: at("fund_card_edit", fund_card().pk), ("owner_finance",)),
    Shown("leader_inbox", lambda: at("leader_inbox"), ("group_leader", "researcher"), important=True),
    Shown("reservation_detail", lambda: at("reservation_detail", own_reservation("agreed")), ("group_leader",), "internal"),
    Shown("slip_list", lambda: at("slip_list"), ("owner_finance", "group_leader", "researcher")),
    Shown("utilisation_list", lambda: at("utilisation_list"), ("programme_officer",)),
    Shown(
        "utilisation_lab",
        lambda: at("utilisation_lab", organisation(PERSONAS["lab_manager"]), span="year", on=month_of_use().isoformat()),
        ("lab_manager",),
        important=True,
    ),
    Shown("slip_detail", lambda: at("slip_detail", internal_slip()), ("owner_finance",), important=True),
    Shown("policy_list", lambda: at("policy_list", organisation(PERSONAS["lab_manager"])), ("lab_manager",)),
    Shown("policy_edit", lambda: at("policy_edit", organisation(PERSONAS["lab_manager"])), ("lab_manager",), important=True),
    Shown("instrument_maintenance", lambda: at("instrument_maintenance", layered().pk), ("lab_manager",)),
    Shown("downtime_detail", lambda: at("downtime_detail", outage()), ("lab_manager",), important=True),
    Shown("instrument_detail", lambda: at("instrument_detail", instrument(stage.FOLLOWING).pk), (ANONYMOUS,), "facility"),
    Shown("instrument_edit", lambda: at("instrument_edit", instrument(stage.FOLLOWING).pk), ("lab_manager",), "facility"),
    Shown("facility_ending", lambda: at("facility_ending", instrument(stage.FOLLOWING).pk), ("lab_manager",)),
    Shown("instrument_detail", lambda: at("instrument_detail", layered().pk), (ANONYMOUS,), "layers"),
    Shown("import_list", lambda: at("import_list"), ("lab_manager", "operator"), important=True),
    *(
        Shown(
            "import_run",
            lambda state=state: at("import_run", import_in(state)),
            ("lab_manager",),
            state,
            important=state == "preview",
        )  # type: ignore[misc]
        for state in ("preview", "mapping", "done", "failed")
    ),
    *(
        Shown(
            "import_run",
            lambda state=state: at("import_run", import_in(state, kind="bookings")),
            ("lab_manager",),
            f"bookings-{state}",
        )  # type: ignore[misc]
        for state in ("preview", "done")
    ),
    Shown(
        "organisation_completeness",
        lambda: at("organisation_completeness", organisation(PERSONAS["lab_manager"])),
        ("lab_manager", "operator"),
        important=True,
    ),
    Shown(
        "organisation_completeness",
        lambda: at("organisation_completeness", organisation(PERSONAS["lab_manager"]), kind="test_item", field="sample_amount"),
        ("lab_manager",),
        "test-items",
    ),
    Shown("place_list", lambda: at("place_list", organisation(PERSONAS["lab_manager"])), ("lab_manager",)),
    Shown("place_edit", lambda: at("place_edit", instrument().site_id), ("lab_manager", "operator")),
    Shown("centre_list", lambda: at("centre_list", organisation(PERSONAS["lab_manager"])), ("lab_manager",)),
    Shown("centre_create", lambda: at("centre_create", organisation(PERSONAS["lab_manager"])), ("lab_manager",)),
    Shown("centre_edit", lambda: at("centre_edit", centre()), ("lab_manager",)),
    Shown("code_list", lambda: at("code_list"), ("operator",)),
    Shown("code_list_take_back", lambda: at("code_list_take_back", code_load()), ("operator",)),
    Shown("zone_list", lambda: at("zone_list"), ("operator",)),
    Shown("zone_create", lambda: at("zone_create"), ("operator",)),
    Shown("zone_edit", lambda: at("zone_edit", zone()), ("operator",)),
    # Booking
    Shown(
        "resource_detail",
        lambda: at("resource_detail", resource("test_item"), samples=12),
        (ANONYMOUS, "researcher", "lab_manager"),
    ),
    Shown("resource_detail", lambda: at("resource_detail", resource("germplasm")), (ANONYMOUS, "operator"), "germplasm"),
    Shown("resource_detail", lambda: at("resource_detail", resource("dataset")), (ANONYMOUS, "researcher"), "dataset"),
    Shown("resource_detail", lambda: at("resource_detail", resource("literature")), (ANONYMOUS,), "literature"),
    Shown("resource_statistics", lambda: at("resource_statistics"), (ANONYMOUS, "inspector")),
    Shown("resource_list", lambda: at("resource_list"), ("lab_manager",)),
    Shown("resource_list", lambda: at("resource_list", q="zzzz"), ("lab_manager",), "nothing"),
    Shown("resource_create", lambda: at("resource_create", "test_item"), ("lab_manager",)),
    Shown("resource_create", lambda: at("resource_create", "germplasm"), ("lab_manager",), "germplasm"),
    Shown("resource_edit", lambda: at("resource_edit", resource("dataset", lab_only=True)), ("lab_manager", "operator")),
    Shown("resource_history", lambda: at("resource_history", resource("dataset", lab_only=True)), ("lab_manager", "operator")),
    Shown("resource_price", lambda: at("resource_price", resource("test_item", lab_only=True)), ("lab_manager", "owner_finance")),
    Shown("resource_request_create", lambda: at("resource_request_create", resource("literature")), ("researcher", "newcomer")),
    Shown("resource_request_list", lambda: at("resource_request_list"), (*CUSTOMERS, "newcomer")),
    Shown("resource_inbox", lambda: at("resource_inbox"), ("lab_manager",)),
    *(
        Shown(
            "resource_request_detail",
            lambda state=state: at("resource_request_detail", resource_request(state)),  # type: ignore[misc]
            ("researcher", "lab_manager"),
            state,
        )
        for state in ("requested", "approved", "refused", "withdrawn", "delivered", "closed")
    ),
    Shown("reservation_create", lambda: at("reservation_create", instrument().pk, **chosen_time()), (*CUSTOMERS, "lab_manager")),
    Shown("reservation_list", lambda: at("reservation_list"), (*CUSTOMERS, "newcomer"), important=True),
    Shown("reservation_list", lambda: at("reservation_list", show="past"), CUSTOMERS, "past"),
    *(
        Shown("reservation_detail", lambda state=state: at("reservation_detail", reservation(state)), CUSTOMERS, state)  # type: ignore[misc]
        for state in ("requested", "approved")
    ),
    Shown(
        "reservation_detail",
        lambda: at("reservation_detail", lab_reservation("agreed")),
        (*OWNERS, "programme_officer", "finance", "inspector"),
        "of-the-lab",
        important=True,
    ),
    Shown("reservation_detail", lambda: at("reservation_detail", lab_reservation("requested")), OWNERS, "to-decide"),
    Shown("reservation_detail", lambda: at("reservation_detail", reservation("agreed")), CUSTOMERS, "agreed"),
    *(
        Shown("reservation_detail", lambda state=state: at("reservation_detail", any_reservation(state)), ("finance",), state)  # type: ignore[misc]
        for state in ("rejected", "cancelled", "no_show", "expired")
    ),
    Shown(
        "reservation_detail", lambda: at("reservation_detail", waiting_figures()), ("capped_firm", "lab_manager"), "new-figures"
    ),
    Shown("reservation_cancel", lambda: at("reservation_cancel", reservation("requested")), CUSTOMERS),
    Shown("reservation_cancel", lambda: at("reservation_cancel", lab_reservation("approved")), ("lab_manager",), "by-the-lab"),
    Shown("colleague_list", lambda: at("colleague_list"), ("researcher", "firm_admin"), important=True),
    Shown("wait_list", lambda: at("wait_list"), ("researcher", "firm_admin"), important=True),
    Shown("wait_join", lambda: at("wait_join", instrument().pk), CUSTOMERS),
    Shown("reservation_move", lambda: at("reservation_move", reservation("requested")), CUSTOMERS),
    Shown("series_create", lambda: at("series_create", instrument().pk, **chosen_time()), CUSTOMERS, important=True),
    Shown("book_together", lambda: at("book_together", **two_instruments()), CUSTOMERS, important=True),
    Shown("book_together", lambda: at("book_together"), ("researcher",), "empty"),
    Shown("series_detail", lambda: at("series_detail", a_series()), ("researcher", "firm_admin"), important=True),
    Shown(
        "series_change", lambda: at("series_change", a_series(), step="cancel", scope="all", anchor=0), ("researcher",), "cancel"
    ),
    Shown("series_change", lambda: at("series_change", a_series(), step="move"), ("researcher",), "move"),
    Shown(
        "instrument_detail", lambda: at("reservation_again", reservation("agreed")), ("researcher",), "book-again", leads_on=True
    ),
    Shown(
        "reservation_move", lambda: at("reservation_move", lab_reservation("approved"), **later()), ("lab_manager",), "by-the-lab"
    ),
    Shown("reservation_swap", lambda: at("reservation_swap", lab_reservation("approved")), ("lab_manager",), "by-the-lab"),
    Shown("reservation_swap", lambda: at("reservation_swap", reservation("requested")), ("researcher",)),
    Shown("reservation_detail", lambda: at("reservation_detail", moving()), ("lab_manager",), "asked-to-move"),
    Shown("approval_inbox", lambda: at("approval_inbox"), ("lab_manager",), important=True),
    Shown("approval_inbox", lambda: at("approval_inbox", selected=waiting_figures()), ("lab_manager",), "new-figures"),
    Shown("approval_samples", lambda: at("approval_samples"), ("lab_manager",), important=True),
    Shown("approval_settings", lambda: at("approval_settings"), ("lab_manager",)),
    Shown("reservation_suggest", lambda: at("reservation_suggest", lab_reservation("requested")), ("lab_manager",)),
    Shown("sessions_today", lambda: at("sessions_today"), ("lab_manager",)),
    Shown("sessions_today", lambda: at("sessions_today", date=busy_day()), ("lab_manager",), "day", important=True),
    Shown("lab_timeline", lambda: at("lab_timeline", date=busy_day()), ("lab_manager",), important=True),
    Shown("session_longer", lambda: at("session_longer", lab_reservation("in_use")), ("lab_manager",), important=True),
    Shown("session_reviews", lambda: at("session_reviews"), ("lab_manager", "owner_finance"), important=True),
    Shown("session_problems", lambda: at("session_problems"), ("lab_manager",), important=True),
    Shown("session_problems", lambda: at("session_problems", selected=run_to_look_at()), ("lab_manager",), "opened"),
    Shown("session_enter", lambda: at("session_enter", run=run_to_look_at()), ("lab_manager",)),
    Shown("session_labels", lambda: at("session_labels"), ("lab_manager",)),
    Shown("session_devices", lambda: at("session_devices"), ("lab_manager",)),
    Shown("here_now", lambda: at_the_instrument("firm_admin"), ("firm_admin",), important=True),
    Shown("here_now", lambda: at_the_instrument("researcher"), ("researcher",), "colleague"),
    Shown("here_now", lambda: at("here_now"), ("researcher", "lab_manager"), "again", status=422),
    Shown("reservation_detail", lambda: at("reservation_detail", reservation("completed")), ("researcher",), "to-agree"),
    Shown("reservation_detail", lambda: at("reservation_detail", lab_reservation("adjusting")), ("lab_manager",), "other-times"),
    Shown("reservation_detail", lambda: at("reservation_detail", lab_reservation("disputed")), ("owner_finance",), "disputed"),
    # Subsidies
    Shown("programme_drafts", lambda: at("programme_drafts"), ("programme_officer", "finance")),
    Shown("programme_draft", lambda: at("programme_draft", programme_draft("draft")), ("programme_officer",), important=True),
    Shown("programme_draft", lambda: at("programme_draft", programme_draft("submitted")), ("inspector",), "submitted"),
    *(
        Shown(
            "programme_draft_edit",
            lambda part=part: at("programme_draft_edit", programme_draft("draft"), part=part),  # type: ignore[misc]
            ("programme_officer",),
            part,
            important=part in ("gates", "caps"),
        )
        for part in ("document", "clauses", "gates", "amount", "caps", "payers", "examples")
    ),
    Shown(
        "programme_draft_edit",
        lambda: at("programme_draft_edit", programme_draft("draft"), part="examples", at="examples/0"),
        ("programme_officer",),
        "one-example",
    ),
    Shown("programme_draft_text", lambda: at("programme_draft_text", programme_draft("draft")), ("programme_officer",)),
    Shown("programme_trials", lambda: at("programme_trials"), ("programme_officer", "inspector")),
    Shown("programme_trial", lambda: at("programme_trial", programme_trial()), ("programme_officer", "finance"), important=True),
    Shown("programme_budgets", lambda: at("programme_budgets"), ("programme_officer", "finance"), important=True),
    Shown("programme_list", lambda: at("programme_list"), EVERYBODY),
    Shown("programme_detail", lambda: at("programme_detail", "DEMO-QH-A"), EVERYBODY, important=True),
    Shown("programme_detail", lambda: at("programme_detail", "DEMO-QH-V"), (ANONYMOUS, "programme_officer"), "voucher"),
    # Prices
    Shown("price_list", lambda: at("price_list"), ("lab_manager", "owner_finance")),
    Shown("price_list", lambda: at("price_list", what="family"), ("lab_manager",), "families"),
    Shown("price_show", lambda: at("price_show", "instrument", priced().pk), ("lab_manager", "owner_finance"), important=True),
    Shown("price_show", lambda: at("price_show", "family", price_family()), ("lab_manager",), "family"),
    Shown("price_show", lambda: at("price_show", "test_item", resource("test_item", lab_only=True)), ("lab_manager",), "test"),
    Shown("price_draft", lambda: at("price_draft", "instrument", priced().pk), ("lab_manager",), important=True),
    Shown("price_draft", lambda: at("price_draft", "test_item", resource("test_item", lab_only=True)), ("lab_manager",), "test"),
    Shown("price_review", lambda: at("price_review", "instrument", priced().pk), ("lab_manager",), important=True),
    # Finance
    Shown("finance_period", lambda: at("finance_period"), ("finance", "programme_officer", "inspector")),
    Shown(
        "finance_period",
        lambda: at("finance_period", month=to_issue()["month"]),
        ("finance", "programme_officer", "inspector"),
        "month",
        important=True,
    ),
    Shown("finance_period", lambda: at("finance_period", month="2020-01"), ("finance",), "empty"),
    Shown("statement_issue", lambda: at("statement_issue", **to_issue()), ("finance",), important=True),
    Shown("statement_proposal", lambda: at("statement_proposal", of_claims("statementproposal")), ("finance", "inspector")),
    Shown(
        "statement_list",
        lambda: at("statement_list"),
        ("finance", "firm_admin", "owner_finance", "programme_officer", "inspector"),
        important=True,
    ),
    Shown(
        "statement_detail",
        lambda: at("statement_detail", rendered_statement()),
        ("finance", "programme_officer", "inspector"),
        "ready",
        important=True,
    ),
    Shown("statement_detail", lambda: at("statement_detail", lab_statement()), ("owner_finance", "finance"), "of-the-lab"),
    Shown("statement_line", lambda: at("statement_line", lab_statement(), 1), ("owner_finance", "finance", "inspector")),
    # Bills and payments
    Shown("bill_list", lambda: at("bill_list"), ("owner_finance", "firm_admin", "inspector"), important=True),
    Shown("bill_list", lambda: at("bill_list", open=1), ("firm_admin",), "to-pay"),
    Shown("bill_open", lambda: at("bill_open", until=to_bill()["until"]), ("owner_finance",), important=True),
    Shown("bill_open", lambda: at("bill_open", until="2020-01-31"), ("owner_finance",), "empty"),
    Shown("bill_issue", lambda: at("bill_issue", **to_bill()), ("owner_finance",), important=True),
    Shown("bill_proposal", lambda: at("bill_proposal", of_claims("billproposal")), ("owner_finance", "inspector")),
    Shown("bill_detail", lambda: at("bill_detail", bill()), ("owner_finance", "firm_admin", "inspector"), important=True),
    Shown("bill_credit", lambda: at("bill_credit", bill(), 1), ("owner_finance",)),
    Shown("credit_note_detail", lambda: at("credit_note_detail", credit_note()), ("owner_finance", "firm_admin")),
    Shown("month_board", lambda: at("month_board"), ("owner_finance", "finance", "inspector"), important=True),
    Shown("month_unconfirmed", lambda: at("month_unconfirmed"), ("owner_finance",)),
    Shown("month_prepare", lambda: at("month_prepare"), ("owner_finance",)),
    Shown("month_run", lambda: at("month_run", month_run()), ("owner_finance", "inspector"), important=True),
    Shown("month_draft", lambda: at("month_draft", month_draft()), ("owner_finance",), important=True),
    Shown("month_export", lambda: at("month_export", month_export()), ("owner_finance",)),
    Shown("payment_list", lambda: at("payment_list"), ("owner_finance", "inspector"), important=True),
    Shown("payment_list", lambda: at("payment_list", all=1), ("owner_finance",), "all"),
    Shown("payment_import", lambda: at("payment_import"), ("owner_finance",)),
    Shown("hand_payment_list", lambda: at("hand_payment_list"), ("owner_finance", "inspector")),
    Shown("hand_payment_enter", lambda: at("hand_payment_enter"), ("owner_finance",)),
    Shown(
        "payment_detail", lambda: at("payment_detail", payment(free=True)), ("owner_finance", "inspector"), "free", important=True
    ),
    Shown("payment_detail", lambda: at("payment_detail", payment(free=False)), ("owner_finance",), "given"),
    Shown("provider_news", lambda: at("provider_news"), ("operator", "inspector")),
    # Claims
    Shown("claim_list", lambda: at("claim_list"), ("owner_finance", "firm_admin", "finance")),
    Shown("claim_detail", lambda: at("claim_detail", own_claim()), ("owner_finance",), important=True),
    Shown("claim_detail", lambda: at("claim_detail", claim(state="sent_back")), ("programme_officer", "inspector"), "back"),
    Shown("clawback_list", lambda: at("clawback_list"), ("owner_finance", "finance")),
    Shown(
        "clawback_detail",
        lambda: at("clawback_detail", of_claims("clawback", repayments__confirmed_at=None)),
        ("finance", "second_finance", "inspector"),
        important=True,
    ),
    Shown("claim_batch_list", lambda: at("claim_batch_list"), ("programme_officer", "finance"), important=True),
    Shown(
        "claim_batch_detail",
        lambda: at("claim_batch_detail", claim_batch(claims__state="publicised")),
        ("programme_officer", "finance"),
        important=True,
    ),
    Shown(
        "payout_list_detail", lambda: at("payout_list_detail", of_claims("paymentlist")), ("finance", "inspector"), important=True
    ),
    Shown("recheck_list", lambda: at("recheck_list"), ("inspector", "finance")),
    Shown("recheck_detail", lambda: at("recheck_detail", of_claims("rechecksample")), ("inspector", "finance")),
    Shown("deputy_list", lambda: at("deputy_list"), ("programme_officer",)),
    Shown("publicity_list", lambda: at("publicity_list"), (ANONYMOUS,)),
    Shown(
        "publicity_detail",
        lambda: at("publicity_detail", of_claims("publicity", closed_at=None)),
        (ANONYMOUS, "programme_officer"),
        important=True,
    ),
    Shown("dunning_list", lambda: at("dunning_list"), ("owner_finance", "firm_admin", "inspector")),
    Shown("prepaid_list", lambda: at("prepaid_list"), ("owner_finance", "firm_admin", "inspector")),
    Shown("provider_news", lambda: at("provider_news"), ("operator", "owner_finance", "inspector")),
    # Organisations
    Shown(
        "organisation_list",
        lambda: at("organisation_list"),
        ("firm_admin", "researcher", *OWNERS, "operator", "newcomer", "unverified_firm"),
    ),
    Shown("organisation_create", lambda: at("organisation_create"), ("newcomer", "operator")),
    Shown("organisation_create", lambda: at("organisation_create", kind="firm"), ("newcomer",), "firm", important=True),
    Shown("organisation_create", lambda: at("organisation_create", kind="team"), ("newcomer",), "team"),
    Shown("organisation_create", lambda: at("organisation_create", kind="owner"), ("newcomer",), "owner"),
    Shown("organisation_create", lambda: at("organisation_create", kind="government"), ("operator",), "government"),
    Shown("organisation_join", lambda: at("organisation_join"), ("newcomer", "researcher")),
    Shown("organisation_detail", lambda: at("organisation_detail", organisation(PERSONAS["lab_manager"])), EVERYBODY),
    Shown(
        "organisation_detail",
        lambda: at("organisation_detail", organisation(PERSONAS["firm_admin"])),
        ("firm_admin", "researcher", *OFFICIALS),
        "firm",
        important=True,
    ),
    Shown(
        "organisation_detail",
        lambda: at("organisation_detail", organisation(PERSONAS["unverified_firm"])),
        ("unverified_firm", "operator"),
        "unverified",
    ),
    Shown("organisation_edit", lambda: at("organisation_edit", organisation(PERSONAS["firm_admin"])), ("firm_admin",)),
    Shown("organisation_edit", lambda: at("organisation_edit", organisation(PERSONAS["lab_manager"])), OWNERS, "owner"),
    Shown(
        "organisation_verify", lambda: at("organisation_verify", organisation(PERSONAS["unverified_firm"])), ("unverified_firm",)
    ),
    Shown("organisation_invite", lambda: at("organisation_invite", organisation(PERSONAS["firm_admin"])), ("firm_admin",)),
    Shown("organisation_suspend", lambda: at("organisation_suspend", organisation(PERSONAS["firm_admin"])), ("operator",)),
    Shown("member_edit", lambda: at("member_edit", organisation(PERSONAS["firm_admin"]), colleague()), ("firm_admin",)),
    Shown("invitation_accept", lambda: at("invitation_accept", stage.INVITATION_TOKEN), ("newcomer",)),
    Shown(
        "invitation_accept", lambda: at("invitation_accept", stage.INVITATION_TOKEN), ("researcher",), "of-another", status=422
    ),
    # Facts of firms, vouchers and the accounts behind programmes
    Shown("eligibility", lambda: at("eligibility"), (ANONYMOUS, "firm_admin")),
    Shown(
        "eligibility",
        lambda: at(
            "eligibility",
            kind="firm",
            staff=12,
            revenue_yuan=1000000,
            region="630104",
            service="instrument_use",
            amount_yuan=30000,
        ),
        (ANONYMOUS,),
        "answered",
        important=True,
    ),
    Shown("eligibility", lambda: at("eligibility", kind="firm", amount_yuan=0), (ANONYMOUS,), "mistyped", status=422),
    Shown(
        "firm_facts", lambda: at("firm_facts", organisation(PERSONAS["firm_admin"])), ("firm_admin", "operator"), important=True
    ),
    Shown("firm_facts", lambda: at("firm_facts", organisation(PERSONAS["lab_manager"])), ("lab_manager",), "of-a-lab"),
    *(
        Shown(
            "firm_declare",
            lambda kind=kind: at("firm_declare", organisation(PERSONAS["firm_admin"]), kind),
            ("firm_admin",),
            kind,
        )
        for kind in ("figures", "place", "label", "controller", "affiliate")
    ),
    Shown(
        "wallet",
        lambda: at("wallet", organisation(PERSONAS["firm_admin"])),
        ("firm_admin", "researcher", "finance"),
        important=True,
    ),
    Shown("voucher_detail", lambda: at("voucher_detail", a_voucher()), ("firm_admin",), important=True),
    Shown("declaration_queue", lambda: at("declaration_queue"), ("operator",), important=True),
    Shown("declaration_decide", lambda: at("declaration_decide", a_declaration(waits=True)), ("operator",), important=True),
    Shown("declaration_decide", lambda: at("declaration_decide", a_declaration(waits=False)), ("operator",), "decided"),
    Shown(
        "income_list",
        lambda: at("income_list", an_income().organisation_id),
        ("owner_finance", "programme_officer"),
        important=True,
    ),
    Shown("income_declare", lambda: at("income_declare", an_income().organisation_id), ("owner_finance",)),
    Shown("income_queue", lambda: at("income_queue"), ("programme_officer",)),
    Shown("income_decide", lambda: at("income_decide", an_income().pk), ("programme_officer",), important=True),
    Shown("credit_lists", lambda: at("credit_lists"), ("operator",)),
    Shown("partner_list", lambda: at("partner_list"), (ANONYMOUS, "programme_officer")),
    Shown("partner_create", lambda: at("partner_create"), ("programme_officer",)),
    Shown("partner_edit", lambda: at("partner_edit", a_partner()), ("programme_officer",)),
    Shown("partner_import", lambda: at("partner_import", a_partner()), ("programme_officer",)),
    Shown("receipt_list", lambda: at("receipt_list"), ("owner_finance", "firm_admin"), important=True),
    Shown("receipt_detail", lambda: at("receipt_detail", a_receipt()), ("firm_admin",)),
    Shown(
        "account_statement_detail",
        lambda: at("account_statement_detail", an_account_statement()),
        ("owner_finance",),
        important=True,
    ),
    Shown("invoice_list", lambda: at("invoice_list"), ("owner_finance", "firm_admin"), important=True),
    Shown("invoice_import", lambda: at("invoice_import"), ("owner_finance",)),
    Shown("bill_invoice", lambda: at("bill_invoice", bill()), ("firm_admin", "owner_finance"), important=True),
    Shown(
        "statement_invoice",
        lambda: at("statement_invoice", lab_statement(invoice_requests__isnull=False)),
        ("finance", "owner_finance"),
    ),
    Shown("ledger_list", lambda: at("ledger_list"), ("finance", "owner_finance"), important=True),
    Shown("ledger_account", lambda: at("ledger_account", a_pool()), ("finance",), important=True),
    Shown("ledger_check", lambda: at("ledger_check"), ("operator", "inspector")),
    Shown("account_list", lambda: at("account_list"), ("finance", "programme_officer", "inspector"), important=True),
    Shown("account_detail", lambda: at("account_detail", a_pool()), ("finance", "inspector"), important=True),
    Shown("account_top_up", lambda: at("account_top_up", a_pool()), ("finance",)),
    Shown("top_up_decide", lambda: at("top_up_decide", a_top_up()), ("programme_officer",)),
    Shown("figure_ask", lambda: at("figure_ask", a_figure().version_id, a_figure().cap_id), ("finance",)),
    Shown("figure_decide", lambda: at("figure_decide", a_figure().pk), ("programme_officer",)),
    Shown("version_end", lambda: at("version_end", an_end().version_id), ("programme_officer",)),
    Shown("version_end_decide", lambda: at("version_end_decide", an_end().pk), ("programme_officer",)),
    Shown("account_suspend", lambda: at("account_suspend", a_pool()), ("finance",)),
    Shown("account_last_day", lambda: at("account_last_day", a_pool()), ("finance",)),
    Shown("account_close", lambda: at("account_close", a_pool()), ("finance",)),
    Shown("opening_load", lambda: at("opening_load"), ("finance",)),
    Shown("announcement_list", lambda: at("announcement_list"), (ANONYMOUS, "firm_admin", "programme_officer"), important=True),
    Shown("announcement_create", lambda: at("announcement_create"), ("programme_officer",), important=True),
    Shown("announcement_detail", lambda: at("announcement_detail", an_announcement()), (ANONYMOUS, "firm_admin"), important=True),
    Shown(
        "announcement_detail",
        lambda: at("announcement_detail", an_announcement(draft=True)),
        ("finance", "programme_officer"),
        "draft",
    ),
    Shown("application_create", lambda: at("application_create", an_announcement()), ("firm_admin",), important=True),
    Shown("application_list", lambda: at("application_list"), ("programme_officer", "finance"), important=True),
    Shown(
        "application_detail",
        lambda: at("application_detail", an_application("applied")),
        ("programme_officer", "firm_admin"),
        important=True,
    ),
    Shown("application_detail", lambda: at("application_detail", an_application("issued")), ("finance", "firm_admin"), "issued"),
    Shown("voucher_redemptions", lambda: at("voucher_redemptions"), ("owner_finance",)),
    Shown("voucher_recognise", lambda: at("voucher_recognise"), ("programme_officer",)),
    Shown("verification_queue", lambda: at("verification_queue"), ("operator",), important=True),
    Shown("verification_decide", lambda: at("verification_decide", licence()), ("operator",), important=True),
    # Samples sent to labs
    Shown("sample_list", lambda: at("sample_list"), ("researcher", "newcomer"), important=True),
    Shown("sample_create", lambda: at("sample_create", sent_item(), samples=3), ("researcher", "newcomer"), important=True),
    Shown("sample_board", lambda: at("sample_board"), ("lab_manager",), important=True),
    Shown("sample_all", lambda: at("sample_all"), ("lab_manager",)),
    Shown("sample_scan", lambda: at("sample_scan"), ("lab_manager",)),
    Shown("sample_at", lambda: at("sample_at", sample_code()), ("lab_manager", "researcher"), important=True),
    Shown("sample_labels", lambda: at("sample_labels", sample_job("accepted")), ("researcher",)),
    Shown("sample_job", lambda: at("sample_job", sample_job("asked")), ("lab_manager", "researcher"), "asked", important=True),
    Shown("sample_job", lambda: at("sample_job", sample_job("preparing")), ("researcher", "lab_manager"), "charge"),
    Shown(
        "sample_job", lambda: at("sample_job", sample_job("reported")), ("researcher", "lab_manager"), "reported", important=True
    ),
    Shown("sample_job", lambda: at("sample_job", sample_job("closed")), ("researcher", "lab_manager", "inspector"), "closed"),
    # Questions to labs, quotations, commission sheets
    Shown("enquiry_list", lambda: at("enquiry_list"), ("researcher", "firm_admin", "newcomer"), important=True),
    Shown("enquiry_inbox", lambda: at("enquiry_inbox"), ("lab_manager",), important=True),
    Shown("enquiry_create", lambda: at("enquiry_create", instrument=instrument().pk), ("researcher", "newcomer")),
    Shown("enquiry_detail", lambda: at("enquiry_detail", thread("open")), ("lab_manager", "researcher", "owner_finance"), "open"),
    Shown(
        "enquiry_detail",
        lambda: at("enquiry_detail", thread("answered")),
        ("researcher", "lab_manager"),
        "answered",
        important=True,
    ),
    Shown("need_create", lambda: at("need_create", q="XRD"), ("researcher",)),
    Shown("need_detail", lambda: at("need_detail", need()), ("researcher", "firm_admin")),
    Shown("quotation_create", lambda: at("quotation_create", thread("open")), ("lab_manager",), important=True),
    Shown("quotation_edit", lambda: at("quotation_edit", drafted_quotation()), ("lab_manager",)),
    Shown("quotation_detail", lambda: at("quotation_detail", drafted_quotation()), ("lab_manager",), "draft"),
    Shown(
        "quotation_detail",
        lambda: at("quotation_detail", quotation("sent")),
        ("researcher", "lab_manager"),
        "sent",
        important=True,
    ),
    Shown("quotation_detail", lambda: at("quotation_detail", quotation("declined")), ("lab_manager",), "declined"),
    Shown("commission_list", lambda: at("commission_list"), ("firm_admin", "lab_manager", "owner_finance", "inspector")),
    Shown(
        "commission_detail",
        lambda: at("commission_detail", commission("issued")),
        ("firm_admin", "researcher", "lab_manager"),
        "issued",
        important=True,
    ),
    Shown(
        "commission_detail",
        lambda: at("commission_detail", commission("in_force")),
        ("lab_manager", "firm_admin", "inspector"),
        "in-force",
    ),
    Shown("commission_detail", lambda: at("commission_detail", open_commission()), ("lab_manager",), "draft"),
    Shown("commission_edit", lambda: at("commission_edit", open_commission()), ("researcher", "lab_manager")),
    # Finding a time
    Shown("find_a_time", lambda: at("find_a_time"), EVERYBODY, important=True),
    Shown("find_a_time", lambda: at("find_a_time", hours="3", sort="cost", who="firm_large"), (ANONYMOUS, "researcher"), "cost"),
    Shown("find_a_time", lambda: at("find_a_time", q="zzzz", region_code="632800"), (ANONYMOUS, "researcher"), "nothing"),
    Shown("find_a_time", lambda: at("find_a_time", hours="much"), ("researcher",), "unreadable", status=422),
    Shown("time_alert_list", lambda: at("time_alert_list"), ("researcher",)),
    # Keys
    Shown("token_list", lambda: at("token_list"), ("researcher", "lab_manager")),
    Shown("token_create", lambda: at("token_create"), ("researcher", "lab_manager")),
    # What is not there
    Shown("not-found", lambda: at("reservation_detail", 999_999_999), ("researcher", "lab_manager"), status=404),
    Shown("not-found", lambda: "/nowhere/", (ANONYMOUS,), "address", status=404),
    Shown("forbidden", lambda: at("approval_inbox"), ("researcher",), status=403),
)


def any_reservation(state: str) -> int:
    from booking.models import Reservation

    return int(Reservation.objects.filter(state=state).latest("starts_at").pk)


def thread(state: str) -> int:
    """A question of the personas' firm about an instrument of the personas' lab."""
    from booking.models import Enquiry

    own = Enquiry.objects.filter(lab_id=organisation(PERSONAS["lab_manager"]), instrument__isnull=False)
    return int(own.filter(organisation_id=organisation(PERSONAS["researcher"]), state=state).earliest("pk").pk)


def need() -> int:
    from booking.models import Need

    return int(Need.objects.earliest("pk").pk)


def quotation(state: str) -> int:
    from billing.models import Quotation

    return int(Quotation.objects.filter(state=state).earliest("pk").pk)


def commission(state: str) -> int:
    from billing.models import CommissionSheet

    return int(CommissionSheet.objects.filter(state=state).earliest("pk").pk)


def _offer() -> int:
    """A new quotation in the answered thread, not sent."""
    from django.utils import timezone

    from billing.ordering.rules.lines import LineInput
    from billing.ordering.services import quotations
    from billing.ordering.services.quotations import QuotationInput

    now, manager = timezone.now(), stage.persona(PERSONAS["lab_manager"])
    lines = (LineInput("other", "2", None, "Grinding", "sample", 5_000),)
    given = QuotationInput("Grinding of two samples", (now + timedelta(days=9)).date(), lines)
    return int(quotations.draft(manager, thread("answered"), given, now, idempotency_key=f"pages-{now.isoformat()}").pk)


def drafted_quotation() -> int:
    from billing.models import Quotation

    known = Quotation.objects.filter(state="draft").first()
    return int(known.pk) if known is not None else _offer()


def open_commission() -> int:
    """A commission sheet that is still being filled in."""
    from django.utils import timezone

    from billing.models import CommissionSheet
    from billing.ordering.services import quotations

    known = CommissionSheet.objects.filter(state="draft").first()
    if known is not None:
        return int(known.pk)
    pk, now = _offer(), timezone.now()
    quotations.send(stage.persona(PERSONAS["lab_manager"]), pk, "", now)
    customer = stage.persona(PERSONAS["researcher"])
    return int(quotations.accept(customer, pk, None, now, idempotency_key=f"pages-{pk}").pk)


def sent_item() -> int:
    """A test item for which samples were sent already."""
    from booking.models import SampleJob

    return int(SampleJob.objects.earliest("pk").resource_id)


def sample_job(state: str) -> int:
    from booking.models import SampleJob

    return int(SampleJob.objects.filter(state=state).earliest("pk").pk)


def sample_code() -> str:
    from booking.models import Sample

    return str(Sample.objects.filter(job_id=sample_job("received")).earliest("position").code)


NOT_PAGES: dict[str, str] = {
    "sample_quote": "a piece of pages",
    "sample_at_step": "POST only",
    "sample_accept": "POST only",
    "sample_refuse": "POST only",
    "sample_step": "POST only",
    "sample_remains": "POST only",
    "sample_extra_propose": "POST only",
    "sample_report": "POST only",
    "sample_cancel": "POST only",
    "sample_accept_quote": "POST only",
    "sample_commission": "POST only",
    "sample_parcel": "POST only",
    "sample_extra_answer": "POST only",
    "sample_object": "POST only",
    "sample_close": "POST only",
    "sample_report_file": "a download",
    "spending_rules": "POST only",
    "group_close": "POST only",
    "group_member_remove": "POST only",
    "fund_card_close": "POST only",
    "leader_agree": "POST only",
    "leader_answer_all": "POST only",
    "leader_decline": "POST only",
    "reservation_card": "POST only",
    "slip_file": "a download",
    "utilisation_file": "a download",
    "utilisation_records": "a download",
    "enquiry_write": "POST only",
    "enquiry_close": "POST only",
    "enquiry_file": "a download",
    "answer_time_set": "POST only",
    "quotation_send": "POST only",
    "quotation_withdraw": "POST only",
    "quotation_accept": "POST only",
    "quotation_decline": "POST only",
    "quotation_pdf": "a download",
    "quotation_retry": "POST only",
    "commission_issue": "POST only",
    "commission_sign": "POST only",
    "commission_scan": "POST only",
    "commission_cancel": "POST only",
    "commission_finish": "POST only",
    "commission_link": "POST only",
    "commission_unlink": "POST only",
    "commission_pdf": "a download",
    "commission_retry": "POST only",
    "commission_scan_file": "a download",
    "robots": "for crawlers",
    "ledger_export": "a download",
    "ledger_codes": "POST only",
    "receipt_issue": "POST only",
    "receipt_progress": "a piece of pages",
    "receipt_retry": "POST only",
    "receipt_download": "a download",
    "account_statement_issue": "POST only",
    "account_statement_progress": "a piece of pages",
    "account_statement_retry": "POST only",
    "account_statement_download": "a download",
    "invoice_export": "a download",
    "invoice_file": "a download",
    "sold_invoice_ask": "POST only",
    "sold_invoice_withdraw": "POST only",
    "sold_invoice_refuse": "POST only",
    "sold_invoice_record": "POST only",
    "invoice_ask": "POST only",
    "invoice_withdraw": "POST only",
    "invoice_refuse": "POST only",
    "invoice_record": "POST only",
    "invoice_red": "POST only",
    "notice_bell": "a piece of pages",
    "notice_open": "leads to what a notice is about",
    "notice_read": "POST only",
    "notices_read": "POST only",
    "channel_forget": "POST only",
    "mail_resend": "POST only",
    "webhook_test": "POST only",
    "webhook_secret": "POST only",
    "webhook_remove": "POST only",
    "webhook_redeliver": "POST only",
    "sitemap": "for crawlers",
    "sitemap_page": "for crawlers",
    "instrument_qr": "a picture",
    "instrument_document": "a download",
    "instrument_picture_add": "POST only",
    "instrument_picture_act": "POST only",
    "instrument_document_add": "POST only",
    "instrument_document_act": "POST only",
    "instrument_publish": "POST only",
    "review_act": "POST only",
    "review_decide": "POST only",
    "resource_review_withdraw": "POST only",
    "resource_review_decide": "POST only",
    "organisation_reviews": "POST only",
    "resource_sheet_apply": "POST only",
    "resource_sheet_download": "a download",
    "resource_sheet_preview": "the page of sheet_preview, with resources instead of instruments",
    "resource_sheet_upload": "POST only",
    "sheet_download": "a download",
    "sheet_upload": "POST only",
    "sheet_apply": "POST only",
    "problem_handle": "POST only",
    "problem_photo": "a picture",
    "rating_give": "POST only",
    "licence_need": "POST only",
    "course_enrol": "POST only",
    "course_session_call_off": "POST only",
    "enrolment_withdraw": "POST only",
    "enrolment_attendance": "POST only",
    "enrolment_result": "POST only",
    "licence_grant": "POST only",
    "licence_act": "POST only",
    "licence_evidence": "a download",
    "recognition_decide": "POST only",
    "recognition_withdraw": "POST only",
    "recognition_evidence": "a download",
    "credit_appeal": "POST only",
    "credit_note": "POST only",
    "appeal_decide": "POST only",
    "access_list_put": "POST only",
    "access_list_end": "POST only",
    "sample_close_out": "POST only",
    "sample_confirm_grade": "POST only",
    "sample_rate": "POST only",
    "rating_answer": "POST only",
    "rating_hide": "POST only",
    "healthz": "JSON for machines",
    "set_language": "POST only",
    "account_set_password": "for accounts without a password; leads to changing it",
    "account_confirm_login_code": "log-in codes are switched off",
    "mfa_authenticate": "the second step of a log-in; test_log_in shows it",
    "mfa_download_recovery_codes": "a download",
    "search_suggest": "a piece of the search field; test_finding shows it",
    "saved_search_create": "POST only",
    "saved_search_change": "POST only",
    "saved_search_delete": "POST only",
    "join_request": "POST only",
    "join_request_decide": "POST only",
    "member_remove": "POST only",
    "invitation_withdraw": "POST only",
    "verification_licence": "a download",
    "declaration_evidence": "a download",
    "income_evidence": "a download",
    "announcement_publish": "POST only",
    "application_evidence": "a download",
    "application_review": "POST only",
    "application_issue": "POST only",
    "application_refuse": "POST only",
    "application_withdraw": "POST only",
    "voucher_return": "POST only",
    "instrument_photo_set": "POST only",
    "instrument_photo": "a picture",
    "instrument_export": "a download",
    "organisation_facility_record": "a download",
    "centre_record": "a download",
    "centre_remove": "POST only",
    "organisation_national_record": "a download",
    "organisation_national_messages": "a download",
    "price_family_create": "POST only",
    "price_members": "POST only",
    "price_discard": "POST only",
    "import_progress": "a piece of the import's page; test_import_with_preview shows it",
    "import_columns": "POST only",
    "import_confirm": "POST only",
    "import_cancel": "POST only",
    "import_read_again": "POST only",
    "import_go_on": "POST only",
    "import_undo": "POST only",
    "import_report": "a download",
    "import_file": "a download",
    "mapping_add": "POST only",
    "mapping_file": "a download",
    "mapping_forget": "POST only",
    "mapping_rename": "POST only",
    "instrument_close": "POST only",
    "instrument_holidays": "POST only",
    "instrument_bring_back": "POST only",
    "maintenance_remove": "POST only",
    "maintenance_plan_add": "POST only",
    "maintenance_plan_next": "POST only",
    "maintenance_plan_remove": "POST only",
    "downtime_decide": "POST only",
    "downtime_prolong": "POST only",
    "downtime_close": "POST only",
    "instrument_reopen": "POST only",
    "instrument_slots": "a piece of the instrument's page; test_pieces shows it",
    "resource_quote": "a piece of the test item's page; test_request_a_data_set shows it",
    "resource_publish": "POST only",
    "resource_request_approve": "POST only",
    "resource_request_refuse": "POST only",
    "resource_request_deliver": "POST only",
    "resource_request_withdraw": "POST only",
    "resource_request_feedback": "POST only",
    "resource_request_file": "a download",
    "time_alert_create": "POST only",
    "time_alert_forget": "POST only",
    "quote_preview": "a piece of the booking form; test_main_job_by_mouse shows it",
    "reservation_accept_quote": "POST only",
    "reservation_calendar": "a download",
    "reservation_again": "leads to the instrument's page",
    "instrument_hold": "POST only",
    "colleague_end": "POST only",
    "wait_accept": "POST only",
    "wait_decline": "POST only",
    "wait_withdraw": "POST only",
    "move_accept": "POST only",
    "move_refuse": "POST only",
    "move_withdraw": "POST only",
    "approval_reasons": "POST only",
    "approval_absence": "POST only",
    "approval_absence_end": "POST only",
    "approval_decide": "POST only; test_inbox_by_keyboard shows what comes of it",
    "approval_take_back": "POST only",
    "approval_samples_decide": "POST only; test_inbox_by_keyboard shows what comes of it",
    "approval_samples_take_back": "POST only",
    "reservation_approve": "POST only",
    "fee_waive": "POST only",
    "reservation_reject": "POST only",
    "session_check_in": "POST only",
    "session_check_out": "POST only",
    "session_no_show": "POST only",
    "problem_attach": "POST only",
    "problem_ignore": "POST only",
    "session_label_code": "a picture on the page of codes",
    "session_label_renew": "POST only",
    "session_label_ticks": "POST only",
    "session_device_revoke": "POST only",
    "commission_charge": "POST only",
    "session_extra_add": "POST only",
    "session_extra_answer": "POST only",
    "usage_agree": "POST only",
    "usage_adjust": "POST only",
    "usage_charge_less": "POST only",
    "usage_answer": "POST only",
    "usage_dispute": "POST only",
    "usage_decide": "POST only",
    "usage_close_out": "POST only",
    "usage_confirm_grade": "POST only",
    "here_start": "POST only",
    "here_extend": "POST only",
    "here_end": "POST only",
    "here_agree": "POST only",
    "here_report": "POST only",
    "here_scan": "leads to here_now; test_check_in_by_phone goes there",
    "reservation_quote_pdf": "a download",
    "programme_draft_step": "POST only",
    "programme_trial_progress": "a piece of the trial's page",
    "programme_trial_cancel": "POST only",
    "programme_trial_resume": "POST only",
    "programme_trial_file": "a download",
    "statement_progress": "a piece of the statement's page; test_main_job_by_mouse shows it",
    "statement_retry": "POST only",
    "bill_progress": "a piece of the bill's page",
    "bill_retry": "POST only",
    "bill_download": "a download",
    "bill_void": "POST only",
    "bill_write_off": "POST only",
    "bill_pay": "POST only",
    "credit_note_progress": "a piece of the credit note's page",
    "credit_note_retry": "POST only",
    "credit_note_download": "a download",
    "claim_act": "POST only",
    "claim_decide": "POST only",
    "claim_evidence": "a download",
    "claim_paper": "a download",
    "claim_paper_again": "POST only",
    "claim_batch_act": "POST only",
    "objection_answer": "POST only",
    "payout_list_make": "POST only",
    "payout_list_sign": "POST only",
    "payout_list_cancel": "POST only",
    "deputy_end": "POST only",
    "recheck_find": "POST only",
    "payout_record": "POST only",
    "payout_record_rest": "POST only",
    "payout_answer": "POST only",
    "clawback_record": "POST only",
    "surplus_decide": "POST only",
    "surplus_send_back": "POST only",
    "surplus_take": "POST only",
    "repayment_decide": "POST only",
    "sample_job_order_number": "POST only",
    "statement_proposal_issue": "POST only",
    "statement_proposal_decline": "POST only",
    "bill_proposal_issue": "POST only",
    "bill_proposal_decline": "POST only",
    "bill_evidence": "a download",
    "claim_pack": "a download",
    "statement_evidence": "a download",
    "month_close": "POST only",
    "month_run_move": "POST only",
    "month_draft_paper": "a download",
    "month_line": "POST only",
    "month_export_start": "POST only",
    "month_export_progress": "a piece of the export's page",
    "month_export_change": "POST only",
    "month_export_file": "a download",
    "payment_give": "POST only",
    "payment_give_certain": "POST only",
    "hand_payment_confirm": "POST only",
    "hand_payment_end": "POST only",
    "hand_payment_evidence": "a download",
    "payment_undo": "POST only",
    "payment_refund": "POST only",
    "provider_news_again": "POST only",
    "provider_news_close": "POST only",
    "provider_difference_again": "POST only",
    "provider_difference_resolve": "POST only",
    "payment_keep": "POST only",
    "bill_dispute": "POST only",
    "bill_dispute_answer": "POST only",
    "reservation_order_number": "POST only",
    "reservation_facts": "POST only",
    "dunning_exempt": "POST only",
    "prepaid_terms": "POST only",
    "prepaid_pay": "POST only",
    "prepaid_withdraw": "POST only",
    "limit_set": "POST only",
    "limit_change": "POST only",
    "limit_close": "POST only",
    "stripe_event": "for the payment service",
    "statement_download": "a download",
    "token_revoke": "POST only",
    "closure_import_report": "a download",
    "subscription_refresh": "POST only",
    "subscription_switch": "POST only",
    "instrument_sharing_end": "POST only",
    "instrument_assistant_remove": "POST only",
    "assistant_absence_remove": "POST only",
    "reservation_assistant": "POST only",
    "subscription_remove": "POST only",
    "instrument_busy": "a calendar for programs",
    "feed_private": "a calendar for programs",
    "feed_revoke": "POST only",
}
BEYOND_ROUTES = {"not-found", "forbidden"}


def routes() -> Iterator[str]:
    """The name of every route of ours that is for people."""
    yield from _walk(get_resolver().url_patterns, "")


def _walk(patterns: list[Any], prefix: str) -> Iterator[str]:
    for each in patterns:
        path = prefix + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from _walk(each.url_patterns, path)
        elif not path.startswith(("api/", "admin/")):
            yield each.name or path
