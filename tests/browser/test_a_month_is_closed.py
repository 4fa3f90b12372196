"""A month of the demo province closed in the browser: the lab's bills and the office's statements by two people of finance each, what the
lab redeems by the office's three, what customers pay by the bank's list, and a correction that comes too late and is taken off the next
batch."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from tests.browser.hands import Hands
from tests.browser.journey import yuan
from tests.browser.running_site import Site, running
from tests.browser.stage import months_ago
from tests.browser.visitors import Visitor, Visitors
from tests.databases import CommittedDatabase

pytestmark = pytest.mark.proof

PATIENCE_SECONDS = 240
"""The worker makes dozens of papers, on a machine that may be busy."""
WINDOW_OVER, PUBLIC_OVER = 16, 30
"""Days from now: the demo's open batch takes claims for fourteen; a programme's claims are public for a week or two."""
LAB = ("lab-finance@demo.jishi.example", "lab-finance-2@demo.jishi.example")
OFFICE = ("finance@demo.jishi.example", "finance-2@demo.jishi.example")
OFFICER = "officer@demo.jishi.example"
OF_MONEY = (
    *("claims.", "bills.", "payments.", "ledger.", "settlement.", "month."),
    *("papers.", "receipts.", "invoices.", "prepaid."),
)
DATES = "papers.dates_follow_numbers"
"""The stage opens a batch weeks ago, after the demo has numbered one of today: that alone may be wrong before the month begins."""


@dataclass
class Office:
    """People at their desks, on the platform's own clock; ``files``: what they downloaded, by a name of ours; ``batch``: whose
    payment lists were paid; ``wrong``: what the invariants found before they began."""

    people: Visitors
    site: Site
    days: Path
    desks: dict[str, Visitor] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    batch: int = 0
    hands: Hands = field(default_factory=Hands)
    machine_s: dict[str, float] = field(default_factory=dict)
    wrong: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of the month: what hands do in it is counted, and by the clock what the machine takes."""
        self.hands.part, began = name, time.perf_counter()
        yield
        self.machine_s[name] = time.perf_counter() - began
        self.hands.part = ""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=int(self.days.read_text()))

    def later(self, days: int) -> None:
        """So many days after the test began; everybody logs in again."""
        self.days.write_text(str(days))
        for email, desk in self.desks.items():
            desk.context.add_cookies([self._cookie(email)])

    def at(self, email: str) -> Visitor:
        if email not in self.desks:
            self.desks[email] = self.people.fresh("anonymous", "en", timezone_id="Asia/Shanghai", accept_downloads=True)
            self.desks[email].context.add_cookies([self._cookie(email)])
            self.hands.watch(self.desks[email].context)
            self.desks[email].context.set_default_timeout(PATIENCE_SECONDS * 1000)
        return self.desks[email]

    def _cookie(self, email: str) -> dict[str, Any]:
        moment = self.now()
        with mock.patch("django.utils.timezone.now", lambda: moment):
            return self.site.session_cookie(email)

    def open(self, email: str, path: str) -> Page:
        desk = self.at(email)
        assert desk.open(path).status == 200, path
        return desk.page

    def download(self, page: Page, address: str, name: str) -> bytes:
        """A file behind a link of the page, once it is there."""
        answer = page.request.get(self.site.address + address if address.startswith("/") else address)
        assert answer.status == 200, (address, answer.status)
        self.files[name] = answer.body()
        return self.files[name]


@pytest.fixture(scope="module")
def office(
    template: CommittedDatabase, chromium: Browser, home: Path, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """A platform of its own: its clock moves on, and its month is closed."""
    days = tmp_path_factory.mktemp("clock") / "days"
    days.write_text("0")
    with running(
        template,
        "month",
        home,
        django_db_blocker,
        "tests.browser.later_app:application",
        JISHI_TEST_DAYS=str(days),
        JISHI_SECOND_PERSON_FROM_YUAN="1",
    ) as site:
        people = Visitors(chromium, site)
        yield Office(people, site, days, wrong=_wrong(site))
        people.close()


def said(page: Page, words: str) -> None:
    expect(page.locator("body")).to_contain_text(words)


def press(page: Page, words: str | re.Pattern[str]) -> None:
    button = page.get_by_role("button", name=words).first
    page.wait_for_load_state("load")
    assert button.count() and button.is_visible(), f"{words} {page.url}\n{page.get_by_role('main').inner_text()[:2000]}"
    button.click()
    page.wait_for_load_state("load")


def unfold(page: Page, words: str) -> None:
    page.locator("summary", has_text=words).first.click()


def again_until(page: Page, words: str) -> None:
    """Look again until the worker is done."""
    for _ in range(PATIENCE_SECONDS * 2):
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(page.get_by_role("main").inner_text()[:2000])


@pytest.fixture(scope="module")
def closed(office: Office) -> Office:
    """The whole month; what it leaves is looked at by the tests."""
    month = months_ago(datetime.now(UTC), 1).strftime("%Y-%m")
    with office.part("bills"):
        _bills(office, month)
    with office.part("money that came in"):
        _money_comes_in(office)
    with office.part("statements"):
        _statements(office, month)
    claim, batch = _hand_in(office)
    office.batch = int(batch.split("/")[2])
    credited = _credit_after_submission(office, claim)
    _review(office, batch)
    _pay(office, batch, claim)
    _next_batch(office, claim, credited)
    return office


def _bills(office: Office, month: str) -> None:
    """Drafts, what is odd, a line to the next month, hand-over, release, documents, export, closed: by two people of the lab."""
    first, second = LAB
    page = office.open(first, f"/month/?month={month}")
    page.get_by_role("link", name="Look at what drafts would say").click()
    page.get_by_label("Days to pay").fill("20")  # other ones than the stage's drafts have
    press(page, "Look with these days")
    press(page, "Make the drafts")
    expect(page).to_have_url(re.compile(r"/month/runs/\d+"))
    run = page.url.removeprefix(office.site.address)
    odd = page.locator("a.chip[href='?show=odd']")
    if odd.count():
        odd.click()
    page.locator("table.data tbody th a").first.click()
    unfold(page, "Leave out")
    page.get_by_label("Why").first.fill("The customer asks for the log first")
    press(page, "To the next month")
    said(page, "postponed to")
    page = office.open(first, run)
    press(page, "Hand over for release")
    expect(page.get_by_role("button", name=re.compile("Release and issue"))).to_have_count(0)
    page = office.open(second, run)
    press(page, re.compile("Release and issue"))
    again_until(page, ", 0 still to issue, 0 not issued")
    page = office.open(second, f"/month/?month={month}")
    press(page, "Export the documents")
    again_until(page, "The link holds until")
    office.download(page, str(page.get_by_role("link", name="ZIP").get_attribute("href")), "bills.zip")
    page = office.open(second, f"/month/?month={month}")
    unfold(page, "Close the month")
    press(page, re.compile("^Close 2|^Close [A-Z]"))
    said(page, "This month is closed")


TOO_MUCH = 88_00


def _money_comes_in(office: Office) -> None:
    """The bank's list is taken in and matched: a bill is paid exactly, one with too much, which is seen and sent back, one in part, which
    is seen as well; what went out is left alone."""
    exact, over, part = _open_bills(office)
    rows = [
        (exact, exact.open_fen, f"月结 {exact.reference}"),
        (over, over.open_fen + TOO_MUCH, f"月结 {over.reference}"),
        (part, part.open_fen // 2, f"月结 测试费 {part.reference}"),
    ]
    head = ["交易日期", "对方户名", "对方账号", "摘要", "贷方发生额", "借方发生额", "流水号"]
    day = f"{office.now():%Y-%m-%d}"
    lines = [
        [day, bill.customer_name, "", purpose, f"{fen / 100:.2f}", "", f"A{place}"]
        for place, (bill, fen, purpose) in enumerate(rows)
    ]
    lines.append([day, "电力公司", "", "电费", "", "310.00", "A9"])
    text = io.StringIO()
    csv.writer(text).writerows([head, *lines])
    page = office.open(LAB[0], "/payments/import/")
    page.get_by_label("The bank's list").set_input_files(
        {"name": "bank.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode("gb18030")}
    )
    press(page, "Take in")
    said(page, "3 payments taken in; 0 were known already, 1 rows went out.")
    for bill, fen, purpose in rows:
        row = page.locator("table.data tbody tr", has_text=purpose)
        given = row.locator("form", has_text=bill.number).get_by_role("button")
        expect(given).to_contain_text(f"Give ¥{min(fen, bill.open_fen) / 100:,.2f}")
        given.click()
        said(page, "The money is given to the bill.")
    left = page.locator("table.data tbody tr", has_text=rows[1][2])
    expect(left.locator("td[data-label='Free']")).to_contain_text(f"{TOO_MUCH / 100:.2f}")
    look(page, "payments")
    left.locator("th a").click()
    unfold(page, "Send back")
    page.get_by_label("Reason").last.fill("More than the bill")
    page.get_by_role("button", name="Send back").click()
    said(page, "What goes back stands with the payment.")
    look(page, "overpaid")
    for bill, words in ((exact, "Paid"), (over, "Paid"), (part, "Paid in part")):
        page = office.open(LAB[1], f"/bills/{bill.bill_id}/")
        expect(page.locator(".page-head")).to_contain_text(words)
    look(page, "underpaid")


def _open_bills(office: Office) -> list[Any]:
    """The latest three bills of which something is open."""
    from billing.payments.queries import open_bills
    from tests.browser.stage import persona

    with office.site.data():
        actor = persona(LAB[0])
        found = open_bills(actor, sorted(actor.organisations()))
    assert len(found) >= 3
    return sorted(found, key=lambda bill: bill.bill_id)[-3:]


def look(page: Page, name: str) -> None:
    """``JISHI_KEEP_PAPERS``: the page as a picture beside the papers."""
    if kept := os.environ.get("JISHI_KEEP_PAPERS"):
        page.screenshot(path=Path(kept) / f"page-{name}.png", full_page=True)


def _statements(office: Office, month: str) -> None:
    """The same for what the office says to payees, by two people of the office."""
    first, second = OFFICE
    page = office.open(first, f"/month/?month={month}")
    page.get_by_role("link", name="Look at what drafts would say").click()
    press(page, "Make the drafts")
    run = page.url.removeprefix(office.site.address)
    press(page, "Hand over for release")
    page = office.open(second, run)
    press(page, re.compile("Release and issue"))
    again_until(page, ", 0 still to issue, 0 not issued")
    page = office.open(second, f"/month/?month={month}")
    press(page, "Export the documents")
    again_until(page, "The link holds until")
    office.download(page, str(page.get_by_role("link", name="ZIP").get_attribute("href")), "statements.zip")
    page = office.open(second, f"/month/?month={month}")
    unfold(page, "Close the month")
    press(page, re.compile("^Close 2|^Close [A-Z]"))
    said(page, "This month is closed")


def _hand_in(office: Office) -> tuple[str, str]:
    """The lab hands in what it redeems; the addresses of its claim and of the batch."""
    page = office.open(LAB[0], "/claims/?open=1")
    page.locator("table.data tbody tr", has_text="To be handed in").locator("th a").first.click()
    claim = page.url.removeprefix(office.site.address)
    press(page, re.compile("Hand in over"))
    said(page, "The claim is handed in.")
    page = office.open(OFFICER, claim)
    batch = str(page.locator("main a[href^='/claim-batches/']").first.get_attribute("href"))
    return claim, batch


def _credit_after_submission(office: Office, claim: str) -> int:
    """The lab credits a session that it has claimed already; fen of subsidy that have to come back."""
    from billing.models import BillLine, ClaimLine

    with office.site.data():
        charges = ClaimLine.objects.filter(claim_id=int(claim.split("/")[2]), kind="award", standing="included").order_by(
            "position"
        )
        line = BillLine.objects.filter(charge__in=charges.values("award__charge"), voided=False).select_related("bill").first()
    assert line is not None
    page = office.open(LAB[0], f"/bills/{line.bill_id}/lines/{line.position}/credit/")
    left = yuan(page.locator("p", has_text="Left:").first.inner_text().split("Left:")[-1])
    page.get_by_label("Amount to credit").fill(f"{left / 200:.2f}")
    page.get_by_label("Why").select_option(index=1)
    page.get_by_label("In your words").fill("The detector failed for half of the time")
    press(page, "Show what it does")
    said(page, "so it is taken off the next claim of its payee")
    press(page, re.compile("^Credit ¥"))
    with office.site.data():
        from billing.models import AwardReversal

        return int(AwardReversal.objects.latest("pk").amount_fen)


def _review(office: Office, batch: str) -> None:
    """After the window: closed, passed by a reviewer, made public, approved by somebody else once nobody objects any more."""
    from billing.claims.services import publishing

    office.later(WINDOW_OVER)
    page = office.open(OFFICER, batch)
    press(page, "Close and begin the review")
    said(page, "The review begins.")
    press(page, re.compile("Pass what is clean"))
    said(page, "1 claim was done.")
    press(page, re.compile("Make public"))
    said(page, "The claims are public now.")
    public = str(page.locator("main a[href^='/publicity/']").first.get_attribute("href"))
    anybody = office.people.fresh("anonymous", "en")
    anybody.open(public)
    expect(anybody.page.get_by_role("table")).to_contain_text("SQ-")
    office.later(PUBLIC_OVER)
    with office.site.data():
        assert publishing.end_due(office.now()) >= 1
    page = office.open(OFFICE[0], batch)
    press(page, "Approve what can be approved")
    said(page, "1 claim was done.")


def _pay(office: Office, batch: str, claim: str) -> None:
    """A payment list of each payer, made, checked and approved by three people; what the treasuries paid."""
    page = office.open(OFFICE[1], batch)
    press(page, re.compile("^Make .*payment list"))
    links = office.open(OFFICE[1], batch).locator("main a[href^='/payout-lists/']")
    for paying in reversed([str(link.get_attribute("href")) for link in links.all()]):
        _pay_list(office, paying)
    page = office.open(LAB[0], claim)
    said(page, "Paid")
    for suffix in ("pdf", "xlsx"):
        link = page.locator(f"a[href*='/form/'][href$='{suffix}']").first
        office.download(page, str(link.get_attribute("href")), f"form.{suffix}")


def _pay_list(office: Office, paying: str) -> None:
    """One list, from its second signature to the papers; of several the last one's papers stay."""
    press(office.open(OFFICER, paying), "Checked")
    page = office.open(OFFICE[0], paying)
    press(page, "Approve")
    page = office.open(OFFICE[1], paying)
    unfold(page, "Record")
    page.get_by_label("Bank's reference").fill("20261228-0001")
    press(page, "Record")
    said(page, "Paid")
    again_until(page, "PDF")
    for suffix in ("pdf", "xlsx"):
        link = page.locator(f"a[href*='/list/'][href$='{suffix}']").first
        office.download(page, str(link.get_attribute("href")), f"list.{suffix}")


def _next_batch(office: Office, claim: str, credited: int) -> None:
    """What is opened for last month and this one takes the correction off; on the first day of a month nothing was used in it yet."""
    page = office.open(OFFICER, "/claim-batches/")
    unfold(page, "Open a batch")
    first = months_ago(datetime.now(UTC), 0)
    page.get_by_label("Programme").select_option(label="DEMO-QH-V")
    page.get_by_label("How it is settled").select_option("deducted_now")
    page.get_by_label("Services from").fill(months_ago(datetime.now(UTC), 1).isoformat())
    page.get_by_label("Services until").fill((first + timedelta(days=27)).isoformat())
    press(page, "Open the batch")
    press(page, "Fill with what can be claimed")
    with office.site.data():
        from billing.models import Claim, ClaimLine

        paid = Claim.objects.get(pk=int(claim.split("/")[2]))
        taken = ClaimLine.objects.filter(claim__payee=paid.payee, kind="clawback", standing="included")
        again = taken.latest("pk").claim
        assert -sum(taken.values_list("amount_fen", flat=True)) == credited > 0
        notice = int(taken.latest("pk").clawback_id)
    page = office.open(LAB[0], f"/claims/{again.pk}/")
    said(page, "ZH-")
    page = office.open(LAB[0], f"/clawbacks/{notice}/")
    said(page, "Taken off claims")
    said(page, "Purpose on the transfer")
    look(page, "clawback")
    look(office.open(OFFICE[0], "/clawbacks/?all=1"), "clawbacks")
    page = office.open(OFFICE[0], f"/clawbacks/{notice}/")
    unfold(page, "Record money that came back")
    look(page, "clawback-office")
    page = office.open(LAB[0], claim)
    again_until(page, "PDF ZH-")
    link = page.locator("a[href*='/clawback/'][href$='pdf']").first
    office.download(page, str(link.get_attribute("href")), "clawback.pdf")


def _wrong(site: Site) -> dict[str, tuple[str, ...]]:
    """What the invariants of money and its papers find."""
    from config.kernel import invariants

    with site.data():
        found = {name: one().violations for name, one in invariants.registered().items() if name.startswith(OF_MONEY)}
    return {name: wrong for name, wrong in found.items() if wrong}


def test_two_people_of_finance_close_a_month_and_a_late_correction_flows_into_the_next_batch(closed: Office) -> None:
    assert set(closed.wrong) <= {DATES}
    assert _wrong(closed.site) == closed.wrong
    for name in ("bills.zip", "statements.zip"):
        with zipfile.ZipFile(io.BytesIO(closed.files[name])) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            assert manifest and len(archive.namelist()) > 2
    for desk in closed.desks.values():
        assert desk.faults.found == []


def test_the_month_takes_its_people_less_than_a_quarter_of_an_hour(closed: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Hands by the keystroke-level model and eyes by page (``tests/browser/hands.py``), and the machine by the clock: bills, money,
    statements, each from the first look to the closed month."""
    whole = {name: closed.hands.seconds(name) + took for name, took in closed.machine_s.items()}
    with capsys.disabled():
        for name, took in closed.machine_s.items():
            print(
                f"\n{name}: {closed.hands.seconds(name):.0f} s of people, {took:.0f} s of the machine, {closed.hands.counts[name]}"
            )
        print(f"together {sum(whole.values()) / 60:.1f} minutes")
    assert all(closed.hands.counts[name].get("click", 0) >= 5 for name in whole), closed.hands.counts
    assert sum(whole.values()) < 15 * 60


def test_the_awards_of_the_month_are_the_postings_of_the_ledger_and_the_totals_of_statements_and_payment_lists(
    closed: Office,
) -> None:
    """Of every award on a statement of the month, and of every award that the payment lists pay."""
    from billing.claims.services.proving import drawn_fen
    from billing.models import Award, ClaimLine, HeldBack, PaymentLine, PaymentList, Payout, Statement, Transfer

    month = months_ago(datetime.now(UTC), 1).replace(day=1)
    with closed.site.data():
        awards = Award.objects.select_related("charge", "programme_version__programme")
        stated = list(awards.filter(statement_line__statement__period_on=month))
        assert sum(award.total_fen for award in stated) == _sum(Statement.objects.filter(period_on=month), "total_fen") > 0
        lines = PaymentLine.objects.filter(payment_list__batch=closed.batch, payment_list__cancelled_at__isnull=True)
        claimed = ClaimLine.objects.filter(claim__in=lines.values("claim"), standing="included")
        listed = _sum(PaymentList.objects.filter(batch=closed.batch, cancelled_at__isnull=True), "total_fen")
        payouts = Payout.objects.filter(line__in=lines)
        assert _sum(claimed, "amount_fen") == listed == _sum(payouts, "paid_fen") > 0
        moved = Transfer.objects.filter(source_type="payout", source_id__in=payouts.values("pk"))
        assert _sum(moved, "amount_fen") == listed
        paid = list(awards.filter(pk__in=claimed.filter(kind="award").values("award")))
        both = {award.pk: award for award in [*stated, *paid]}
        assert {award.pk for award in stated} & {award.pk for award in paid}
        for award in both.values():
            version = award.programme_version
            posted = _posted(award)
            assert sum(posted.values()) == (drawn_fen(award.charge, version.programme.code, version.label) or 0), award.pk
            assert posted.get("pool", 0) + posted.get("voucher", 0) in (0, award.total_fen), (award.pk, posted)
        assert any(_posted(award).get("pool") for award in stated)
        last = months_ago(datetime.now(UTC), 0) - timedelta(days=1)
        of_month = set(Award.objects.filter(service_on__range=(month, last)).values_list("pk", flat=True))
        held = set(HeldBack.objects.filter(award__in=of_month, lifted_at__isnull=True).values_list("award", flat=True))
        assert of_month - held <= set(Award.objects.filter(statement_line__isnull=False).values_list("pk", flat=True))


def _sum(rows: Any, field_name: str) -> int:
    return sum(rows.values_list(field_name, flat=True))


def _posted(award: Any) -> dict[str, int]:
    """What the ledger's transfers say that the accounts of an award were charged, by kind of account."""
    from billing.models import Transfer

    charge = award.charge
    of = {"source_type": "reservation", "source_id": charge.reservation_id}
    if charge.reservation_id is None:
        of = {"source_type": "sample_job", "source_id": charge.sample_job_id}
    found: dict[str, int] = {}
    rows = Transfer.objects.filter(kind="post", programme_version=award.programme_version_id, **of)
    for kind, fen in rows.values_list("debit__kind", "amount_fen"):
        found[kind] = found.get(kind, 0) + fen
    return found


def papers(office: Office, suffix: str) -> dict[str, bytes]:
    """Everything with that suffix that was handed out, also in the archives."""
    found = {name: body for name, body in office.files.items() if name.endswith(suffix)}
    for name in ("bills.zip", "statements.zip"):
        with zipfile.ZipFile(io.BytesIO(office.files[name])) as archive:
            found |= {Path(each).name: archive.read(each) for each in archive.namelist() if each.endswith(suffix)}
    return found


def test_every_page_of_every_paper_has_something_on_it_and_no_page_is_crammed(closed: Office, tmp_path: Path) -> None:
    """``JISHI_KEEP_PAPERS``: a folder in which the pages stay as pictures, to be looked at."""
    kept = Path(os.environ.get("JISHI_KEEP_PAPERS") or tmp_path)
    for name, body in papers(closed, ".pdf").items():
        paper = kept / name
        paper.write_bytes(body)
        subprocess.run(["pdftoppm", "-r", "60", "-gray", str(paper), str(kept / paper.stem)], check=True)
        if kept != tmp_path:
            subprocess.run(["pdftoppm", "-r", "80", "-png", str(paper), str(kept / paper.stem)], check=True)
    pages = sorted(kept.glob("*.pgm"))
    assert len(pages) >= 4
    for page in pages:
        pixels = page.read_bytes().split(b"\n", 3)[3]
        dark = sum(value < 128 for value in pixels) / len(pixels)
        assert 0.002 < dark < 0.3, (page.name, dark)


def test_libreoffice_opens_every_workbook_and_its_sums_are_the_ledgers(closed: Office, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    assert office, "LibreOffice is missing: 'make proof' installs it (Debian: apt-get install libreoffice-calc-nogui)"
    books = papers(closed, ".xlsx")
    said = {name: _with_sums(body, tmp_path / name) for name, body in books.items()}
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "csv", "--outdir", str(tmp_path)]
    subprocess.run([*command, *(str(tmp_path / name) for name in books)], check=True, capture_output=True, timeout=300)
    for name, totals in said.items():
        with (tmp_path / name).with_suffix(".csv").open(encoding="utf-8") as file:
            computed = [Decimal(cell) for cell in next(csv.reader(file))]
        assert computed == totals, name
    booked = _booked(closed.site)
    assert booked.keys() >= {"list.xlsx", "form.xlsx"} and len(booked) >= 4
    for name, fen in booked.items():
        if name in said:
            assert Decimal(fen) / 100 in said[name], (name, fen, said[name])
    assert {"list.xlsx", "form.xlsx"} < said.keys() & booked.keys()


def _with_sums(body: bytes, path: Path) -> list[Decimal]:
    """Write the workbook with one more sheet in front, which sums every column of its first sheet that has a total; the totals it says."""
    book = load_workbook(io.BytesIO(body))
    lines = book.worksheets[0]
    first, last = int(re.sub(r"\D", "", lines.freeze_panes)), lines.max_row
    sums = book.create_sheet("Sums", 0)
    totals = []
    for cell in lines[last]:
        if isinstance(cell.value, int | float):
            totals.append(Decimal(str(cell.value)).quantize(Decimal("0.01")))
            column = f"'{lines.title}'!{cell.column_letter}{first}:{cell.column_letter}{last - 1}"
            sums.cell(1, len(totals), f'=TEXT(SUM({column});"0.00")'.replace(";", ","))
    book.save(path)
    return totals


def _booked(site: Site) -> dict[str, int]:
    """What the ledger says of each workbook, in fen."""
    from django.db.models import Sum

    from billing.ledger.models import Transfer
    from billing.models import Bill, Claim, PaymentList, Statement

    def moved(**of: Any) -> int:
        return int(Transfer.objects.filter(**of).aggregate(fen=Sum("amount_fen"))["fen"] or 0)

    with site.data():
        made = PaymentList.objects.latest("pk")
        claim = Claim.objects.get(payment_lines__payment_list=made)
        payouts = list(made.lines.values_list("payout__pk", flat=True))
        found = {
            "list.xlsx": moved(source_type="payout", source_id__in=payouts),
            "form.xlsx": moved(source_type="claim", source_id=claim.pk),
        }
        for bill in Bill.objects.filter(void__isnull=True):
            found[f"{bill.number}.xlsx"] = moved(source_type="bill", source_id=bill.pk, debit__kind="receivable")
        for statement in Statement.objects.all():
            found[f"{statement.number}.xlsx"] = statement.total_fen
    return found
