"""Who may do what at every address of the platform, page and API alike. A route that is not here fails the test with its name.

Roles are those of ``tests.access.world.ROLES``. A rule says who gets an answer (``may``) for an object of our side and for one of
theirs; who *sees* an object without being allowed to act on it is refused with 403, everybody else with 404, as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.access.world import ROLES, World
from tests.access.world_samples import samples_of
from tests.conftest import PRICE

Roles = frozenset[str]
EVERYBODY: Roles = frozenset(ROLES)
PERSONS: Roles = EVERYBODY - {"anonymous"}
NOBODY: Roles = frozenset()


def only(*roles: str) -> Roles:
    unknown = set(roles) - EVERYBODY
    assert not unknown, unknown
    return frozenset(roles)


SUPERVISORS = only("programme_officer", "finance", "inspector")
OFFICIALS = SUPERVISORS | only("operator")
CHECKERS = only("finance", "inspector", "operator")
OFFICER, PAYERS = only("programme_officer"), only("programme_officer", "finance")
CUSTOMERS = only("researcher", "firm_admin")
OWNERS = only("lab_manager", "owner_finance")

#: kind of object -> (who sees ours, who sees theirs). Kinds with a colon are variants of the kind before it.
SEES: dict[str, tuple[Roles, Roles]] = {
    "instrument": (EVERYBODY, EVERYBODY),
    "hidden": (only("lab_manager", "operator"), only("operator")),
    "photo": (only("lab_manager", "operator"), only("operator")),
    "reservation": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
    "consent": (CUSTOMERS, only("foreign")),
    "move": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
    "move_id": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
    "group": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
    "series": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
    "wait": (only("researcher", "lab_manager"), only("foreign")),
    "organisation": (CUSTOMERS | OFFICIALS, OFFICIALS | only("foreign")),
    "member": (CUSTOMERS | OFFICIALS, OFFICIALS | only("foreign")),
    "invitation": (only("firm_admin", "operator"), only("foreign", "operator")),
    "invitation_token": (PERSONS, PERSONS),
    "join_request": (only("firm_admin", "operator"), only("foreign", "operator")),
    "verification": (only("firm_admin", "operator", "inspector"), only("foreign", "operator", "inspector")),
    "token": (only("firm_admin"), only("foreign")),
    "time_alert": (only("firm_admin"), only("foreign")),
    "saved_search": (only("firm_admin"), only("foreign")),
    "saved_search_token": (EVERYBODY, EVERYBODY),
    "notice": (only("firm_admin"), only("foreign")),
    "notice_token": (EVERYBODY, EVERYBODY),
    "delivery": (only("lab_manager", "operator"), only("operator")),
    "webhook": (only("firm_admin"), only("foreign")),
    "webhook_delivery": (only("firm_admin"), only("foreign")),
    "statement": (only("owner_finance") | SUPERVISORS, SUPERVISORS | only("foreign")),
    "statement_proposal": (only("finance", "inspector"), only("finance", "inspector")),
    **dict.fromkeys(
        ("claim", "claim_evidence", "claim_form", "clawback", "repayment", "surplus_refund"),
        (only("owner_finance") | SUPERVISORS, SUPERVISORS | only("foreign")),
    ),
    **dict.fromkeys(
        ("claim_batch", "objection", "payout_list", "payout_line", "recheck_sample", "recheck_item"), (SUPERVISORS, SUPERVISORS)
    ),
    "deputy": (PAYERS | only("inspector"), only("inspector")),
    "bill_proposal": (only("owner_finance", "inspector"), only("inspector")),
    "publicity": (EVERYBODY, EVERYBODY),
    "programme": (EVERYBODY, OFFICIALS),
    "draft": (SUPERVISORS, NOBODY),
    "trial": (SUPERVISORS, NOBODY),
    "closure": (EVERYBODY, EVERYBODY),
    "document": (only("lab_manager", "operator"), only("operator")),
    "picture": (only("lab_manager", "operator"), only("operator")),
    "change": (only("lab_manager", "operator", "inspector"), only("operator", "inspector")),
    "resource_change": (only("lab_manager", "operator", "inspector"), only("operator", "inspector")),
    "problem": (only("researcher", "lab_manager", "operator"), only("foreign", "operator")),
    "sheet": (only("lab_manager", "operator"), only("operator")),
    "centre": (only("lab_manager", "operator"), only("operator")),
    "resource_sheet": (only("lab_manager", "operator"), only("operator")),
    "rating": (EVERYBODY, EVERYBODY),
    "owner": (EVERYBODY, EVERYBODY),
    "site": (EVERYBODY, EVERYBODY),
    "closure_import": (only("lab_manager", "operator"), only("operator")),
    "subscription": (only("lab_manager", "operator"), only("operator")),
    "feed": (only("firm_admin"), only("foreign")),
    "feed_link": (EVERYBODY, EVERYBODY),
    "resource": (EVERYBODY, EVERYBODY),
    "test_item": (EVERYBODY, EVERYBODY),
    "draft_resource": (only("lab_manager", "operator"), only("operator")),
    "resource_request": (CUSTOMERS | only("lab_manager", "inspector"), only("inspector", "foreign")),
    "maintenance": (EVERYBODY, EVERYBODY),
    "downtime": (only("lab_manager"), NOBODY),
    "plan": (only("lab_manager"), NOBODY),
    **dict.fromkeys(("assistant", "absence", "named"), (only("lab_manager", "operator"), only("operator"))),
    "device_key": (only("lab_manager"), NOBODY),
    "run": (only("lab_manager"), NOBODY),
    "code": (only("lab_manager"), NOBODY),
    "scan": (PERSONS, PERSONS),
    "import": (only("lab_manager", "operator"), only("operator")),
    "saved_mapping": (only("lab_manager", "operator"), only("operator")),
    "code_load": (only("operator"), only("operator")),
    "zone": (EVERYBODY, EVERYBODY),
    "course": (EVERYBODY, EVERYBODY),
    "course_session": (EVERYBODY, EVERYBODY),
    **dict.fromkeys(
        ("enrolment", "licence", "recognition", "credit_event", "appeal", "listing"),
        (only("researcher", "lab_manager", "inspector", "operator"), only("foreign", "inspector", "operator")),
    ),
    **dict.fromkeys(("income", "earner"), (OWNERS | SUPERVISORS, SUPERVISORS)),
    "declaration": (only("firm_admin") | OFFICIALS, OFFICIALS | only("foreign")),
    **dict.fromkeys(("application", "voucher"), (CUSTOMERS | SUPERVISORS, SUPERVISORS | only("foreign"))),
    "announcement": (EVERYBODY, OFFICIALS),
    "partner": (EVERYBODY, EVERYBODY),
    "account": (EVERYBODY, EVERYBODY),
    "top_up": (SUPERVISORS, SUPERVISORS),
    "figure": (SUPERVISORS, SUPERVISORS),
    "figure_version": (EVERYBODY, EVERYBODY),
    "version_end": (OFFICIALS, OFFICIALS),
    "session_extra": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
    "receipt": (only("firm_admin", "owner_finance", "inspector"), only("inspector", "foreign")),
    "account_statement": (only("firm_admin", "owner_finance", "inspector"), only("inspector", "foreign")),
    "invoice": (only("firm_admin", "owner_finance", "inspector"), only("inspector", "foreign")),
    "ledger_account": (SUPERVISORS | only("owner_finance"), SUPERVISORS),
    "enquiry": (CUSTOMERS | OWNERS, only("foreign")),
    "enquiry_file": (CUSTOMERS | OWNERS, only("foreign")),
    "need": (CUSTOMERS, only("foreign")),
    "delegation": (only("lab_manager"), NOBODY),
    "quotation": (CUSTOMERS | OWNERS, only("foreign")),
    **dict.fromkeys(
        ("research_group", "research_group_member", "card"),
        (only("researcher", "firm_admin", "inspector"), only("foreign", "inspector")),
    ),
    "leader_approval": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
    "slip": (OWNERS | only("inspector"), only("inspector")),
    "price_family": (OWNERS, NOBODY),
    **dict.fromkeys(
        ("bill", "bill_line", "credit_note", "allocation"),
        (only("firm_admin", "owner_finance", "inspector"), only("inspector", "foreign")),
    ),
    "payment": (only("owner_finance", "inspector"), only("inspector")),
    "hand_entry": (only("owner_finance", "inspector"), only("inspector")),
    **dict.fromkeys(
        ("month_run", "month_draft", "month_line", "month_export"), (only("owner_finance", "inspector"), only("inspector"))
    ),
    "difference": (only("operator", "owner_finance", "inspector"), only("operator", "inspector")),
    "spending_limit": (CUSTOMERS, only("foreign")),
    "provider_event": (only("operator", "inspector"), only("operator", "inspector")),
    "quotation:draft": (OWNERS, NOBODY),
    **dict.fromkeys(
        ("sample_job", "sample_extra", "sample_code"), (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign"))
    ),
    "sample_report": (CUSTOMERS | OWNERS, only("foreign")),
    "commission": (CUSTOMERS | OWNERS, only("foreign")),
    "commission:signed": (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | only("foreign")),
}

OK_GET = frozenset({200})
OK_POST = frozenset({200, 201, 204, 302, 303})
TRIED = OK_POST | {400, 409, 415, 422}
"""For actions whose full input is tested elsewhere: let through to the rules of the action."""


@dataclass(frozen=True)
class Rule:
    """``may``: who gets ``ok`` for an object of ours (or at all, without an object); ``may_theirs`` the same for theirs.

    ``role_first``: the role is looked at before the object, so that others get 403 whatever they ask for. ``public``: visitors are
    not asked to log in but told 404 as others. ``as_form``: the body is no JSON although the route is of the API.
    """

    may: Roles
    may_theirs: Roles = NOBODY
    ok: Roles | frozenset[int] = OK_GET
    role_first: bool = False
    body: Callable[[World], dict[str, Any]] | None = None
    public: bool = False
    as_form: bool = False


@dataclass(frozen=True)
class Route:
    """``kind``: whose ids fill the address; ``params``: their names in the pattern; ``extra``: other parameters.

    ``fragment``: the request comes from htmx.
    """

    methods: dict[str, Rule]
    kind: str = ""
    params: tuple[str, ...] = ("pk",)
    extra: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    fragment: bool = False

    @property
    def sees(self) -> tuple[Roles, Roles]:
        return _sees(self.kind)


def _sees(kind: str) -> tuple[Roles, Roles]:
    return SEES[kind] if kind in SEES else SEES[kind.partition(":")[0]]


def reads(may: Roles = PERSONS, **more: Any) -> Route:
    """A GET without an object."""
    route = {name: more.pop(name) for name in ("query", "extra", "fragment") if name in more}
    return Route({"GET": Rule(may, **more)}, **route)


def reads_object(kind: str, *, post: Rule | None = None, ok: frozenset[int] = OK_GET, public: bool = False, **more: Any) -> Route:
    """A GET for everybody who sees the object."""
    ours, theirs = _sees(kind)
    methods = {"GET": Rule(ours, theirs, ok, public=public)}
    if post is not None:
        methods["POST"] = post
    return Route(methods, kind, **more)


def acts(kind: str, may: Roles, may_theirs: Roles = NOBODY, *, ok: frozenset[int] = OK_POST, **more: Any) -> Route:
    """A POST on an object."""
    route = {name: more.pop(name) for name in ("params", "extra") if name in more}
    return Route({"POST": Rule(may, may_theirs, ok, **more)}, kind, **route)


def form(kind: str, may: Roles, may_theirs: Roles = NOBODY, *, ok: frozenset[int] = TRIED, **more: Any) -> Route:
    """A form on an object: GET shows it, POST sends it."""
    route = {name: more.pop(name) for name in ("params", "extra") if name in more}
    return Route({"GET": Rule(may, may_theirs, **more), "POST": Rule(may, may_theirs, ok, **more)}, kind, **route)


def _because(world: World) -> dict[str, Any]:
    return {"reason": "because"}


def _wait(world: World) -> dict[str, Any]:
    return {
        "instrument": world.cast.xrd.pk,
        "organisation": world.cast.firm.pk,
        "starts_at": "2026-12-01T09:00:00+08:00",
        "ends_at": "2026-12-01T11:00:00+08:00",
        "service_mode": "self_operated",
    }


def _consent(world: World) -> dict[str, Any]:
    return {
        "organisation": world.cast.firm.pk,
        "taker": world.cast.users["zhao"].pk,
        "until_on": world.cast.now.date().isoformat(),
    }


def _tried_by_email(world: World) -> dict[str, Any]:
    return {"starts_at": "2026-12-01T09:00:00Z", "ends_at": "2026-12-01T10:00:00Z", "email": "nobody@x.example"}


def _facts(world: World) -> dict[str, Any]:
    return {"purpose": "Brine"}


def _who_assists(world: World) -> dict[str, Any]:
    return {"assistant": world.objects["assistant"][0]}


def _gives(world: World) -> dict[str, Any]:
    return {"give": [{"reservation": world.objects["reservation:approved"][0], **_who_assists(world)}]}


def _named(world: World) -> dict[str, Any]:
    return {"person": world.cast.users["li"].pk}


def _away(world: World) -> dict[str, Any]:
    return {"starts_at": "2026-12-20T01:00:00Z", "ends_at": "2026-12-20T02:00:00Z"}


def _price_family(world: World) -> dict[str, Any]:
    return {"lab": world.cast.lab.pk, "name": "Another"}


def _times(world: World) -> dict[str, Any]:
    return {"starts_at": "2026-11-27T09:00:00+08:00", "ends_at": "2026-11-27T11:00:00+08:00"}


def _absence(world: World) -> dict[str, Any]:
    return {"deputy": 1, "first_on": "2026-11-26", "last_on": "2026-11-27"}


def _api_draw(world: World) -> dict[str, Any]:
    return {"from_on": "2026-11-01", "until_on": "2026-11-30", "method": "random", "seed": "5", "size": 1}


def _api_found(world: World) -> dict[str, Any]:
    return {"outcome": "confirmed"}


def _api_answered(world: World) -> dict[str, Any]:
    return {"finding": 1, "amount_fen": 0, "reason": "because"}


def _stands_in(world: World) -> dict[str, Any]:
    at = {"office": world.cast.office.pk, "deputy": world.cast.users["sun"].pk}
    return {**at, "from_on": "2026-11-26", "until_on": "2026-11-27", "reason": "away"}


def _answers(world: World) -> dict[str, Any]:
    return {"approvals": [world.objects["leader_approval"][0]], "answer": "agree"}


def _swap(world: World) -> dict[str, Any]:
    return {"other": world.objects["reservation:approved"][0], "reason": "because"}


def _plan(world: World) -> dict[str, Any]:
    return {"name": "Lamp", "kind": "consumables", "every_months": 6, "duration_minutes": 60}


def _outage(world: World) -> dict[str, Any]:
    return {"kind": "service", "starts_at": "2026-12-30T09:00:00+08:00", "ends_at": "2026-12-30T11:00:00+08:00"}


def _ask(world: World) -> dict[str, Any]:
    return {**_preview(world), "service_mode": "self_operated"}


def _preview(world: World) -> dict[str, Any]:
    return {"instrument": world.cast.xrd.pk, "organisation": world.cast.firm.pk, **_times(world)}


def _series(world: World) -> dict[str, Any]:
    times = {"starts": "2026-12-10T09:00", "ends": "2026-12-10T11:00", "count": 2}
    return {"instrument": world.cast.xrd.pk, "organisation": world.cast.firm.pk, "service_mode": "self_operated", **times}


def _group(world: World) -> dict[str, Any]:
    """Of the two labs one instrument each, on a day on which nothing else happens."""
    times = {"starts_at": "2026-12-12T09:00:00+08:00", "ends_at": "2026-12-12T11:00:00+08:00", "service_mode": "self_operated"}
    places = [{"instrument": one.pk, **times} for one in (world.cast.xrd, world.other_instrument)]
    return {"organisation": world.cast.firm.pk, "places": places}


def _series_asked(world: World) -> dict[str, Any]:
    pick = {"ordinal": 1, "starts_at": "2026-12-10T09:00:00+08:00", "ends_at": "2026-12-10T11:00:00+08:00"}
    return {**_series(world), "picks": [pick]}


def _series_back(world: World) -> dict[str, Any]:
    return {"step": "cancel", "scope": "all", "anchor": 1, "reason": "The tube is broken"}


def _statement(world: World) -> dict[str, Any]:
    return {"programme_version": world.versions["DEMO-QH-V"].pk, "payee": world.cast.lab.pk, "month": "2026-10"}


def _issue(world: World) -> dict[str, Any]:
    return {"version": world.versions["DEMO-QH-V"].pk, "payee": world.cast.lab.pk, "month": "2026-10", "key": "k"}


def _instrument(world: World) -> dict[str, Any]:
    return {"site_id": world.cast.site.pk, "name": "New diffractometer"}


def _licence(world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("licence.pdf", b"%PDF-1.4 licence")}


def _resource(world: World) -> dict[str, Any]:
    return {"organisation_id": world.cast.lab.pk, "kind": "dataset", "name": "New data"}


def _application(world: World) -> dict[str, Any]:
    seen = {"terms_accepted": True, "terms_seen": "of another text"}
    return {"resource_id": world.objects["resource"][0], "organisation_id": world.cast.firm.pk, "purpose": "to see", **seen}


def _samples(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.firm.pk, "samples": 3}


def _visit(world: World) -> dict[str, Any]:
    return {"mode": "visit", "note": "Friday at nine"}


def _rating(world: World) -> dict[str, Any]:
    return {"rating": 5}


def _question(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.firm.pk, "subject": "s", "text": "t", "instrument": world.cast.xrd.pk}


def _need(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.firm.pk, "subject": "s", "text": "t", "labs": [world.cast.lab.pk]}


def _message(world: World) -> dict[str, Any]:
    return {"text": "and then?", "key": KEY}


def _offer(world: World) -> dict[str, Any]:
    line = {"kind": "other", "description": "All of it", "quantity": "1", "unit_price_fen": 100}
    return {"title": "An offer", "valid_until": "2026-12-20", "lines": [line]}


def _sheet(world: World) -> dict[str, Any]:
    return {"confidentiality": "ordinary", "report_form": "paper", "sample_handling": "return"}


def _signed(world: World) -> dict[str, Any]:
    return {"sha256": "0" * 64}


def _sealed(world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("sealed.pdf", b"%PDF-1.4 sealed")}


def _link(world: World) -> dict[str, Any]:
    return {"reservation": world.objects["reservation:agreed"][0]}


def _ticks(world: World) -> dict[str, Any]:
    return {"ticks": []}


def _longer(world: World) -> dict[str, Any]:
    return {"ends_at": "2026-11-23T12:00:00+08:00"}


def _decision(world: World) -> dict[str, Any]:
    return {"decision": "nothing", "reason": "because"}


def _device_key(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.lab.pk, "instrument": world.cast.xrd.pk, "name": "PC"}


def _attach(world: World) -> dict[str, Any]:
    return {"reservation": world.objects["reservation:over"][0]}


def _entry(world: World) -> dict[str, Any]:
    span = {"starts_at": "2026-11-22T00:00:00+08:00", "ends_at": "2026-11-22T01:00:00+08:00"}
    who = {"organisation": world.cast.firm.pk, "person": world.cast.users["lin"].pk, "service_mode": "self_operated"}
    return {**span, **who, "evidence": "log", "reason": "because"}


def _late(world: World) -> dict[str, Any]:
    return {**_entry(world), "instrument": world.cast.xrd.pk}


def _trial(world: World) -> dict[str, Any]:
    days = {"first_on": "2026-10-01", "last_on": "2026-11-01"}
    return {"what": f"version:{world.versions['DEMO-QH-V'].pk}", **days, "rate_step": "10", "cap_step": "20"}


def _api_trial(world: World) -> dict[str, Any]:
    return {"version": world.versions["DEMO-QH-V"].pk, "first_on": "2026-10-01", "last_on": "2026-11-01"}


def reason(world: World) -> dict[str, Any]:
    return {"reason": "because"}


def _sample_job(world: World) -> dict[str, Any]:
    place = {"resource": world.objects["test_item"][0], "organisation": world.cast.firm.pk}
    return {**place, "samples": 1, "arrive_on": "2026-12-01"}


def _sample_step(world: World) -> dict[str, Any]:
    return {"samples": samples_of(world, "sample_job:accepted"), "step": "receive"}


def _sample_remains(world: World) -> dict[str, Any]:
    return {"samples": samples_of(world, "sample_job:tested"), "remains": "discarded"}


def _commission(world: World) -> dict[str, Any]:
    return {"sheet": world.objects["commission:signed"][0]}


def _parcel(world: World) -> dict[str, Any]:
    return {"direction": "to_lab", "carrier": "SF", "number": "1"}


def _line_charge(world: World) -> dict[str, Any]:
    return {"line": 1, "quantity": "1", "reservation": world.objects["reservation:over"][0]}


def _extra(world: World) -> dict[str, Any]:
    return {"kind": "extra", "words": "More", "amount_fen": 100}


def _report(world: World) -> dict[str, Any]:
    return {"report": SimpleUploadedFile("report.pdf", b"%PDF-1.4 report")}


def _withdrawn(world: World) -> dict[str, Any]:
    return {"act": "withdraw", "reason": "because"}


def _write_off(world: World) -> dict[str, Any]:
    return {"act": "propose", "reason": "because"}


def _came_back_by_form(world: World) -> dict[str, Any]:
    return {"amount": "0.01", "received_on": "2026-11-23", "key": str(uuid4())}


def _sent_back(world: World) -> dict[str, Any]:
    return {"act": "send_back", "reason": "because"}


def _gathered(world: World) -> dict[str, Any]:
    return {"act": "gather"}


def _answered(world: World) -> dict[str, Any]:
    return {"upheld": "no", "answer": "because"}


def _looked_at(world: World) -> dict[str, Any]:
    return {"expected_fen": 1}


def _left_out(world: World) -> dict[str, Any]:
    return {"position": 1, "standing": "postponed", "reason": "because"}


def _paid_out(world: World) -> dict[str, Any]:
    return {"paid_fen": 1, "paid_on": "2026-12-02"}


def _come_back(world: World) -> dict[str, Any]:
    return {"amount_fen": 1, "received_on": "2026-11-23"}


def _surplus_sent_back(world: World) -> dict[str, Any]:
    return {"amount_fen": 1, "paid_on": "2026-11-23", "reference": "B1"}


def _sent_back_by_form(world: World) -> dict[str, Any]:
    return {"amount": "0.01", "paid_on": "2026-11-23", "reference": "B1", "key": str(uuid4())}


def _for_another(world: World) -> dict[str, Any]:
    return {"clawback": world.objects["clawback"][0]}


def _taken_for_it(world: World) -> dict[str, Any]:
    return {"repayment": world.objects["repayment"][0]}


def _confirmed_back(world: World) -> dict[str, Any]:
    return {"act": "confirm"}


def _office_list(world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("list.csv", b"date,credit,debit\n2026-11-21,1,")}


def _claim_batch(world: World) -> dict[str, Any]:
    days = {"from_on": "2026-09-01", "until_on": "2026-09-30", "opens_on": "2026-11-20", "closes_on": "2026-11-30"}
    return {"programme": world.versions["DEMO-QH-V"].programme_id, "mode": "deducted_now", "fund_year": 2026, "key": KEY, **days}


def _api_claim_batch(world: World) -> dict[str, Any]:
    return {name: value for name, value in _claim_batch(world).items() if name != "key"}


def _bill_asked(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, "until_on": "2026-11-20"}


def _bill_form(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, "until": "2026-11-20", "key": "k"}


def _credit_asked(world: World) -> dict[str, Any]:
    return {"position": 1, "amount_fen": 1, "reason_code": "other", "reason": "because"}


def _invoice_asked(world: World) -> dict[str, Any]:
    return {"title": "Gaoyuan", "buyer_code": "91630100MA00000151", "kind": "ordinary", "email": "a@example.com"}


def _invoice_table(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "file": SimpleUploadedFile("t.csv", b"bill,number")}


def _evidence(world: World) -> dict[str, Any]:
    return {"kind": "report", "file": SimpleUploadedFile("r.pdf", b"%PDF-1.4 x")}


def _invoice_of_line(world: World) -> dict[str, Any]:
    return {"position": 1, "invoice_number": "26632000000000000001"}


def _receipt_asked(world: World) -> dict[str, Any]:
    return {"payment": world.objects["payment"][0], "customer": world.cast.firm.pk}


def _invoice(world: World) -> dict[str, Any]:
    amounts = {"net_fen": 100, "tax_fen": 6, "total_fen": 106}
    codes = {"buyer_code": "91630100MA00000151", "seller_code": "12630000000000123E"}
    return {"bill": world.objects["bill"][0], "number": "26632000000000000001", "issued_on": "2026-11-20", **codes, **amounts}


def _given(world: World) -> dict[str, Any]:
    return {"bill": world.objects["bill"][0], "amount_fen": 1}


def _matches(world: World) -> dict[str, Any]:
    return {"matches": [{"payment": world.objects["payment"][0], **_given(world)}]}


def _paid_in_full(world: World) -> dict[str, Any]:
    return {"lines": [world.objects["payout_line"][0]], "paid_on": "2026-12-20"}


def _treasury_answer(world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("answer.csv", b"line,amount,day\n1,0.01,2026-12-20")}


def _given_form(world: World) -> dict[str, Any]:
    return {"bill": world.objects["bill"][0], "amount": "0.01"}


def _refunded(world: World) -> dict[str, Any]:
    return {"amount_fen": 1, "reason": "because"}


def _refunded_form(world: World) -> dict[str, Any]:
    return {"amount": "0.01", "reason": "because"}


def _voucher_asked(world: World) -> dict[str, Any]:
    scan = SimpleUploadedFile("plan.pdf", b"%PDF-1.4 plan")
    return {"organisation": world.cast.firm.pk, "quota": 1, "asked_fen": 1, "purpose": "p", "file": scan}


def _income_declared(world: World) -> dict[str, Any]:
    return {"year": 2024, "income_fen": 7, "file": SimpleUploadedFile("report.pdf", b"%PDF-1.4 report")}


def _nothing_received(world: World) -> dict[str, Any]:
    return {"position": 1, "other_subsidies": 0}


def _figures_declared(world: World) -> dict[str, Any]:
    return {"kind": "figures", "year": 2025, "staff": 7, "file": SimpleUploadedFile("report.pdf", b"%PDF-1.4 report")}


def _kept_form(world: World) -> dict[str, Any]:
    return {"customer": world.cast.firm.pk, "amount": "0.01"}


def _codes(world: World) -> dict[str, Any]:
    return {"codes": "receivable = 1122"}


def _codes_form(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.lab.pk, "codes": "receivable = 1122"}


def _order_number(world: World) -> dict[str, Any]:
    return {"number": "PO-1"}


def _amount_form(world: World) -> dict[str, Any]:
    return {"amount": "5000"}


def _exempt_form(world: World) -> dict[str, Any]:
    return {"pair": f"{world.cast.lab.pk}:{world.cast.firm.pk}", "until": world.cast.now.date().isoformat(), "reason": "because"}


def _terms_form(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, "asks": "no", "reason": "because"}


def _withdraw_form(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, "amount": "0.01", "reason": "because"}


def _limit_form(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.firm.pk, "project": "Salt", "amount": "500", "until": "2026-12-31"}


def _month_asked(world: World) -> dict[str, Any]:
    return {"series": f"bills:{world.cast.lab.pk}", "month": "2025-01"}


def _terms_asked(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, "asks": False, "reason": "because"}


def _withdraw_asked(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, "amount_fen": 1, "reason": "because"}


def _paid_ahead(world: World) -> dict[str, Any]:
    sides = {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk}
    return {**sides, "amount_fen": 500_00, "back_url": "https://jishi.example/prepaid/"}


def _paid_ahead_form(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, "amount": "500"}


def _deposited(world: World) -> dict[str, Any]:
    return {"customer": world.cast.firm.pk, "amount_fen": 1}


def _limit_asked(world: World) -> dict[str, Any]:
    days = {"valid_from": "2026-11-01", "valid_until": "2026-12-31"}
    return {"organisation": world.cast.firm.pk, "project": "Salt", "limit_fen": 500_00, **days}


def _limit_changed(world: World) -> dict[str, Any]:
    return {"limit_fen": 5000_00}


def _exempted(world: World) -> dict[str, Any]:
    sides = {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk}
    return {**sides, "until_on": world.cast.now.date().isoformat(), "reason": "because"}


def _account_asked(world: World) -> dict[str, Any]:
    days = {"first_on": "2026-11-01", "last_on": "2026-11-20"}
    return {"owner": world.cast.lab.pk, "customer": world.cast.firm.pk, **days}


def _bank_list(world: World) -> dict[str, Any]:
    return {"owner": world.cast.lab.pk, "file": SimpleUploadedFile("list.csv", b"date,credit,debit\n2026-11-21,1,")}


def _by_hand(world: World) -> dict[str, Any]:
    file = SimpleUploadedFile("slip.pdf", b"%PDF-1.4 slip")
    said = {"way": "cash", "amount_fen": 1, "received_on": "2026-11-21", "payer_name": "Gaoyuan", "reference": "R-77"}
    return {"owner": world.cast.lab.pk, **said, "file": file}


def _promised(world: World) -> dict[str, Any]:
    return {"promised_on": "2026-12-10"}


def _course(world: World) -> dict[str, Any]:
    return {"title": "A course", "level": "self"}


def _new_course(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.lab.pk, **_course(world)}


def _session(world: World) -> dict[str, Any]:
    return {**_times(world), "place": "Room 2", "places": 3}


def _grant(world: World) -> dict[str, Any]:
    return {"instrument": world.cast.xrd.pk, "email": "out@example.org", "level": "self", "reference": "seen"}


def _note(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.lab.pk, "email": "out@example.org", "points": -1, "note": "seen"}


def _listing(world: World) -> dict[str, Any]:
    return {"organisation": world.cast.lab.pk, "verdict": "deny", "reason": "seen", "email": "out@example.org"}


def _proof(world: World) -> dict[str, Any]:
    return {"level": "self", "statement": "Years", "file": SimpleUploadedFile("proof.pdf", b"%PDF-1.4 proof")}


def _rules(world: World) -> dict[str, Any]:
    return {"document": {"start_points": 100}}


def _text(world: World) -> dict[str, Any]:
    return {"text": "because"}


def _research_group(world: World) -> dict[str, Any]:
    return {"name": "New", "leader": world.cast.users["lin"].pk}


def _member_days(world: World) -> dict[str, Any]:
    return {"from_on": "2026-11-01"}


def _card(world: World) -> dict[str, Any]:
    return {"number": "New 1", "title": "New", "valid_from": "2026-01-01", "valid_until": "2026-12-31"}


def _other_card(world: World) -> dict[str, Any]:
    return {"fund_card": world.objects["card:other"][0]}


def _needed(world: World) -> dict[str, Any]:
    return {"needed": "yes"}


KEY = "0b0c0d0e-0000-4000-8000-000000000001"
LAB = only("lab_manager")
BILLING = only("owner_finance")
MONTHS = only("owner_finance", "finance")


def _old_month(world: World) -> dict[str, Any]:
    return {"month": "2025-01"}


def _handed_over(world: World) -> dict[str, Any]:
    return {"move": "hand_over"}


def _postponed(world: World) -> dict[str, Any]:
    return {"how": "postpone", "reason": "because"}


def _resumed(world: World) -> dict[str, Any]:
    return {"how": "resume"}


EITHER = CUSTOMERS | LAB, only("foreign")
"""Who writes in a thread and fills in a commission sheet."""
SIGNATORIES = only("firm_admin", "lab_manager"), only("foreign")
KEEPERS = LAB | only("operator"), only("operator")
"""Of instruments."""
ADMINISTRATORS = only("firm_admin"), only("foreign")
"""Of customers."""
PAYEES = only("firm_admin", "owner_finance", "foreign")

API: dict[str, Route] = {
    "api_schema": reads(EVERYBODY),
    "api_unknown": Route({"GET": Rule(EVERYBODY, ok=frozenset({404})), "POST": Rule(EVERYBODY, ok=frozenset({404}))},
                         extra={"path": "nothing/"}),
    "api_me": Route({"GET": Rule(PERSONS), "PATCH": Rule(PERSONS, body=lambda world: {"language": "en"})}),
    "api_open_catalogue": reads(EVERYBODY),
    "api_open_resources": reads(EVERYBODY, extra={"name": "test-items", "layout": "csv"}),
    "api_open_data": reads(EVERYBODY, extra={"layout": "csv"}),
    "api_feed": reads(query="?date=2026-11-25"),
    "api_instrument_slots": reads_object("hidden", public=True),
    "api_instrument_price": reads_object(
        "hidden", public=True, post=Rule(only("lab_manager"), NOBODY, OK_POST, body=lambda world: {"document": PRICE})
    ),
    "api_reservations": Route({"GET": Rule(PERSONS), "POST": Rule(CUSTOMERS, ok=OK_POST, body=_ask, role_first=True)}),
    "api_reservation": reads_object("reservation:agreed"),
    "api_reservation_cancel": acts("reservation:requested", only("researcher", "firm_admin", "lab_manager"), only("foreign"),
                                   body=reason),
    "api_booking_rules": Route({"GET": Rule(LAB), "PUT": Rule(LAB, body=lambda world: {"said": {"notice_minutes": 60}})}, "owner"),
    "api_instrument_booking_rules": Route({"GET": Rule(LAB)}, "hidden"),
    "api_instrument_customers": Route({"POST": Rule(LAB, ok=TRIED, body=lambda world: {"q": "Gaoyuan"})}, "hidden"),
    "api_instrument_booking_rules_trial": Route(
        {"GET": Rule(LAB)}, "hidden", query="?starts_at=2026-12-01T09:00:00Z&ends_at=2026-12-01T10:00:00Z"
    ),
    "api_instrument_booking_rules_trial_by_email": Route({"POST": Rule(LAB, ok=TRIED, body=_tried_by_email)}, "hidden"),
    "api_reservation_changes": Route(
        {"GET": Rule(*SEES["reservation"]), "POST": Rule(CUSTOMERS | LAB, only("foreign"), TRIED, body=_times)}, "reservation:approved"
    ),
    "api_reservation_changes_look": acts("reservation:approved", *SEES["reservation"], ok=TRIED, body=_times),
    # What is ours is refused as one and the same; theirs would be swapped with ours, which is not there for them.
    "api_reservation_swap": acts("reservation:approved", CUSTOMERS | LAB, only("foreign"), ok=TRIED | {404}, body=_swap),
    "api_reservation_swap_look": acts("reservation:approved", CUSTOMERS | LAB, only("foreign"), ok=TRIED | {404},
                                      body=lambda world: {"other": world.objects["reservation:approved"][0]}),
    "api_booking_consents": Route({"GET": Rule(PERSONS), "POST": Rule(CUSTOMERS, ok=TRIED, body=_consent, role_first=True)}),
    "api_booking_consent_colleagues": Route({"GET": Rule(PERSONS)}),
    "api_booking_consent_end": acts("consent", CUSTOMERS, only("foreign")),
    "api_waiting_list": Route({"GET": Rule(PERSONS), "POST": Rule(CUSTOMERS, ok=TRIED, body=_wait, role_first=True)}),
    "api_waiting_accept": acts("wait", only("researcher"), only("foreign")),
    "api_waiting_decline": acts("wait", only("researcher"), only("foreign")),
    "api_waiting_leave": acts("wait", only("researcher"), only("foreign")),
    "api_reservation_change_accept": acts("move_id", LAB),
    "api_reservation_change_refuse": acts("move_id", LAB, body=reason),
    "api_reservation_change_withdraw": acts("move_id", CUSTOMERS, only("foreign")),
    "api_instrument_downtimes": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED, body=_outage)}, "hidden"),
    "api_instrument_downtime_hits": Route(
        {"GET": Rule(LAB)}, "hidden", query="?starts_at=2026-12-01T09:00:00Z&ends_at=2026-12-01T10:00:00Z"
    ),
    "api_instrument_facility": Route(
        {"GET": Rule(*KEEPERS), "PATCH": Rule(*KEEPERS, body=lambda world: {"abbreviation": "PSF"})}, "hidden"
    ),
    "api_instrument_facility_end": acts("hidden", *KEEPERS, ok=TRIED, body=lambda world: {"seen": "2026-11-23T09:00:00Z"}),
    "api_instrument_assistants": Route({"GET": Rule(*KEEPERS), "POST": Rule(*KEEPERS, TRIED, body=_named)}, "hidden"),
    "api_instrument_assistant_remove": acts("hidden", *KEEPERS, ok=TRIED | {404}, body=_who_assists),
    "api_assisting": reads(PERSONS, ok=OK_GET | {404}),
    "api_unassisted": Route(
        {
            "GET": Rule(LAB),
            "POST": Rule(LAB, ok=TRIED, role_first=True, body=_gives),
        }
    ),
    "api_assistant": reads_object("assistant"),
    "api_assistant_hours": Route({"PUT": Rule(*KEEPERS, TRIED, body=lambda world: {"windows": []})}, "assistant"),
    "api_assistant_absences": acts("assistant", *KEEPERS, ok=TRIED, body=_away),
    "api_assistant_absence_remove": acts("assistant", *KEEPERS, ok=TRIED | {404}, body=lambda world: {"absence": 1}),
    "api_reservation_assistant": acts("reservation:approved", LAB, ok=TRIED, body=_who_assists),
    "api_instrument_sharing": Route(
        {"GET": Rule(*KEEPERS), "POST": Rule(*KEEPERS, TRIED, body=lambda world: {"other": world.objects["hidden"][0]})}, "hidden"
    ),
    "api_instrument_sharing_preview": Route({"GET": Rule(*KEEPERS, TRIED)}, "hidden", query="?other={instrument}"),
    "api_instrument_sharing_end": acts("hidden", *KEEPERS, ok=TRIED),
    "api_maintenance_plans": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED, body=_plan)}, "hidden"),
    "api_maintenance_plan_next": acts("plan", LAB, ok=TRIED),
    "api_maintenance_plan_remove": acts("plan", LAB),
    "api_downtime": reads_object("downtime"),
    "api_downtime_decide": acts("downtime", LAB, ok=TRIED, body=lambda world: {"decisions": [{"reservation": 1, "choice": "keep"}]}),
    "api_downtime_prolong": acts("downtime", LAB, body=lambda world: {"ends_at": "2026-12-29T12:00:00+08:00"}),
    "api_downtime_close": acts("downtime", LAB),
    "api_timeline": reads(LAB, query="?date=2026-11-25"),
    "lab_timeline": reads(LAB),
    "api_inbox": reads(LAB),
    "api_service_records": Route({"GET": Rule(OWNERS)}, "owner"),
    "api_utilisation": Route({"GET": Rule(OWNERS | OFFICIALS, OFFICIALS)}, "owner"),
    "api_inbox_rivals": Route({"POST": Rule(LAB, body=lambda world: {"reservations": [1]})}),
    "api_inbox_decisions": Route({"POST": Rule(LAB, body=lambda world: {"reservations": [1], "decision": "approve"})}),
    "api_reservation_take_back": acts("reservation:requested", LAB, ok=TRIED),
    "api_reservation_facts": acts("reservation:approved", CUSTOMERS | LAB, only("foreign"), ok=TRIED, body=_facts),
    "api_reservation_approve": acts("reservation:requested", LAB),
    "api_reservation_reject": acts("reservation:requested", LAB, body=reason),
    "api_reservation_check_in": acts("reservation:approved", LAB, ok=TRIED),
    "api_reservation_check_out": acts("reservation:in_use", LAB),
    "api_reservation_usage": reads_object("reservation:agreed"),
    "api_reservation_start": acts("reservation:approved", CUSTOMERS, only("foreign"), ok=TRIED, body=_ticks),
    "api_reservation_end": acts("reservation:in_use", CUSTOMERS, only("foreign")),
    "api_reservation_extend": acts("reservation:in_use", CUSTOMERS, only("foreign"), ok=TRIED, body=_longer),
    "api_reservation_extras": Route(
        {"GET": Rule(*SEES["reservation"]),
         "POST": Rule(LAB, ok=OK_POST, body=lambda world: {"words": "cell", "rate_fen": 500, "quantity": 1})}, "reservation:over",
    ),
    "api_session_extra_agree": acts("session_extra", CUSTOMERS, only("foreign"), ok=TRIED),
    "api_session_extra_decline": acts("session_extra", CUSTOMERS, only("foreign"), ok=TRIED),
    "api_session_extra_withdraw": acts("session_extra", LAB, ok=TRIED),
    "api_reservation_agree": acts("reservation:over", CUSTOMERS | LAB, only("foreign")),
    "api_reservation_confirm_usage": acts("reservation:over", CUSTOMERS | LAB, only("foreign")),
    "api_reservation_adjust": acts("reservation:over", CUSTOMERS, only("foreign"), body=reason),
    "api_reservation_dispute": acts("reservation:over", CUSTOMERS, only("foreign"), body=reason),
    "api_reservation_extend_for_customer": acts(
        "reservation:in_use", LAB, ok=TRIED, body=lambda world: {**_longer(world), "reason": "They called."}
    ),
    "api_reservation_charge_less": acts(
        "reservation:over", LAB, body=lambda world: {"starts_at": None, "ends_at": None, "reason": "because"}
    ),
    "api_reservation_accept_adjustment": acts("reservation:adjusting", LAB),
    "api_reservation_refuse_adjustment": acts("reservation:adjusting", LAB, body=lambda world: {"answer": "because"}),
    "api_reservation_decide": acts("reservation:disputed", OWNERS, ok=TRIED, body=_decision),
    "api_close_out": Route({"PUT": Rule(LAB, ok=OK_POST, body=lambda world: {"retests": 1})}, "reservation:over"),
    "api_close_out_confirm": acts("reservation:graded", OWNERS, ok=TRIED),
    "api_check_in_proofs": Route({"POST": Rule(PERSONS, body=lambda world: {"code": world.objects["scan"][0]})}),
    "api_device_events": Route({"POST": Rule(EVERYBODY, ok=frozenset({401}))}),
    "api_device_keys": Route({"GET": Rule(PERSONS), "POST": Rule(LAB, ok=OK_POST, role_first=True, body=_device_key)}),
    "api_device_key_revoke": acts("device_key", LAB),
    "api_usage_problems": reads(),
    "api_usage_problem_attach": acts("run", LAB, ok=TRIED, body=_attach),
    "api_usage_problem_enter": acts("run", LAB, ok=TRIED, body=_entry),
    "api_usage_problem_ignore": acts("run", LAB, body=reason),
    "api_late_sessions": Route({"POST": Rule(LAB, ok=TRIED, role_first=True, body=_late)}),
    "api_reservation_no_show": acts("reservation:missed", LAB),
    "api_reservation_accept_quote": acts("reservation:waiting", CUSTOMERS, only("foreign")),
    "api_find_a_time": reads(EVERYBODY, query="?minutes=120"),
    "api_group_create": Route({"POST": Rule(CUSTOMERS, ok=TRIED, body=_group, role_first=True)}),
    "api_group_report": Route({"POST": Rule(CUSTOMERS, body=_group, role_first=True)}),
    "api_group": reads_object("group"),
    "api_series_create": Route({"POST": Rule(CUSTOMERS, ok=TRIED, body=_series_asked, role_first=True)}),
    "api_series_report": Route({"POST": Rule(CUSTOMERS, body=_series, role_first=True)}),
    "api_series": reads_object("series"),
    "api_series_change_report": acts("series", CUSTOMERS | LAB, only("foreign"), body=_series_back),
    "api_series_change": acts(
        "series",
        CUSTOMERS | LAB,
        only("foreign"),
        ok=TRIED,
        body=lambda world: {**_series_back(world), "picks": [{"ordinal": 1, "outcome": "cancelled"}]},
    ),
    "api_quote_preview": Route({"POST": Rule(CUSTOMERS, body=_preview, role_first=True)}),
    "api_programmes": reads(EVERYBODY),
    "api_programme": reads_object("programme", params=("code",)),
    "api_programme_evaluate": Route(
        {"POST": Rule(EVERYBODY, body=lambda world: {"programme": "DEMO-QH-A", "facts": {}})}
    ),
    "api_reservation_fee_waive": acts("reservation:approved", LAB, ok=TRIED, body=lambda world: {"amount_fen": 100, "reason": "Ill."}),
    "api_reservation_quote": reads_object("reservation:approved"),
    "api_reservation_fee": reads_object("reservation:approved"),
    "api_charge": reads_object("reservation:agreed", params=("reservation",)),
    "api_programme_drafts": Route({"GET": Rule(PERSONS), "POST": Rule(OFFICER, ok=TRIED, body=lambda world: {"template": "HE-LF"})}),
    "api_programme_draft": Route(
        {"GET": Rule(SUPERVISORS), "PUT": Rule(OFFICER, ok=TRIED, body=lambda world: {"revision": 1, "document": {}})}, "draft"
    ),
    "api_programme_draft_move_years": acts("draft", OFFICER, ok=TRIED, body=lambda world: {"revision": 1, "years": 1}),
    "api_programme_draft_submit": acts("draft", OFFICER, ok=TRIED, body=lambda world: {"revision": 1}),
    "api_programme_draft_take_back": acts("draft", OFFICER, ok=TRIED),
    "api_programme_draft_send_back": acts("draft", OFFICER, ok=TRIED, body=reason),
    "api_programme_draft_approve": acts("draft", OFFICER, ok=TRIED, body=lambda world: {"revision": 1}),
    "api_programme_draft_drop": acts("draft", OFFICER, ok=TRIED, body=reason),
    "api_programme_trials": Route({"GET": Rule(PERSONS), "POST": Rule(OFFICER, ok=TRIED, body=_api_trial)}),
    "api_programme_trial": reads_object("trial"),
    "api_programme_trial_cancel": acts("trial", OFFICER, ok=TRIED),
    "api_programme_trial_resume": acts("trial", OFFICER, ok=TRIED),
    "api_statements": Route({"GET": Rule(SUPERVISORS | PAYEES, role_first=True),
                             "POST": Rule(only("finance"), ok=TRIED, body=_statement, role_first=True)}),
    "api_statement": reads_object("statement"),
    "api_statement_proposals": Route(
        {"GET": Rule(PERSONS), "POST": Rule(only("finance"), ok=TRIED, body=_statement, role_first=True)}
    ),
    "api_statement_proposal": reads_object("statement_proposal"),
    "api_statement_proposal_issue": acts("statement_proposal", only("finance"), only("finance"), ok=TRIED, role_first=True),
    "api_statement_proposal_decline": acts(
        "statement_proposal", only("finance"), only("finance"), ok=TRIED, body=reason, role_first=True
    ),
    "api_statement_download": reads_object("statement", extra={"kind": "pdf"}),
    "api_claim_batches": Route({"GET": Rule(PERSONS), "POST": Rule(PAYERS, ok=TRIED, body=_api_claim_batch, role_first=True)}),
    "api_claim_batch": reads_object("claim_batch"),
    "api_claim_batch_gather": acts("claim_batch", PAYERS, PAYERS, ok=TRIED),
    "api_claim_batch_close": acts("claim_batch", PAYERS, PAYERS, ok=TRIED),
    "api_claim_batch_pass_clean": acts("claim_batch", PAYERS, PAYERS, ok=TRIED),
    "api_claim_batch_publicise": acts("claim_batch", PAYERS, PAYERS, ok=TRIED),
    "api_claim_batch_approve_all": acts("claim_batch", PAYERS, PAYERS, ok=TRIED),
    "api_claim_batch_make_list": acts("claim_batch", only("finance"), only("finance"), ok=TRIED),
    "api_claims": reads(),
    "api_claim": reads_object("claim"),
    "api_claim_submit": acts("claim", BILLING, only("foreign"), ok=TRIED, body=_looked_at),
    "api_claim_withdraw": acts("claim", BILLING, only("foreign"), ok=TRIED, body=reason),
    "api_claim_pass_on": acts("claim", OFFICER, OFFICER, ok=TRIED),
    "api_claim_send_back": acts("claim", OFFICER, OFFICER, ok=TRIED, body=reason),
    "api_claim_reject": acts("claim", OFFICER, OFFICER, ok=TRIED, body=reason),
    "api_office_deputies": Route({"GET": Rule(PERSONS), "POST": Rule(PAYERS, ok=TRIED, body=_stands_in, role_first=True)}),
    "api_office_deputy_end": acts("deputy", PAYERS, ok=TRIED, role_first=True),
    "api_office_work": reads(),
    "api_claim_evidence": Route(
        {"GET": Rule(*SEES["claim"]), "POST": Rule(BILLING, only("foreign"), TRIED, body=_evidence, as_form=True)}, "claim"
    ),
    "api_claim_declarations": Route(
        {"GET": Rule(*SEES["claim"]), "POST": Rule(BILLING, only("foreign"), TRIED, body=_nothing_received, as_form=True)}, "claim"
    ),
    "api_claim_evidence_file": reads_object("claim_evidence"),
    "api_claim_invoice": acts("claim", BILLING, only("foreign"), ok=TRIED, body=_invoice_of_line),
    "api_claim_line": acts("claim", OFFICER, OFFICER, ok=TRIED, body=_left_out),
    "api_clawbacks": reads(),
    "api_repayments": Route(
        {"GET": Rule(*SEES["clawback"]), "POST": Rule(only("finance"), only("finance"), TRIED, body=_come_back)}, "clawback"
    ),
    "api_repayment_confirm": acts("repayment", only("finance"), only("finance"), ok=TRIED),
    "api_repayment_end": acts("repayment", only("finance"), only("finance"), ok=TRIED, body=reason),
    "api_surplus_refunds": Route(
        {"GET": Rule(*SEES["repayment"]), "POST": Rule(only("finance"), only("finance"), TRIED, body=_surplus_sent_back)}, "repayment"
    ),
    "api_surplus_move": acts("repayment", only("finance"), only("finance"), ok=TRIED, body=_for_another),
    "api_surplus_refund_confirm": acts("surplus_refund", only("finance"), only("finance"), ok=TRIED),
    "api_surplus_refund_end": acts("surplus_refund", only("finance"), only("finance"), ok=TRIED, body=reason),
    "api_repayment_lists": Route({"POST": Rule(only("finance"), ok=TRIED, body=_office_list, role_first=True, as_form=True)}),
    "api_clawback_download": reads_object("clawback", extra={"kind": "json"}),
    "api_recheck_samples": Route({"GET": Rule(PERSONS), "POST": Rule(only("inspector"), ok=TRIED, body=_api_draw, role_first=True)}),
    "api_recheck_sample": reads_object("recheck_sample"),
    "api_recheck_items": reads_object("recheck_sample"),
    "api_recheck_item_find": acts("recheck_item", only("inspector"), only("inspector"), ok=TRIED, body=_api_found, role_first=True),
    "api_recheck_item_answer": acts("recheck_item", PAYERS, PAYERS, ok=TRIED, body=_api_answered, role_first=True),
    "api_redemption_forms": reads(),
    "api_redemption_form_download": reads_object("claim_form", extra={"kind": "pdf"}),
    "api_payment_lists": reads(),
    "api_payment_list": reads_object("payout_list"),
    "api_payment_list_sign": acts("payout_list", PAYERS, PAYERS, ok=TRIED),
    "api_payment_list_cancel": acts("payout_list", only("finance"), only("finance"), ok=TRIED, body=reason),
    "api_payment_list_download": reads_object("payout_list", ok=TRIED, extra={"kind": "pdf"}),
    "api_payment_list_payouts": acts("payout_list", only("finance"), only("finance"), ok=TRIED, body=_paid_in_full),
    "api_payment_list_answer": acts(
        "payout_list", only("finance"), only("finance"), ok=TRIED, body=_treasury_answer, as_form=True
    ),
    "api_payment_line_record": acts("payout_line", only("finance"), only("finance"), ok=TRIED, body=_paid_out),
    "api_bills": Route({"GET": Rule(PERSONS), "POST": Rule(BILLING, ok=TRIED, body=_bill_asked, role_first=True)}),
    "api_bill": reads_object("bill"),
    "api_bill_download": reads_object("bill", extra={"kind": "pdf"}),
    "api_bill_proposals": Route({"GET": Rule(PERSONS), "POST": Rule(BILLING, ok=TRIED, body=_bill_asked, role_first=True)}),
    "api_bill_proposal": reads_object("bill_proposal"),
    "api_bill_proposal_issue": acts("bill_proposal", BILLING, ok=TRIED),
    "api_bill_proposal_decline": acts("bill_proposal", BILLING, ok=TRIED, body=reason),
    "api_bill_void": acts("bill", BILLING, ok=TRIED, body=reason),
    "api_bill_propose_write_off": acts("bill", BILLING, ok=TRIED, body=reason),
    "api_bill_write_off": acts("bill", BILLING, ok=TRIED),
    "api_bill_decline_write_off": acts("bill", BILLING, ok=TRIED, body=reason),
    "api_bill_take_back": acts("bill", BILLING, ok=TRIED, body=reason),
    "api_bill_credit": acts("bill", BILLING, ok=TRIED, body=_credit_asked),
    "api_credit_note_download": reads_object("credit_note", extra={"kind": "pdf"}),
    "api_invoices": Route(
        {
            "GET": Rule(BILLING | SUPERVISORS | only("firm_admin", "foreign"), role_first=True),
            "POST": Rule(BILLING, ok=TRIED, body=_invoice),
        }
    ),
    "api_invoice_file": reads_object("invoice"),
    "api_invoice_tables": Route({"POST": Rule(BILLING, ok=TRIED, body=_invoice_table, role_first=True, as_form=True)}),
    "api_invoice_ask": acts("bill", only("firm_admin"), only("foreign"), ok=TRIED, body=_invoice_asked),
    "api_sold_invoice_ask": acts("statement", only("finance"), only("finance"), ok=TRIED, body=_invoice_asked),
    "api_payments": reads(BILLING | only("inspector"), role_first=True),
    "api_payment": reads_object("payment"),
    "api_payment_give": acts("payment", BILLING, ok=TRIED, body=_given),
    "api_payments_certain": Route(
        {
            "GET": Rule(BILLING | only("inspector"), role_first=True),
            "POST": Rule(BILLING, ok=TRIED, body=_matches, role_first=True),
        }
    ),
    "api_payment_refund": acts("payment", BILLING, ok=TRIED, body=_refunded),
    "api_hand_payments": Route(
        {
            "GET": Rule(BILLING | only("inspector"), role_first=True),
            "POST": Rule(BILLING, ok=TRIED, body=_by_hand, role_first=True, as_form=True),
        }
    ),
    "api_hand_payment_confirm": acts("hand_entry", BILLING, ok=TRIED),
    "api_hand_payment_end": acts("hand_entry", BILLING, ok=TRIED, body=reason),
    "api_hand_payment_file": reads_object("hand_entry"),
    "api_allocation_undo": acts("allocation", BILLING, ok=TRIED, body=reason),
    "api_bank_statements": Route({"POST": Rule(BILLING, ok=TRIED, body=_bank_list, role_first=True, as_form=True)}),
    "api_month_board": Route({"GET": Rule(MONTHS | only("inspector"), ok=frozenset({200, 404}), role_first=True)},
                             query="?series=bills:{payee}&month=2025-01"),
    "api_month_dry_run": Route({"POST": Rule(BILLING, ok=TRIED, body=_month_asked, role_first=True)}),
    "api_month_runs": Route({"POST": Rule(BILLING, ok=TRIED, body=_month_asked, role_first=True)}),
    "api_month_closings": Route({"POST": Rule(BILLING, ok=TRIED, body=_month_asked, role_first=True)}),
    "api_month_exports": Route({"POST": Rule(BILLING, ok=TRIED, body=_month_asked, role_first=True)}),
    **dict.fromkeys(("api_month_run", "api_month_run_drafts"), reads_object("month_run")),
    **dict.fromkeys(
        ("api_month_run_hand_over", "api_month_run_release", "api_month_run_issue_again"), acts("month_run", BILLING, ok=TRIED)
    ),
    "api_month_run_send_back": acts("month_run", BILLING, ok=TRIED, body=reason),
    **dict.fromkeys(("api_month_draft", "api_month_draft_lines"), reads_object("month_draft")),
    **dict.fromkeys(
        ("api_month_line_exclude", "api_month_line_postpone"), acts("month_line", BILLING, ok=TRIED, body=reason)
    ),
    "api_month_line_take_in": acts("month_line", BILLING, ok=TRIED),
    **dict.fromkeys(("api_month_export", "api_month_export_file"), reads_object("month_export")),
    **dict.fromkeys(("api_month_export_cancel", "api_month_export_resume"), acts("month_export", BILLING, ok=TRIED)),
    **dict.fromkeys(
        ("api_prepaid_balances", "api_prepaid_entries", "api_overdue_bills"),
        reads(BILLING | only("firm_admin", "inspector", "foreign"), role_first=True),
    ),
    "api_prepaid_terms": Route(
        {"GET": Rule(BILLING | only("firm_admin", "inspector", "foreign"), role_first=True),
         "POST": Rule(BILLING, ok=TRIED, body=_terms_asked, role_first=True)}
    ),
    "api_prepaid_withdraw": Route({"POST": Rule(BILLING, ok=TRIED, body=_withdraw_asked, role_first=True)}),
    "api_prepaid_pay": Route({"POST": Rule(BILLING | only("firm_admin", "foreign"), ok=TRIED | {404}, body=_paid_ahead)}),
    "api_payment_deposit": acts("payment", BILLING, ok=TRIED, body=_deposited),
    "api_reservation_order_number": Route(
        {"GET": Rule(*SEES["reservation"]), "PUT": Rule(CUSTOMERS, only("foreign"), TRIED, body=_order_number)},
        "reservation:approved",
    ),
    "api_sample_job_order_number": Route(
        {"GET": Rule(*SEES["sample_job"]), "PUT": Rule(CUSTOMERS, only("foreign"), TRIED, body=_order_number)}, "sample_job"
    ),
    "api_spending_limits": Route(
        {"GET": Rule(PERSONS), "POST": Rule(BILLING | only("firm_admin", "foreign"), ok=TRIED | {404}, body=_limit_asked)}
    ),
    "api_spending_limit_change": acts("spending_limit", only("firm_admin"), only("foreign"), ok=TRIED, body=_limit_changed),
    "api_spending_limit_close": acts("spending_limit", only("firm_admin"), only("foreign")),
    "api_bill_dispute": acts("bill", only("firm_admin"), only("foreign"), ok=TRIED, body=reason),
    "api_bill_dispute_answer": acts("bill", BILLING, ok=TRIED, body=reason),
    "api_dunning_exemptions": Route({"POST": Rule(BILLING, ok=TRIED, body=_exempted, role_first=True)}),
    "api_receipts": Route(
        {"GET": Rule(BILLING | only("firm_admin", "finance", "inspector", "foreign"), role_first=True),
         "POST": Rule(BILLING, ok=TRIED, body=_receipt_asked, role_first=True)}
    ),
    "api_account_statements": Route(
        {"GET": Rule(BILLING | only("firm_admin", "finance", "inspector", "foreign"), role_first=True),
         "POST": Rule(BILLING | only("firm_admin", "finance", "foreign"), ok=TRIED | {404}, body=_account_asked)}
    ),
    "api_receipt": reads_object("receipt"),
    "api_receipt_download": reads_object("receipt", extra={"kind": "json"}),
    "api_account_statement": reads_object("account_statement"),
    "api_account_statement_download": reads_object("account_statement", extra={"kind": "csv"}),
    "api_account_codes": Route(
        {
            "GET": Rule(only("owner_finance"), role_first=True),
            "PUT": Rule(only("owner_finance"), ok=TRIED, body=_codes, role_first=True),
        },
        "owner",
    ),
    "api_ledger_accounts": reads(SUPERVISORS | only("owner_finance"), role_first=True),
    **dict.fromkeys(
        ("api_ledger_account", "api_ledger_account_postings"),
        Route({"GET": Rule(SUPERVISORS | only("owner_finance"), SUPERVISORS, role_first=True)}, "ledger_account"),
    ),
    "api_sample_jobs": Route({"GET": Rule(PERSONS), "POST": Rule(CUSTOMERS, ok=TRIED, role_first=True, body=_sample_job)}),
    "api_sample_job": reads_object("sample_job"),
    "api_sample_job_accept": acts("sample_job", LAB, ok=TRIED, body=_promised),
    "api_sample_job_refuse": acts("sample_job", LAB, ok=TRIED, body=reason),
    "api_sample_job_take_back": acts("sample_job", LAB, ok=TRIED | {403}),
    "api_sample_job_cancel": acts("sample_job", *EITHER, ok=TRIED, body=reason),
    "api_sample_job_accept_quote": acts("sample_job", CUSTOMERS, only("foreign"), ok=TRIED),
    "api_sample_job_commission": acts("sample_job", CUSTOMERS, only("foreign"), ok=TRIED | {404}, body=_commission),
    "api_sample_job_parcel": acts("sample_job:accepted", CUSTOMERS, only("foreign"), ok=TRIED, body=_parcel),
    "api_sample_job_step": acts("sample_job:accepted", LAB, ok=TRIED, body=_sample_step),
    "api_sample_job_remains": acts("sample_job:tested", LAB, ok=TRIED, body=_sample_remains),
    "api_sample_job_propose": acts("sample_job:accepted", LAB, ok=TRIED, body=_extra),
    "api_sample_job_close_out": Route({"PUT": Rule(LAB, ok=OK_POST, body=lambda world: {"grade": ""})}, "sample_job:tested"),
    "api_sample_job_confirm_grade": acts("sample_job:tested", OWNERS, ok=TRIED),
    "api_sample_job_report": acts("sample_job:tested", LAB, ok=TRIED, body=_report, as_form=True),
    "api_sample_job_object_to": acts("sample_job:reported", CUSTOMERS, only("foreign"), ok=TRIED, body=reason),
    "api_sample_job_close": acts("sample_job:reported", CUSTOMERS, only("foreign"), ok=TRIED),
    "api_sample_extra_agree": acts("sample_extra", CUSTOMERS, only("foreign"), ok=TRIED),
    "api_sample_extra_decline": acts("sample_extra", CUSTOMERS, only("foreign"), ok=TRIED),
    "api_sample_extra_withdraw": acts("sample_extra", LAB, ok=TRIED),
    "api_sample_report_file": reads_object("sample_report"),
    "api_sample_find": reads_object("sample_code", params=("code",)),
    "api_enquiries": Route({"GET": Rule(PERSONS), "POST": Rule(CUSTOMERS, ok=OK_POST, role_first=True, body=_question)}),
    "api_enquiry": reads_object("enquiry"),
    "api_enquiry_write": acts("enquiry", *EITHER, body=lambda world: {"text": "and then?"}, as_form=True),
    "api_enquiry_close": acts("enquiry", *EITHER),
    "api_enquiry_seen": acts("enquiry", *SEES["enquiry"]),
    "api_enquiry_file": reads_object("enquiry_file", params=("attachment_id",)),
    "api_needs": Route({"GET": Rule(PERSONS), "POST": Rule(CUSTOMERS, ok=OK_POST, role_first=True, body=_need)}),
    "api_need": reads_object("need"),
    "api_organisation_answer_time": acts("owner", LAB, body=lambda world: {"workdays": 2}),
    "api_quotation_draft": acts("enquiry", LAB, ok=TRIED, body=_offer),
    "api_quotations": reads(),
    "api_quotation": Route({"GET": Rule(*SEES["quotation:draft"]), "PUT": Rule(LAB, ok=OK_POST, body=_offer)}, "quotation:draft"),
    "api_quotation_pdf": reads_object("quotation"),
    "api_quotation_send": acts("quotation:draft", LAB),
    "api_quotation_withdraw": acts("quotation", LAB),
    "api_quotation_accept": acts("quotation", CUSTOMERS, only("foreign")),
    "api_quotation_decline": acts("quotation", CUSTOMERS, only("foreign"), body=reason),
    "api_commissions": reads(),
    "api_commission": Route(
        {"GET": Rule(*SEES["commission"]), "PUT": Rule(*EITHER, OK_POST, body=_sheet)}, "commission:draft"
    ),
    "api_commission_issue": acts("commission:draft", LAB),
    "api_commission_sign": acts("commission:issued", *SIGNATORIES, ok=TRIED, body=_signed),
    "api_commission_scan": acts("commission:issued", *SIGNATORIES, body=_sealed, as_form=True),
    "api_commission_cancel": acts("commission:issued", *EITHER, body=reason),
    "api_commission_finish": acts("commission:signed", LAB),
    "api_commission_link": acts("commission:issued", *EITHER, ok=TRIED | {404}, body=_link),
    "api_commission_charge": acts("commission:signed", LAB, ok=TRIED, body=_line_charge),
    "api_commission_unlink": acts("commission:issued", *EITHER, ok=TRIED | {404}, body=_link),
    "api_commission_pdf": reads_object("commission:signed", extra={"copy": "signed"}),
    "api_commission_read_scan": reads_object("commission:signed", extra={"side": "lab"}),
    "api_catalogue-list": reads(),
    "api_catalogue-suggest": reads(query="?q=diffract"),
    "api_instrument-list": Route({"GET": Rule(PERSONS),
                                  "POST": Rule(KEEPERS[0], ok=OK_POST, role_first=True, body=_instrument)}),
    "api_instrument-detail": Route(
        {"GET": Rule(*SEES["hidden"]), "PATCH": Rule(*KEEPERS, TRIED, body=lambda world: {"technique": "XRD"})}, "hidden"
    ),
    "api_instrument-opening": reads_object("hidden", query="?{opening}"),
    "api_resource-list": Route({"GET": Rule(EVERYBODY), "POST": Rule(KEEPERS[0], ok=OK_POST, role_first=True, body=_resource)}),
    "api_resource-detail": Route(
        {"GET": Rule(*SEES["draft_resource"], public=True),
         "PATCH": Rule(*KEEPERS, TRIED, body=lambda world: {"licence": "CC0"})}, "draft_resource",
    ),
    "api_resource-statistics": reads(EVERYBODY),
    "api_resource-export": reads_object("draft_resource", public=True, extra={"export_format": "dcat"}),
    "api_resource-export-all": reads(EVERYBODY, extra={"export_format": "dcat"}, query="?owner={payee}"),
    "api_resource_quote": Route({"POST": Rule(CUSTOMERS, CUSTOMERS, body=_samples, role_first=True)}, "test_item"),
    "api_resource_price": Route(
        {"GET": Rule(EVERYBODY, EVERYBODY),
         "POST": Rule(OWNERS | only("operator"), only("operator"), OK_POST,
                      body=lambda world: {"unit": "sample", "amount_fen": 8000})}, "test_item",
    ),
    "api_resource_request-list": Route({"GET": Rule(PERSONS), "POST": Rule(CUSTOMERS, ok=TRIED, role_first=True, body=_application)}),
    "api_resource_request-detail": reads_object("resource_request:requested"),
    "api_resource_request-approve": acts("resource_request:requested", LAB),
    "api_resource_request-refuse": acts("resource_request:requested", LAB, body=reason),
    "api_resource_request-withdraw": acts("resource_request:requested", CUSTOMERS, only("foreign")),
    "api_resource_request-deliver": acts("resource_request:approved", LAB, body=_visit, as_form=True),
    "api_resource_request-feedback": acts("resource_request:delivered", CUSTOMERS, only("foreign"), body=_rating),
    "api_resource_request-file": reads_object("resource_request:delivered"),
    "api_instrument-calendar": Route({"GET": Rule(*KEEPERS)}, "hidden"),
    "api_research_group-list": reads(),
    "api_organisation_groups": acts("organisation", *ADMINISTRATORS, ok=TRIED, body=_research_group),
    "api_research_group-detail": Route(
        {"GET": Rule(*SEES["research_group"]), "PUT": Rule(*ADMINISTRATORS, TRIED, body=_research_group)}, "research_group"
    ),
    "api_research_group-close": acts("research_group", *ADMINISTRATORS),
    "api_research_group-reopen": acts("research_group", *ADMINISTRATORS),
    "api_research_group-member": Route(
        {"PUT": Rule(CUSTOMERS, only("foreign"), TRIED, body=_member_days), "DELETE": Rule(CUSTOMERS, only("foreign"), OK_POST)},
        "research_group_member", ("pk", "user_id"),
    ),
    "api_places": Route({"GET": Rule(PERSONS, PERSONS)}, "owner"),
    "api_place": Route(
        {
            "GET": Rule(PERSONS, PERSONS),
            "PUT": Rule(*KEEPERS, ok=TRIED, body=lambda world: {"name": "Hall", "time_zone": "Asia/Shanghai"}),
        },
        "site",
    ),
    "api_spending_rules": Route(
        {"GET": Rule(PERSONS, PERSONS), "PUT": Rule(OWNERS, ok=OK_POST, body=lambda world: {"card_needed": True})}, "owner"
    ),
    "api_fund_card-list": reads(),
    "api_research_group_cards": acts("research_group", *ADMINISTRATORS, body=_card),
    "api_fund_card-detail": Route({"GET": Rule(*SEES["card"]), "PUT": Rule(*ADMINISTRATORS, OK_POST, body=_card)}, "card"),
    "api_fund_card-close": acts("card", *ADMINISTRATORS),
    "api_fund_card-reopen": acts("card", *ADMINISTRATORS),
    "api_leader_approvals": reads(),
    "api_deputies": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED, body=_absence)}, "owner"),
    "api_deputy_end": acts("delegation", LAB),
    "api_reject_reasons": Route({"GET": Rule(LAB), "PUT": Rule(LAB, body=lambda world: {"sentences": []})}, "owner"),
    "api_leader_answers": Route({"POST": Rule(PERSONS, body=_answers)}),
    "api_leader_approval_agree": acts("leader_approval", only("researcher"), only("foreign")),
    "api_leader_approval_decline": acts("leader_approval", only("researcher"), only("foreign"), body=reason),
    "api_reservation_fund_card": acts("reservation:carded", only("firm_admin"), ok=TRIED, body=_other_card),
    "api_internal_slip-list": reads(),
    "api_internal_slip-detail": reads_object("slip"),
    "api_internal_slip-csv": reads(query="?month=2026-10"),
    "api_organisation-list": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "api_organisation-detail": Route(
        {"GET": Rule(*SEES["organisation"]),
         "PATCH": Rule(only("firm_admin"), only("foreign"), TRIED, body=lambda world: {"address": "1 Road"})},
        "organisation",
    ),
    "api_organisation-members": reads_object("organisation"),
    "api_organisation-member": Route(
        {"PUT": Rule(only("firm_admin"), only("foreign"), TRIED, body=lambda world: {"roles": ["researcher"]}),
         "DELETE": Rule(CUSTOMERS, only("foreign"), TRIED)},
        "member", ("pk", "user_id"),
    ),
    "api_organisation-invitations": Route(
        {"GET": Rule(*SEES["organisation"]),
         "POST": Rule(only("firm_admin"), only("foreign"), body=lambda world: {"email": "x@example.org", "role": "researcher"},
                      ok=OK_POST)},
        "organisation",
    ),
    "api_organisation-join-requests": reads_object("organisation"),
    "api_organisation-join": Route({"POST": Rule(CUSTOMERS | OFFICIALS, OFFICIALS | only("foreign"), TRIED)}, "organisation"),
    "api_organisation-verification": Route(
        {"GET": Rule(*SEES["organisation"]), "POST": Rule(*ADMINISTRATORS, TRIED, as_form=True, body=_licence)},
        "organisation",
    ),
    "api_invitation-detail": Route({"DELETE": Rule(*ADMINISTRATORS, OK_POST)}, "invitation"),
    "api_join_request-decide": acts("join_request", *ADMINISTRATORS, ok=TRIED, body=lambda world: {"accept": False}),
    "api_firm_declarations": reads(),
    "api_firm_declaration": reads_object("declaration"),
    "api_firm_declaration_decide": acts("declaration", only("operator"), only("operator"), ok=TRIED, role_first=True,
                                        body=lambda world: {"accept": True}),
    "api_owner_incomes": reads(),
    "api_owner_income": reads_object("income"),
    "api_owner_income_file": reads_object("income"),
    "api_owner_income_decide": acts("income", OFFICER, OFFICER, ok=TRIED, role_first=True, body=lambda world: {"confirm": True}),
    "api_organisation_income_declare": acts("owner", OWNERS, NOBODY, ok=TRIED, body=_income_declared, as_form=True),
    "api_vouchers": reads(),
    "api_voucher": reads_object("voucher"),
    "api_voucher_give_back": acts("voucher", only("firm_admin"), only("foreign"), ok=TRIED),
    "api_voucher_announcements": reads(EVERYBODY),
    "api_voucher_announcement": reads_object("announcement", public=True),
    "api_voucher_announcement_apply": acts("announcement", only("firm_admin"), NOBODY, ok=TRIED, body=_voucher_asked,
                                           as_form=True, role_first=True),
    "api_organisation_declare": acts("organisation", only("firm_admin"), only("foreign"), ok=TRIED, body=_figures_declared,
                                     as_form=True),
    "api_voucher_applications": reads(),
    "api_voucher_application": reads_object("application"),
    "api_voucher_application_review": acts("application", OFFICER, OFFICER, ok=TRIED, role_first=True,
                                           body=lambda world: {"recommended_fen": 1}),
    "api_voucher_application_issue": acts("application", PAYERS, PAYERS, ok=TRIED, role_first=True),
    "api_voucher_application_refuse": acts("application", PAYERS, PAYERS, ok=TRIED, role_first=True, body=_because),
    "api_voucher_application_withdraw": acts("application", only("firm_admin"), only("foreign"), ok=TRIED),
    "api_programme_accounts": reads(SUPERVISORS),
    "api_programme_account": Route({"GET": Rule(SUPERVISORS, SUPERVISORS, role_first=True)}, "account"),
    "api_programme_account_top_up": acts("account", PAYERS, PAYERS, ok=TRIED, role_first=True,
                                         body=lambda world: {"amount_fen": 1, "reason": "because"}),
    "api_programme_top_ups": reads(SUPERVISORS),
    "api_programme_top_up": Route({"GET": Rule(SUPERVISORS, SUPERVISORS, role_first=True)}, "top_up"),
    "api_programme_top_up_decide": acts("top_up", PAYERS, PAYERS, ok=TRIED, role_first=True,
                                        body=lambda world: {"add": False, "reason": "because"}),
    "api_programme_figures": Route({
        "GET": Rule(SUPERVISORS),
        "POST": Rule(PAYERS, ok=TRIED, body=lambda world: {"version": 1, "cap": "pool", "limit_fen": 1, "reason": "because"}),
    }),
    "api_programme_figure": Route({"GET": Rule(SUPERVISORS, SUPERVISORS, role_first=True)}, "figure"),
    "api_programme_figure_decide": acts("figure", PAYERS, PAYERS, ok=TRIED, role_first=True,
                                        body=lambda world: {"set": False, "reason": "because"}),
    "api_programme_ends": Route({
        "GET": Rule(SUPERVISORS),
        "POST": Rule(OFFICER, ok=TRIED, body=lambda world: {"version": 1, "last_on": "2027-12-01", "reason": "because"}),
    }),
    "api_programme_end": Route({"GET": Rule(SUPERVISORS, SUPERVISORS, role_first=True)}, "version_end"),
    "api_programme_end_decide": acts("version_end", OFFICER, OFFICER, ok=TRIED, role_first=True,
                                     body=lambda world: {"confirm": False, "reason": "because"}),
    "api_programme_account_suspend": acts("account", PAYERS, PAYERS, ok=TRIED, role_first=True,
                                          body=lambda world: {"suspended": False, "reason": "because"}),
    "api_programme_account_close": acts("account", PAYERS, PAYERS, ok=TRIED, role_first=True, body=_because),
    "api_verification-list": reads(only("operator")),
    "api_verification-detail": reads_object("verification"),
    "api_verification-decide": acts("verification", only("operator"), only("operator"), ok=TRIED,
                                    role_first=True, body=lambda world: {"accept": True}),
    "api_verification-licence": reads_object("verification"),
    "api_instrument_licence": Route(
        {"GET": Rule(EVERYBODY, EVERYBODY), "POST": Rule(PERSONS, PERSONS, TRIED, as_form=True, body=_proof)}, "instrument"
    ),
    "api_course-list": Route({"GET": Rule(PERSONS), "POST": Rule(KEEPERS[0], ok=OK_POST, body=_new_course)}),
    "api_course-detail": Route({"GET": Rule(PERSONS, PERSONS), "PUT": Rule(*KEEPERS, OK_POST, body=_course)}, "course"),
    "api_course-sessions": acts("course", *KEEPERS, body=_session),
    "api_course_session-detail": Route({"GET": Rule(PERSONS, PERSONS)}, "course_session"),
    "api_course_session-enrol": acts("course_session", PERSONS, PERSONS),
    "api_course_session-enrolments": Route({"GET": Rule(PERSONS, PERSONS)}, "course_session"),
    "api_course_session-call-off": acts("course_session", *KEEPERS, body=reason),
    "api_enrolment-list": reads(),
    "api_enrolment-withdraw": acts("enrolment", KEEPERS[0] | only("researcher"), only("foreign", "operator")),
    "api_enrolment-attendance": acts("enrolment:begun", *KEEPERS, body=lambda world: {"was_there": True}),
    "api_enrolment-result": acts("enrolment:attended", *KEEPERS, body=lambda world: {"score": 80}),
    "api_licence-list": Route({"GET": Rule(PERSONS), "POST": Rule(KEEPERS[0], ok=OK_POST, body=_grant)}),
    "api_licence-detail": reads_object("licence"),
    "api_licence-suspend": acts("licence", *KEEPERS, body=reason),
    "api_licence-restore": acts("licence:suspended", *KEEPERS),
    "api_licence-revoke": acts("licence", *KEEPERS, body=reason),
    "api_recognition-list": reads(),
    "api_recognition-decide": acts("recognition", *KEEPERS, body=lambda world: {"accept": True}),
    "api_recognition-withdraw": acts("recognition", only("researcher"), only("foreign")),
    "api_recognition-evidence": reads_object("recognition"),
    "api_credit_event-list": Route({"GET": Rule(PERSONS), "POST": Rule(KEEPERS[0], ok=OK_POST, body=_note)}),
    "api_credit_event-appeal": acts("credit_event", only("researcher"), only("foreign"), body=_text),
    "api_credit_appeal-list": reads(),
    "api_credit_appeal-decide": acts("appeal", *KEEPERS, body=lambda world: {"grant": True, "answer": "yes"}),
    "api_credit_rules-detail": Route({"GET": Rule(PERSONS, PERSONS), "PUT": Rule(*KEEPERS, OK_POST, body=_rules)}, "owner"),
    "api_access_list-list": Route({"GET": Rule(PERSONS), "POST": Rule(KEEPERS[0], ok=OK_POST, body=_listing)}),
    "api_access_list-end": acts("listing", *KEEPERS),
    "api_notice-list": reads(),
    "api_notice-read": acts("notice", *SEES["notice"]),
    "api_notice-read-all": Route({"POST": Rule(PERSONS, ok=OK_POST)}),
    "api_token-list": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "api_token-detail": Route({"DELETE": Rule(*SEES["token"], OK_POST)}, "token"),
}  # fmt: skip

PAGES: dict[str, Route] = {
    "home": reads(EVERYBODY),
    "help": reads(EVERYBODY),
    "open_data": reads(EVERYBODY),
    "person_mentions": Route({"GET": Rule(only("operator")), "POST": Rule(only("operator"), ok=TRIED | {404})}),
    "person_retention": Route({"GET": Rule(only("operator")), "POST": Rule(only("operator"), ok=TRIED | {404})}),
    "person_erase": Route({"GET": Rule(only("operator")), "POST": Rule(only("operator"), ok=TRIED)}),
    "paper_check": Route({"GET": Rule(EVERYBODY), "POST": Rule(EVERYBODY, ok=TRIED)}),
    "paper_verify": reads(EVERYBODY, extra={"code": "0000000000000000"}, ok=frozenset({404})),
    "healthz": reads(EVERYBODY, ok=frozenset({200, 503})),
    "set_language": Route({"GET": Rule(EVERYBODY, ok=frozenset({302})), "POST": Rule(EVERYBODY, ok=OK_POST)}),
    "account_settings": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "search": reads(EVERYBODY),
    "search_suggest": reads(EVERYBODY, query="?q=diffract", ok=frozenset({200, 204})),
    "compare": reads(EVERYBODY),
    "saved_search_list": reads(),
    "saved_search_create": Route({"POST": Rule(PERSONS, ok=OK_POST)}),
    "saved_search_change": acts("saved_search", *SEES["saved_search"], body=lambda world: {"name": "Brine"}),
    "saved_search_delete": acts("saved_search", *SEES["saved_search"]),
    "saved_search_unsubscribe": form("saved_search_token", EVERYBODY, EVERYBODY, params=("token",), public=True),
    "instrument_list": reads(EVERYBODY),
    "instrument_detail": reads_object("hidden", public=True),
    "instrument_export": reads_object("hidden", public=True, extra={"layout": "pidinst.xml"}),
    "import_list": Route({"GET": Rule(KEEPERS[0]), "POST": Rule(KEEPERS[0], ok=TRIED)}),
    "import_run": reads_object("import"),
    "import_progress": reads_object("import", ok=frozenset({200, 204}), fragment=True),
    "import_columns": acts("import:mapping", *KEEPERS, ok=TRIED),
    "import_confirm": acts("import", *KEEPERS, ok=TRIED),
    "import_undo": acts("import", LAB, ok=TRIED),
    "import_read_again": acts("import", *KEEPERS, ok=TRIED),
    "import_cancel": acts("import:given_up", *KEEPERS, ok=TRIED),
    "import_go_on": acts("import:given_up", *KEEPERS, ok=TRIED),
    "import_report": reads_object("import"),
    "import_file": reads_object("import"),
    "mapping_add": Route({"POST": Rule(KEEPERS[0], ok=TRIED)}),
    "mapping_file": reads_object("saved_mapping"),
    "mapping_rename": acts("saved_mapping", *KEEPERS, ok=TRIED),
    "mapping_forget": acts("saved_mapping", *KEEPERS, ok=TRIED),
    "organisation_facility_record": Route({"GET": Rule(*KEEPERS)}, "owner"),
    "organisation_national_record": Route({"GET": Rule(*KEEPERS)}, "owner"),
    "organisation_national_messages": Route({"GET": Rule(*KEEPERS)}, "owner"),
    "organisation_completeness": Route({"GET": Rule(*KEEPERS)}, "owner"),
    "centre_list": Route({"GET": Rule(*KEEPERS)}, "owner"),
    "centre_record": Route({"GET": Rule(*KEEPERS)}, "owner"),
    "centre_create": Route({"GET": Rule(*KEEPERS), "POST": Rule(*KEEPERS, ok=TRIED)}, "owner"),
    "centre_edit": form("centre", *KEEPERS),
    "centre_remove": acts("centre", *KEEPERS, ok=TRIED),
    "place_list": Route({"GET": Rule(*KEEPERS)}, "owner"),
    "place_edit": form("site", *KEEPERS),
    "code_list": Route({"GET": Rule(only("operator")), "POST": Rule(only("operator"), ok=TRIED)}),
    "code_list_take_back": form("code_load", only("operator"), only("operator"), role_first=True),
    "zone_list": reads(only("operator")),
    "zone_create": Route({"GET": Rule(only("operator")), "POST": Rule(only("operator"), ok=TRIED)}),
    "zone_edit": form("zone", only("operator"), only("operator"), role_first=True),
    "instrument_slots": reads_object("hidden", public=True, fragment=True),
    "instrument_photo": reads_object("photo", public=True, params=("pk", "version")),
    "instrument_create": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED)}),
    "instrument_edit": form("hidden", *KEEPERS),
    # A plain instrument has nothing that could go: back to its page.
    "facility_ending": Route({"GET": Rule(*KEEPERS), "POST": Rule(*KEEPERS, TRIED)}, "hidden"),
    "instrument_photo_set": acts("hidden", *KEEPERS, ok=TRIED),
    "instrument_hours": form("hidden", *KEEPERS),
    "instrument_close": acts("hidden", *KEEPERS, ok=TRIED),
    "instrument_season": form("hidden", *KEEPERS),
    "instrument_customers": form("hidden", *KEEPERS),
    "instrument_exception": form("hidden", *KEEPERS),
    "instrument_holidays": acts("hidden", *KEEPERS, ok=TRIED),
    "instrument_occurrences": form("closure:again", *KEEPERS, params=("pk", "entry")),
    "instrument_reopen": acts("closure", *KEEPERS, ok=TRIED, params=("pk", "entry")),
    "robots": reads(EVERYBODY),
    "sitemap": reads(EVERYBODY),
    "sitemap_page": reads(EVERYBODY, extra={"page": 1}),
    "instrument_qr": reads_object("hidden", public=True),
    "instrument_label": reads_object("hidden", public=True),
    "instrument_document": reads_object("document", public=True, params=("pk", "document")),
    "instrument_files": Route({"GET": Rule(*KEEPERS)}, "hidden"),
    "instrument_picture_add": acts("hidden", *KEEPERS, ok=TRIED),
    "instrument_picture_act": acts("picture", *KEEPERS, params=("pk", "file"), body=lambda world: {"action": "remove"}),
    "instrument_document_add": acts("hidden", *KEEPERS, ok=TRIED),
    "instrument_document_act": acts("document:act", *KEEPERS, params=("pk", "file"), body=lambda world: {"action": "remove"}),
    "instrument_history": Route({"GET": Rule(*KEEPERS)}, "hidden"),
    "instrument_publish": acts("hidden", *KEEPERS),
    "review_queue": reads(KEEPERS[0]),
    "review_detail": reads_object("change"),
    "review_act": acts("change", *KEEPERS, body=lambda world: {"action": "withdraw"}),
    "review_decide": acts("change", only("operator"), only("operator"), ok=TRIED, role_first=True, body=reason),
    "resource_review": reads_object("resource_change"),
    "resource_review_withdraw": acts("resource_change", *KEEPERS),
    "resource_review_decide": acts("resource_change", only("operator"), only("operator"), ok=TRIED, role_first=True, body=reason),
    "organisation_reviews": acts("owner", only("operator"), only("operator"), role_first=True),
    "resource_sheet_start": reads(KEEPERS[0], query="?owner={payee}", extra={"kind": "dataset"}),
    "resource_sheet_download": Route({"GET": Rule(*KEEPERS)}, "owner", ("owner",), {"kind": "dataset"}),
    "resource_sheet_upload": acts("owner", *KEEPERS, ok=TRIED, params=("owner",), extra={"kind": "dataset"}),
    "resource_sheet_preview": reads_object("resource_sheet"),
    "resource_sheet_apply": acts("resource_sheet", *KEEPERS, ok=TRIED),
    "sheet_start": reads(KEEPERS[0], query="?owner={payee}"),
    "sheet_download": Route({"GET": Rule(*KEEPERS)}, "owner", ("owner",)),
    "sheet_upload": acts("owner", *KEEPERS, ok=TRIED, params=("owner",)),
    "sheet_preview": reads_object("sheet"),
    "sheet_apply": acts("sheet", *KEEPERS, ok=TRIED),
    "problem_report": form("instrument", PERSONS, PERSONS),
    "problem_list": reads(KEEPERS[0]),
    "problem_handle": acts("problem", *KEEPERS, body=lambda world: {"state": "solved"}),
    "problem_photo": reads_object("problem"),
    "instrument_licence": Route(
        {"GET": Rule(EVERYBODY, EVERYBODY), "POST": Rule(PERSONS, PERSONS, TRIED, body=_proof)}, "instrument"
    ),
    "licence_need": acts("hidden", LAB, body=lambda world: {"needed": "yes"}),
    "training_list": reads(KEEPERS[0]),
    "course_create": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED)}),
    "course_detail": form("course", *KEEPERS),
    "course_edit": form("course", *KEEPERS),
    "course_session": Route({"GET": Rule(*KEEPERS)}, "course_session"),
    "course_enrol": acts("course_session", PERSONS, PERSONS),
    "course_session_call_off": acts("course_session", *KEEPERS, body=reason),
    "enrolment_withdraw": acts("enrolment", KEEPERS[0] | only("researcher"), only("foreign", "operator")),
    "enrolment_attendance": acts("enrolment:begun", *KEEPERS, body=lambda world: {"came": "yes"}),
    "enrolment_result": acts("enrolment:attended", *KEEPERS, body=lambda world: {"score": "80"}),
    "licence_list": reads(KEEPERS[0]),
    "licence_grant": Route({"POST": Rule(KEEPERS[0], ok=TRIED)}),
    "licence_act": acts("licence", *KEEPERS, body=reason),
    "licence_evidence": reads_object("licence"),
    "recognition_decide": acts("recognition", *KEEPERS, body=lambda world: {"decision": "accept"}),
    "recognition_withdraw": acts("recognition", only("researcher"), only("foreign")),
    "recognition_evidence": reads_object("recognition"),
    "my_record": reads(),
    "credit_appeal": acts("credit_event", only("researcher"), only("foreign"), body=_text),
    "credit_lab": reads(KEEPERS[0]),
    "credit_rules": Route({"GET": Rule(KEEPERS[0]), "POST": Rule(KEEPERS[0], ok=TRIED)}),
    "credit_note": Route({"POST": Rule(KEEPERS[0], ok=TRIED)}),
    "appeal_decide": acts("appeal", *KEEPERS, body=lambda world: {"decision": "grant", "answer": "yes"}),
    "access_list_put": Route({"POST": Rule(KEEPERS[0], ok=TRIED)}),
    "access_list_end": acts("listing", *KEEPERS),
    "rating_give": acts("reservation:agreed", CUSTOMERS, only("foreign"), body=lambda world: {"stars": "5"}),
    "rating_answer": acts("rating", LAB, body=lambda world: {"answer": "Thank you"}),
    "rating_hide": acts("rating", only("operator"), only("operator"), role_first=True, body=reason),
    "instrument_closure_import": form("hidden", *KEEPERS),
    "closure_import_detail": reads_object("closure_import", post=Rule(*KEEPERS, OK_POST)),
    "closure_import_report": reads_object("closure_import"),
    "instrument_calendars": form("hidden", *KEEPERS),
    "instrument_assistants": form("hidden", *KEEPERS),
    "instrument_assistant_remove": acts("named", *KEEPERS, ok=TRIED, params=("pk", "assistant")),
    "assisting": reads(),
    "unassisted_list": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED)}),
    "assistant_detail": form("assistant", *KEEPERS),
    "assistant_absence_remove": acts("absence", *KEEPERS, params=("pk", "occupancy")),
    "reservation_assistant": acts("reservation:approved", LAB, ok=TRIED, body=_who_assists),
    "instrument_sharing": form("hidden", *KEEPERS),
    "instrument_sharing_end": acts("hidden", *KEEPERS),
    "subscription_refresh": acts("subscription", *KEEPERS),
    "subscription_switch": acts("subscription", *KEEPERS),
    "subscription_remove": acts("subscription", *KEEPERS),
    "instrument_busy": reads_object("hidden", public=True),
    "feed_list": reads(),
    "feed_create": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "feed_revoke": acts("feed", *SEES["feed"]),
    "feed_private": reads_object("feed_link", public=True, params=("token",)),
    "resource_detail": reads_object("draft_resource", public=True),
    "resource_quote": reads_object("test_item", public=True, fragment=True),
    "resource_statistics": reads(EVERYBODY),
    "resource_list": reads(LAB),
    "resource_create": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED)}, extra={"kind": "dataset"}),
    "resource_edit": form("draft_resource", *KEEPERS),
    "resource_history": Route({"GET": Rule(*KEEPERS)}, "draft_resource"),
    "resource_publish": acts("draft_resource", *KEEPERS, ok=TRIED),
    "resource_price": form("test_item", OWNERS | only("operator"), only("operator")),
    "resource_request_create": form("resource", PERSONS, PERSONS),
    "resource_request_list": reads(),
    "resource_inbox": reads(LAB),
    "resource_request_detail": reads_object("resource_request:requested"),
    "resource_request_approve": acts("resource_request:requested", LAB),
    "resource_request_refuse": acts("resource_request:requested", LAB, body=reason),
    "resource_request_deliver": acts("resource_request:approved", LAB, body=_visit),
    "resource_request_withdraw": acts("resource_request:requested", CUSTOMERS, only("foreign")),
    "resource_request_feedback": acts("resource_request:delivered", CUSTOMERS, only("foreign"), body=_rating),
    "resource_request_file": reads_object("resource_request:delivered"),
    "instrument_bring_back": acts("closure:removed", *KEEPERS, ok=TRIED, params=("pk", "entry")),
    "booking_for": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED)}, "hidden"),
    "instrument_policy": Route({"GET": Rule(LAB), "POST": Rule(LAB)}, "hidden"),
    "policy_list": Route({"GET": Rule(LAB)}, "owner"),
    "policy_edit": form("owner", LAB),
    "instrument_maintenance": form("hidden", LAB),
    "maintenance_plan_add": acts("hidden", LAB, ok=TRIED),
    "maintenance_plan_next": acts("plan", LAB, ok=TRIED),
    "maintenance_plan_remove": acts("plan", LAB),
    "downtime_detail": reads_object("downtime"),
    "downtime_decide": acts("downtime", LAB),
    "downtime_prolong": acts("downtime", LAB, ok=TRIED),
    "downtime_close": acts("downtime", LAB),
    "maintenance_remove": acts("maintenance", LAB, params=("pk", "occupancy")),
    "quote_preview": reads(EVERYBODY, query="?instrument={instrument}", fragment=True),
    "reservation_create": Route({"GET": Rule(*SEES["hidden"]), "POST": Rule(*SEES["hidden"], TRIED)}, "hidden"),
    "reservation_list": reads(),
    "group_list": reads(),
    "group_create": form("organisation", *ADMINISTRATORS),
    "spending_rules": acts("owner", OWNERS, body=_needed),
    "group_detail": reads_object("research_group", post=Rule(CUSTOMERS, only("foreign"), TRIED)),
    "group_edit": form("research_group", *ADMINISTRATORS),
    "group_close": acts("research_group", *ADMINISTRATORS),
    "group_member_remove": acts("research_group_member", CUSTOMERS, only("foreign"), params=("pk", "user_id")),
    "fund_card_create": form("research_group", *ADMINISTRATORS),
    "fund_card_edit": form("card", *ADMINISTRATORS),
    "fund_card_close": acts("card", *ADMINISTRATORS),
    "leader_inbox": reads(),
    "leader_answer_all": Route({"POST": Rule(PERSONS, ok=frozenset({302, 422}))}),
    "leader_agree": acts("leader_approval", only("researcher"), only("foreign")),
    "leader_decline": acts("leader_approval", only("researcher"), only("foreign"), body=reason),
    "reservation_card": acts("reservation:carded", only("firm_admin"), ok=TRIED, body=_other_card),
    "slip_list": reads(),
    "bill_list": reads(),
    "receipt_list": reads(BILLING | only("firm_admin", "finance", "inspector", "foreign")),
    "receipt_issue": Route({"POST": Rule(BILLING, ok=TRIED, role_first=True, body=_receipt_asked)}),
    "account_statement_issue": Route({"POST": Rule(BILLING | only("firm_admin", "finance", "foreign"), ok=TRIED, role_first=True)}),
    "receipt_detail": reads_object("receipt"),
    "receipt_progress": reads_object("receipt", ok=frozenset({200, 204, 286}), fragment=True),
    "receipt_retry": acts("receipt", BILLING | only("firm_admin"), only("foreign"), ok=TRIED),
    "receipt_download": reads_object("receipt", extra={"layout": "pdf"}),
    "account_statement_detail": reads_object("account_statement"),
    "account_statement_progress": reads_object("account_statement", ok=frozenset({200, 204, 286}), fragment=True),
    "account_statement_retry": acts("account_statement", BILLING | only("firm_admin"), only("foreign"), ok=TRIED),
    "account_statement_download": reads_object("account_statement", extra={"layout": "pdf"}),
    "invoice_list": reads(BILLING | SUPERVISORS | only("firm_admin", "foreign")),
    "invoice_export": reads(BILLING),
    "invoice_import": Route({"GET": Rule(BILLING), "POST": Rule(BILLING, ok=TRIED)}),
    "invoice_file": reads_object("invoice"),
    "invoice_red": acts("invoice", BILLING, ok=TRIED),
    "bill_invoice": reads_object("bill"),
    "invoice_ask": acts("bill", only("firm_admin"), only("foreign"), ok=TRIED),
    "invoice_withdraw": acts("bill", only("firm_admin"), only("foreign"), ok=TRIED),
    "invoice_refuse": acts("bill", BILLING, ok=TRIED, body=reason),
    "invoice_record": acts("bill", BILLING, ok=TRIED),
    "statement_invoice": reads_object("statement"),
    "sold_invoice_ask": acts("statement", only("finance"), only("finance"), ok=TRIED),
    "sold_invoice_withdraw": acts("statement", only("finance"), only("finance"), ok=TRIED),
    "sold_invoice_refuse": acts("statement", BILLING, ok=TRIED, body=reason),
    "sold_invoice_record": acts("statement", BILLING, ok=TRIED),
    "bill_open": reads(BILLING),
    "bill_proposal": reads_object("bill_proposal"),
    "bill_proposal_issue": acts("bill_proposal", BILLING, ok=TRIED),
    "bill_proposal_decline": acts("bill_proposal", BILLING, ok=TRIED, body=reason),
    "bill_issue": Route({"GET": Rule(BILLING, ok=frozenset({200, 422})), "POST": Rule(BILLING, ok=TRIED, body=_bill_form)},
                        query="?owner={payee}&customer=1&until=2026-11-20"),
    "bill_detail": reads_object("bill"),
    "bill_progress": reads_object("bill", ok=frozenset({200, 204, 286}), fragment=True),
    "bill_retry": acts("bill", BILLING, ok=TRIED),
    "bill_download": reads_object("bill", extra={"kind": "pdf"}),
    "bill_void": acts("bill", BILLING, ok=TRIED, body=reason),
    "bill_write_off": acts("bill", BILLING, ok=TRIED, body=_write_off),
    "bill_pay": acts("bill", only("firm_admin"), only("foreign"), ok=TRIED),
    "bill_credit": form("bill_line", BILLING, params=("pk", "position")),
    "credit_note_detail": reads_object("credit_note"),
    "credit_note_progress": reads_object("credit_note", ok=frozenset({200, 204, 286}), fragment=True),
    "credit_note_retry": acts("credit_note", BILLING, ok=TRIED),
    "credit_note_download": reads_object("credit_note", extra={"kind": "pdf"}),
    "claim_list": reads(),
    "claim_detail": reads_object("claim"),
    "claim_act": acts("claim", BILLING, only("foreign"), ok=TRIED, body=_withdrawn),
    "claim_decide": acts("claim", OFFICER, OFFICER, ok=TRIED, body=_sent_back),
    "claim_evidence": reads_object("claim_evidence"),
    "claim_paper": reads_object("claim_form", extra={"kind": "form", "suffix": "pdf"}),
    "claim_paper_again": acts("claim_form", BILLING | PAYERS, PAYERS | only("foreign"), ok=TRIED, extra={"kind": "form"}),
    "claim_batch_list": Route({"GET": Rule(SUPERVISORS), "POST": Rule(PAYERS, ok=TRIED, body=_claim_batch)}),
    "claim_batch_detail": reads_object("claim_batch"),
    "claim_batch_act": acts("claim_batch", PAYERS, PAYERS, ok=TRIED, body=_gathered),
    "recheck_list": Route({"GET": Rule(SUPERVISORS), "POST": Rule(only("inspector"), ok=TRIED)}),
    "recheck_detail": reads_object("recheck_sample"),
    "recheck_find": acts("recheck_item", only("inspector"), only("inspector"), ok=TRIED),
    "deputy_list": Route({"GET": Rule(PAYERS), "POST": Rule(PAYERS, ok=TRIED)}),
    "deputy_end": acts("deputy", PAYERS, ok=TRIED, role_first=True),
    "payout_list_make": acts("claim_batch", only("finance"), only("finance"), ok=TRIED),
    "objection_answer": acts("objection", PAYERS, PAYERS, ok=TRIED, body=_answered),
    "payout_list_detail": reads_object("payout_list"),
    "payout_list_sign": acts("payout_list", PAYERS, PAYERS, ok=TRIED),
    "payout_list_cancel": acts("payout_list", only("finance"), only("finance"), ok=TRIED, body=reason),
    "payout_record_rest": acts("payout_list", only("finance"), only("finance"), ok=TRIED),
    "payout_answer": acts("payout_list", only("finance"), only("finance"), ok=TRIED),
    "payout_record": acts("payout_line", only("finance"), only("finance"), ok=TRIED),
    "clawback_list": Route({"GET": Rule(PERSONS), "POST": Rule(only("finance"), ok=TRIED)}),
    "clawback_detail": reads_object("clawback"),
    "clawback_record": acts("clawback", only("finance"), only("finance"), ok=TRIED, body=_came_back_by_form),
    "surplus_take": acts("clawback", only("finance"), only("finance"), ok=TRIED, body=_taken_for_it),
    "surplus_send_back": acts("repayment", only("finance"), only("finance"), ok=TRIED, body=_sent_back_by_form),
    "surplus_decide": acts("surplus_refund", only("finance"), only("finance"), ok=TRIED, body=_confirmed_back),
    "repayment_decide": acts("repayment", only("finance"), only("finance"), ok=TRIED, body=_confirmed_back),
    "publicity_list": reads(EVERYBODY),
    "publicity_detail": Route({"GET": Rule(EVERYBODY, EVERYBODY), "POST": Rule(EVERYBODY, EVERYBODY, TRIED)}, "publicity"),
    "bill_evidence": reads_object("bill"),
    "claim_pack": reads_object("claim"),
    "statement_evidence": reads_object("statement"),
    "month_board": reads(MONTHS | only("inspector")),
    "month_unconfirmed": Route({"GET": Rule(MONTHS | only("inspector"), ok=frozenset({200, 404}))}),
    "month_prepare": Route({"GET": Rule(MONTHS, ok=frozenset({200, 302})), "POST": Rule(MONTHS, ok=TRIED, body=_old_month)}),
    "month_close": Route({"POST": Rule(MONTHS, ok=TRIED, body=_old_month)}),
    "month_run": reads_object("month_run"),
    "month_run_move": acts("month_run", BILLING, ok=TRIED, body=_handed_over),
    "month_draft": reads_object("month_draft"),
    "month_draft_paper": Route({"GET": Rule(BILLING, ok=frozenset({200, 302}))}, "month_draft"),
    "month_line": acts("month_line", BILLING, ok=TRIED, body=_postponed),
    "month_export_start": Route({"POST": Rule(MONTHS, ok=TRIED, body=_old_month)}),
    "month_export": reads_object("month_export"),
    "month_export_progress": reads_object("month_export", ok=frozenset({200, 204, 286}), fragment=True),
    "month_export_change": acts("month_export", BILLING, ok=TRIED, body=_resumed),
    "month_export_file": reads_object("month_export"),
    "payment_list": reads(BILLING | only("inspector")),
    "payment_import": Route({"GET": Rule(BILLING), "POST": Rule(BILLING, ok=TRIED)}),
    "hand_payment_list": reads(BILLING | only("inspector")),
    "hand_payment_enter": Route({"GET": Rule(BILLING), "POST": Rule(BILLING, ok=TRIED)}),
    "hand_payment_confirm": acts("hand_entry", BILLING, ok=TRIED),
    "hand_payment_end": acts("hand_entry", BILLING, ok=TRIED, body=reason),
    "hand_payment_evidence": reads_object("hand_entry"),
    "payment_detail": reads_object("payment"),
    "payment_give": acts("payment", BILLING, ok=TRIED | {404}, body=_given_form),
    "payment_give_certain": Route({"POST": Rule(BILLING, ok=TRIED)}),
    "payment_undo": acts("allocation", BILLING, body=reason),
    "payment_refund": acts("payment", BILLING, ok=TRIED, body=_refunded_form),
    "payment_keep": acts("payment", BILLING, ok=TRIED | {404}, body=_kept_form),
    "bill_dispute": acts("bill", only("firm_admin"), only("foreign"), ok=TRIED, body=reason),
    "bill_dispute_answer": acts("bill", BILLING, ok=TRIED, body=reason),
    "reservation_facts": acts("reservation:approved", CUSTOMERS | LAB, only("foreign"), ok=TRIED, body=_facts),
    "reservation_order_number": acts("reservation:approved", CUSTOMERS, only("foreign"), body=_order_number),
    "sample_job_order_number": acts("sample_job", CUSTOMERS, only("foreign"), ok=TRIED, body=_order_number),
    "dunning_list": reads(BILLING | only("firm_admin", "foreign", "inspector")),
    "dunning_exempt": Route({"POST": Rule(BILLING, ok=TRIED, body=_exempt_form)}),
    "prepaid_list": reads(BILLING | only("firm_admin", "foreign", "inspector")),
    "prepaid_terms": Route({"POST": Rule(BILLING, ok=TRIED, body=_terms_form)}),
    "prepaid_pay": Route({"POST": Rule(BILLING | only("firm_admin", "foreign"), ok=TRIED | {404}, body=_paid_ahead_form)}),
    "prepaid_withdraw": Route({"POST": Rule(BILLING, ok=TRIED, body=_withdraw_form)}),
    "limit_set": Route({"POST": Rule(only("firm_admin", "owner_finance", "foreign"), ok=TRIED | {404}, body=_limit_form)}),
    "limit_change": acts("spending_limit", only("firm_admin"), only("foreign"), ok=TRIED, body=_amount_form),
    "limit_close": acts("spending_limit", only("firm_admin"), only("foreign")),
    "provider_difference_again": acts("difference", BILLING | only("operator"), only("operator"), ok=TRIED, role_first=True),
    "provider_difference_resolve": acts(
        "difference", BILLING | only("operator"), only("operator"), ok=TRIED, body=reason, role_first=True
    ),
    "provider_news_close": acts("provider_event", only("operator"), only("operator"), ok=TRIED, body=reason, role_first=True),
    "provider_news": reads(BILLING | only("operator", "inspector")),
    "provider_news_again": acts("provider_event", only("operator"), only("operator"), role_first=True),
    "utilisation_list": reads(OWNERS | OFFICIALS, ok=frozenset({200, 302})),
    "utilisation_lab": Route({"GET": Rule(OWNERS | OFFICIALS, OFFICIALS)}, "owner"),
    "utilisation_records": Route({"GET": Rule(OWNERS)}, "owner"),
    "utilisation_file": Route({"GET": Rule(OWNERS | OFFICIALS, OFFICIALS)}, "owner"),
    "slip_detail": reads_object("slip"),
    "slip_file": reads(),
    "reservation_detail": reads_object("reservation:agreed"),
    "reservation_quote_pdf": reads_object("reservation:agreed"),
    "reservation_calendar": reads_object("reservation:approved"),
    "reservation_cancel": Route(
        {"GET": Rule(*SEES["reservation"]),
         "POST": Rule(CUSTOMERS | LAB, only("foreign"), OK_POST, body=reason)},
        "reservation:requested",
    ),
    "instrument_hold": Route({"POST": Rule(*SEES["hidden"], OK_POST)}, "hidden"),
    "colleague_list": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "colleague_end": acts("consent", CUSTOMERS, only("foreign")),
    "wait_list": reads(),
    "wait_join": Route({"GET": Rule(*SEES["hidden"]), "POST": Rule(*SEES["hidden"], TRIED)}, "hidden"),
    "wait_accept": acts("wait", only("researcher"), only("foreign")),
    "wait_decline": acts("wait", only("researcher"), only("foreign")),
    "wait_withdraw": acts("wait", only("researcher"), only("foreign")),
    "book_together": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "series_create": Route({"GET": Rule(*SEES["hidden"]), "POST": Rule(*SEES["hidden"], TRIED)}, "hidden"),
    "series_detail": reads_object("series"),
    "series_change": form("series", CUSTOMERS | LAB, only("foreign")),
    "reservation_again": Route({"GET": Rule(CUSTOMERS, only("foreign"), frozenset({302}))}, "reservation:requested"),
    "fee_waive": acts("reservation:approved", LAB, ok=TRIED, body=lambda world: {"amount": "1", "reason": "Ill."}),
    "reservation_move": form("reservation:approved", CUSTOMERS | LAB, only("foreign")),
    "reservation_swap": form("reservation:approved", CUSTOMERS | LAB, only("foreign")),
    "move_accept": acts("move", LAB, params=("pk", "change")),
    "move_refuse": acts("move", LAB, params=("pk", "change"), body=reason),
    "move_withdraw": acts("move", CUSTOMERS, only("foreign"), params=("pk", "change")),
    "reservation_accept_quote": acts("reservation:waiting", CUSTOMERS, only("foreign")),
    "approval_inbox": reads(LAB),
    "reservation_suggest": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED)}, "reservation:requested"),
    "approval_settings": reads(LAB),
    "approval_reasons": acts("owner", LAB, body=lambda world: {"text": "No.", "text_en": ""}),
    "approval_absence": acts("owner", LAB, ok=TRIED),
    "approval_absence_end": acts("delegation", LAB),
    "approval_decide": Route({"POST": Rule(LAB, ok=TRIED)}),
    "approval_take_back": Route({"POST": Rule(LAB, ok=TRIED)}),
    "approval_samples": reads(LAB),
    "approval_samples_decide": Route({"POST": Rule(LAB, ok=TRIED)}),
    "approval_samples_take_back": Route({"POST": Rule(LAB, ok=TRIED)}),
    "reservation_approve": acts("reservation:requested", LAB),
    "reservation_reject": acts("reservation:requested", LAB, body=reason),
    "sessions_today": reads(LAB),
    "session_longer": form("reservation:in_use", LAB),
    "session_check_in": acts("reservation:approved", LAB, ok=TRIED),
    "session_check_out": acts("reservation:in_use", LAB),
    "session_no_show": acts("reservation:missed", LAB),
    "session_reviews": reads(OWNERS),
    "session_problems": reads(LAB),
    "problem_attach": acts("run", LAB, ok=TRIED, body=_attach),
    "problem_ignore": acts("run", LAB, body=reason),
    "session_enter": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED)}),
    "session_labels": reads(LAB),
    "session_label_code": reads_object("code"),
    "session_label_renew": acts("instrument", LAB),
    "session_label_ticks": acts("instrument", LAB, body=lambda world: {"ticks": "Gloves on"}),
    "session_devices": Route({"GET": Rule(LAB), "POST": Rule(LAB, ok=TRIED | {404})}),
    "session_device_revoke": acts("device_key", LAB),
    "session_extra_add": acts("reservation:over", LAB, body=lambda world: {"words": "cell", "rate": "5", "quantity": "1"}),
    "session_extra_answer": acts("session_extra", CUSTOMERS, only("foreign"), extra={"answer": "decline"}),
    "usage_agree": acts("reservation:over", CUSTOMERS | LAB, only("foreign")),
    "usage_adjust": acts("reservation:over", CUSTOMERS, only("foreign"), body=lambda world: {"nothing": "yes", "reason": "because"}),
    "usage_charge_less": acts("reservation:over", LAB, body=lambda world: {"nothing": "yes", "reason": "because"}),
    "usage_answer": acts("reservation:adjusting", LAB, body=lambda world: {"answer_is": "accept"}),
    "usage_dispute": acts("reservation:over", CUSTOMERS, only("foreign"), body=reason),
    "usage_decide": acts("reservation:disputed", OWNERS, ok=TRIED, body=_decision),
    "usage_close_out": acts("reservation:over", LAB),
    "usage_confirm_grade": acts("reservation:graded", OWNERS, ok=TRIED),
    "here_now": Route({"GET": Rule(PERSONS, ok=frozenset({200, 422}))}),
    "here_start": Route({"POST": Rule(PERSONS, ok=TRIED)}),
    "here_extend": Route({"POST": Rule(PERSONS, ok=TRIED)}),
    "here_end": Route({"POST": Rule(PERSONS, ok=TRIED)}),
    "here_agree": Route({"POST": Rule(PERSONS, ok=TRIED)}),
    "here_report": Route({"POST": Rule(PERSONS, ok=TRIED)}),
    "here_scan": reads_object("scan", ok=frozenset({302}), params=("code",)),
    "programme_drafts": Route({"GET": Rule(SUPERVISORS), "POST": Rule(OFFICER, ok=TRIED, body=lambda world: {"template": "HE-LF"})}),
    "programme_draft": reads_object("draft"),
    "programme_draft_edit": form("draft", OFFICER),
    "programme_draft_text": reads_object("draft", post=Rule(OFFICER, ok=TRIED, body=lambda world: {"text": "{}"})),
    "programme_draft_step": acts("draft", OFFICER, ok=TRIED, body=reason, extra={"step": "drop"}),
    "programme_budgets": reads(SUPERVISORS),
    "programme_trials": Route({"GET": Rule(SUPERVISORS), "POST": Rule(OFFICER, ok=TRIED, body=_trial)}),
    "programme_trial": reads_object("trial"),
    "programme_trial_progress": reads_object("trial", ok=frozenset({200, 204}), fragment=True),
    "programme_trial_cancel": acts("trial", OFFICER, ok=TRIED),
    "programme_trial_resume": acts("trial", OFFICER, ok=TRIED),
    "programme_trial_file": reads_object("trial", extra={"kind": "xlsx"}),
    "programme_list": reads(EVERYBODY),
    "programme_detail": reads_object("programme", params=("code",)),
    "price_list": reads(OWNERS),
    "price_family_create": Route({"POST": Rule(OWNERS, ok=OK_POST, role_first=True, body=_price_family)}),
    "price_members": acts("price_family", OWNERS, ok=OK_POST),
    "price_show": Route({"GET": Rule(OWNERS)}, "instrument", extra={"what": "instrument"}),
    "price_draft": form("instrument", OWNERS, extra={"what": "instrument"}),
    "price_discard": acts("instrument", OWNERS, extra={"what": "instrument"}),
    "price_review": Route(
        {"GET": Rule(OWNERS, ok=OK_POST), "POST": Rule(OWNERS, ok=TRIED)}, "instrument", extra={"what": "instrument"}
    ),
    "finance_period": reads(SUPERVISORS),
    "statement_issue": Route(
        {"GET": Rule(only("finance"), ok=frozenset({200, 422})), "POST": Rule(only("finance"), ok=TRIED, body=_issue)},
        query="?version={version}&payee={payee}&month=2026-10",
    ),
    "statement_list": reads(SUPERVISORS | PAYEES),
    "statement_proposal": reads_object("statement_proposal"),
    "statement_proposal_issue": acts("statement_proposal", only("finance"), only("finance"), ok=TRIED, role_first=True),
    "statement_proposal_decline": acts(
        "statement_proposal", only("finance"), only("finance"), ok=TRIED, body=reason, role_first=True
    ),
    "statement_detail": reads_object("statement"),
    "statement_progress": reads_object("statement", ok=frozenset({200, 204, 286}), fragment=True),
    "statement_retry": acts("statement", only("finance"), only("finance"), ok=TRIED, role_first=True),
    "statement_download": reads_object("statement", extra={"kind": "pdf"}),
    "statement_line": reads_object("statement", extra={"position": 1}),
    "organisation_list": reads(),
    "organisation_create": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "organisation_join": reads(),
    "organisation_detail": reads_object("organisation", public=True),
    "organisation_edit": form("organisation", only("firm_admin"), only("foreign")),
    "organisation_verify": form("organisation", only("firm_admin"), only("foreign")),
    "organisation_invite": form("organisation", only("firm_admin"), only("foreign")),
    "organisation_suspend": form("organisation", only("operator"), only("operator"), role_first=True),
    "join_request": acts("organisation", CUSTOMERS | OFFICIALS, OFFICIALS | only("foreign"), ok=TRIED),
    "member_edit": form("member", only("firm_admin"), only("foreign"), params=("pk", "user_id")),
    "member_remove": acts("member", CUSTOMERS, only("foreign"), ok=TRIED, params=("pk", "user_id")),
    "invitation_withdraw": acts("invitation", *ADMINISTRATORS),
    "invitation_accept": reads_object("invitation_token", params=("token",), ok=frozenset({200, 403, 422}),
                                      post=Rule(PERSONS, PERSONS, TRIED | {403})),
    "join_request_decide": acts("join_request", *ADMINISTRATORS, ok=TRIED),
    "eligibility": reads(EVERYBODY),
    "firm_facts": reads_object("organisation"),
    "firm_declare": form("organisation", only("firm_admin"), only("foreign"), extra={"kind": "label"}),
    "income_list": reads_object("earner"),
    "income_declare": form("earner", OWNERS),
    "income_queue": reads(SUPERVISORS),
    "income_decide": form("income", OFFICER, OFFICER, role_first=True),
    "income_evidence": reads_object("income"),
    "wallet": Route({"GET": Rule(CUSTOMERS | SUPERVISORS, SUPERVISORS | only("foreign"))}, "organisation"),
    "declaration_queue": reads(only("operator")),
    "declaration_decide": form("declaration", only("operator"), only("operator"), role_first=True),
    "declaration_evidence": reads_object("declaration"),
    "credit_lists": Route({"GET": Rule(only("operator")), "POST": Rule(only("operator"), ok=TRIED)}),
    "partner_list": reads(EVERYBODY),
    "partner_create": Route({"GET": Rule(OFFICER), "POST": Rule(OFFICER, ok=TRIED)}),
    "partner_edit": form("partner", OFFICER, OFFICER, role_first=True),
    "partner_import": form("partner", OFFICER, OFFICER, role_first=True),
    "account_list": reads(SUPERVISORS),
    "ledger_list": reads(SUPERVISORS | only("owner_finance")),
    "ledger_codes": Route({"POST": Rule(only("owner_finance"), ok=TRIED, body=_codes_form)}),
    "ledger_export": reads(SUPERVISORS | only("owner_finance")),
    "ledger_check": Route(
        {"GET": Rule(CHECKERS), "POST": Rule(CHECKERS, ok=TRIED)},
    ),
    "ledger_account": Route({"GET": Rule(SUPERVISORS | only("owner_finance"), SUPERVISORS, role_first=True)}, "ledger_account"),
    "opening_load": Route({"GET": Rule(only("finance")), "POST": Rule(only("finance"), ok=TRIED)}),
    "account_detail": Route({"GET": Rule(SUPERVISORS, SUPERVISORS, role_first=True)}, "account"),
    "account_top_up": form("account", PAYERS, PAYERS, role_first=True),
    "top_up_decide": form("top_up", PAYERS, PAYERS, role_first=True),
    "figure_ask": form("figure_version", PAYERS, PAYERS, role_first=True, extra={"cap_id": "pool"}),
    "figure_decide": form("figure", PAYERS, PAYERS, role_first=True),
    "version_end": form("figure_version", OFFICER, OFFICER, role_first=True),
    "version_end_decide": form("version_end", OFFICER, OFFICER, role_first=True),
    "account_suspend": form("account", PAYERS, PAYERS, role_first=True),
    "account_last_day": form("account", PAYERS, PAYERS, role_first=True),
    "account_close": form("account", PAYERS, PAYERS, role_first=True),
    "announcement_list": reads(EVERYBODY),
    "announcement_create": Route({"GET": Rule(OFFICER), "POST": Rule(OFFICER, ok=TRIED)}),
    "application_list": reads(PAYERS),
    "voucher_redemptions": reads(OWNERS),
    "voucher_recognise": Route({"GET": Rule(OFFICER), "POST": Rule(OFFICER, ok=TRIED)}),
    "announcement_detail": reads_object("announcement", public=True),
    "announcement_publish": acts("announcement", OFFICER, OFFICER, ok=TRIED, role_first=True),
    "application_create": form("announcement", only("firm_admin", "foreign"), role_first=True),
    "application_detail": reads_object("application"),
    "application_evidence": reads_object("application"),
    "application_review": acts("application", OFFICER, OFFICER, ok=TRIED, role_first=True),
    "application_issue": acts("application", PAYERS, PAYERS, ok=TRIED, role_first=True),
    "application_refuse": acts("application", PAYERS, PAYERS, ok=TRIED, role_first=True),
    "application_withdraw": acts("application", only("firm_admin"), only("foreign"), ok=TRIED),
    "voucher_detail": reads_object("voucher"),
    "voucher_return": acts("voucher", only("firm_admin"), only("foreign"), ok=TRIED),
    "verification_queue": reads(only("operator")),
    "verification_decide": form("verification", only("operator"), only("operator"), role_first=True),
    "verification_licence": reads_object("verification"),
    "sample_list": reads(),
    "sample_create": Route({"GET": Rule(PERSONS, PERSONS), "POST": Rule(PERSONS, PERSONS, ok=TRIED)}, "test_item"),
    "sample_quote": Route({"GET": Rule(PERSONS, PERSONS)}, "test_item", fragment=True),
    "sample_board": reads(OWNERS),
    "sample_all": reads(OWNERS),
    "sample_scan": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED | {404})}),
    "sample_at": reads_object("sample_code", params=("code",)),
    "sample_at_step": acts("sample_code", LAB, params=("code",), ok=TRIED, body=lambda world: {"step": "receive"}),
    "sample_job": reads_object("sample_job"),
    "sample_labels": reads_object("sample_job"),
    "sample_accept": acts("sample_job", LAB, ok=TRIED, body=_promised),
    "sample_refuse": acts("sample_job", LAB, ok=TRIED, body=reason),
    "sample_step": acts("sample_job:accepted", LAB, ok=TRIED, body=_sample_step),
    "sample_remains": acts("sample_job:tested", LAB, ok=TRIED, body=_sample_remains),
    "sample_extra_propose": acts("sample_job:accepted", LAB, ok=TRIED, body=lambda world: {**_extra(world), "amount": "1"}),
    "sample_report": acts("sample_job:tested", LAB, ok=TRIED, body=_report),
    "sample_close_out": acts("sample_job:tested", LAB, ok=TRIED),
    "sample_confirm_grade": acts("sample_job:tested", OWNERS, ok=TRIED),
    "sample_rate": acts("sample_job:reported", CUSTOMERS, only("foreign"), ok=TRIED, body=lambda world: {"stars": "5"}),
    "sample_cancel": acts("sample_job", *EITHER, ok=TRIED, body=reason),
    "sample_accept_quote": acts("sample_job", CUSTOMERS, only("foreign"), ok=TRIED),
    "sample_commission": acts("sample_job", CUSTOMERS, only("foreign"), ok=TRIED | {404}, body=_commission),
    "sample_parcel": acts("sample_job:accepted", CUSTOMERS, only("foreign"), ok=TRIED, body=_parcel),
    "sample_extra_answer": acts("sample_extra", CUSTOMERS, only("foreign"), ok=TRIED, extra={"answer": "agree"}),
    "sample_object": acts("sample_job:reported", CUSTOMERS, only("foreign"), ok=TRIED, body=reason),
    "sample_close": acts("sample_job:reported", CUSTOMERS, only("foreign"), ok=TRIED),
    "sample_report_file": reads_object("sample_report"),
    "enquiry_list": reads(),
    "enquiry_inbox": reads(OWNERS),
    "enquiry_create": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}, query="?instrument={instrument}"),
    "enquiry_detail": reads_object("enquiry"),
    "enquiry_write": acts("enquiry", *EITHER, body=_message),
    "enquiry_close": acts("enquiry", *EITHER),
    "enquiry_file": reads_object("enquiry_file"),
    "answer_time_set": acts("owner", LAB, body=lambda world: {"workdays": "2"}),
    "need_create": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "need_detail": reads_object("need"),
    "quotation_create": form("enquiry", LAB),
    "quotation_edit": form("quotation:draft", LAB),
    "quotation_detail": reads_object("quotation"),
    "quotation_send": acts("quotation:draft", LAB),
    "quotation_withdraw": acts("quotation", LAB),
    "quotation_accept": acts("quotation", CUSTOMERS, only("foreign"), ok=TRIED, body=lambda world: {"key": KEY, "total_fen": "1"}),
    "quotation_decline": acts("quotation", CUSTOMERS, only("foreign"), body=reason),
    "quotation_pdf": reads_object("quotation"),
    "quotation_retry": acts("quotation", *EITHER, ok=TRIED),
    "commission_list": reads(),
    "commission_detail": reads_object("commission:signed"),
    "commission_edit": form("commission:draft", *EITHER),
    "commission_issue": acts("commission:draft", LAB),
    "commission_sign": acts("commission:issued", *SIGNATORIES, ok=TRIED, body=_signed),
    "commission_scan": acts("commission:issued", *SIGNATORIES, body=_sealed),
    "commission_cancel": acts("commission:issued", *EITHER, body=reason),
    "commission_finish": acts("commission:signed", LAB),
    "commission_link": acts("commission:issued", *EITHER, ok=TRIED | {404}, body=_link),
    "commission_charge": acts("commission:signed", LAB, ok=TRIED, body=_line_charge),
    "commission_unlink": acts("commission:issued", *EITHER, ok=TRIED | {404}, body=_link),
    "commission_retry": acts("commission:signed", *EITHER, ok=TRIED),
    "commission_pdf": reads_object("commission:signed", extra={"copy": "signed"}),
    "commission_scan_file": reads_object("commission:signed", extra={"side": "lab"}),
    "find_a_time": reads(EVERYBODY),
    "time_alert_list": reads(),
    "time_alert_create": Route({"POST": Rule(PERSONS, ok=OK_POST)}),
    "time_alert_forget": acts("time_alert", *SEES["time_alert"]),
    "notice_list": reads(),
    "notice_bell": reads(EVERYBODY, ok=frozenset({200, 204}), fragment=True),
    "notices_read": Route({"POST": Rule(PERSONS, ok=OK_POST)}),
    "notice_open": reads_object("notice", ok=frozenset({302})),
    "notice_read": acts("notice", *SEES["notice"]),
    "notice_settings": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "notice_unsubscribe": form("notice_token", EVERYBODY, EVERYBODY, params=("token",), public=True),
    "channel_address": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}, extra={"channel": "sms"}),
    "channel_code": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}, extra={"channel": "sms"}),
    "channel_forget": Route({"POST": Rule(PERSONS, ok=OK_POST)}, extra={"channel": "sms"}),
    "mail_log": reads(only("lab_manager", "operator")),
    "mail_resend": acts("delivery", *SEES["delivery"]),
    "webhook_list": Route({"GET": Rule(*ADMINISTRATORS)}, "organisation"),
    "webhook_create": form("organisation", *ADMINISTRATORS),
    "webhook_detail": reads_object("webhook", post=Rule(*SEES["webhook"], TRIED)),
    "webhook_test": acts("webhook", *SEES["webhook"]),
    "webhook_secret": acts("webhook", *SEES["webhook"]),
    "webhook_remove": acts("webhook", *SEES["webhook"]),
    "webhook_redeliver": acts("webhook_delivery", *SEES["webhook_delivery"]),
    "token_list": reads(),
    "token_create": Route({"GET": Rule(PERSONS), "POST": Rule(PERSONS, ok=TRIED)}),
    "token_revoke": acts("token", *SEES["token"]),
}  # fmt: skip

MATRIX: dict[str, Route] = {**API, **PAGES}

#: Addresses of libraries: what they let in is theirs to test; here they must not break and must not leak.
OUTSIDE: Roles = frozenset({
    "stripe_event",
    "account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate", "account_email",
    "account_email_verification_sent", "account_change_password", "account_set_password", "account_reset_password",
    "account_confirm_login_code", "account_confirm_email", "account_reset_password_from_key_done",
    "account_reset_password_from_key", "account_reset_password_done", "mfa_index", "mfa_authenticate", "mfa_reauthenticate",
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
})  # fmt: skip
