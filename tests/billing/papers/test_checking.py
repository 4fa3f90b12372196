"""A paper that somebody holds in the hand: which one it is, where it stands, and whether a file is the one we made."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client

from billing.bills import pdf
from billing.bills.models import Bill, CreditNote
from billing.bills.services import documents, issuing
from billing.claims.models import PaymentList
from billing.ordering.models import CommissionSheet
from billing.ordering.rules.sheets import SheetState
from billing.papers import checking
from billing.papers.codes import KEY
from billing.papers.kinds import kinds
from billing.papers.models import PaperCode
from billing.papers.rules.codes import ALPHABET, LENGTH, code_of, read, shown
from billing.papers.rules.status import Status, after_credits
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from config.kernel.models import StoredFile
from config.kernel.services import files
from frontend.states import look_of
from tests.billing.bills.conftest import DECEMBER


def test_a_code_is_read_however_it_is_typed_and_nothing_else_is_one():
    code = code_of(bytes(range(10)))
    assert len(code) == LENGTH and set(code) <= set(ALPHABET) and len({code_of(bytes([n] * 10)) for n in range(256)}) == 256
    for typed in (
        code,
        shown(code),
        f" {shown(code).lower()} ",
        code.replace("0", "o").replace("1", "l"),
        shown(code).replace("-", "—"),
    ):
        assert read(typed) == code, typed
    for wrong in ("", "x", code[:-1], code + "0", code[:-1] + "U", code[:-1] + "'", "%00" * 6, "\x00" * 16, "é" * 16):
        assert read(wrong) == "", wrong
    with pytest.raises(ValueError):
        code_of(b"short")


@pytest.mark.parametrize(
    ("total", "back", "void", "status"),
    [
        (10, 0, False, Status.VALID),
        (10, 3, False, Status.CREDITED_IN_PART),
        (10, 10, False, Status.CREDITED),
        (10, 0, True, Status.VOID),
    ],
)
def test_what_was_taken_back_says_where_a_paper_stands(total, back, void, status):
    assert after_credits(total, back, void=void) is status


def _page(code: str, language: str = "en") -> tuple[int, str]:
    response = Client(HTTP_ACCEPT_LANGUAGE=language).get(f"/verify/{code}/")
    return response.status_code, response.content.decode()


def test_anybody_learns_number_kind_total_day_and_status_and_nothing_personal(bill, cast):
    made = bill()
    code = made.content[KEY]["code"]
    status, page = _page(shown(code))
    assert status == 200 and "Valid" in page and made.number in page and "2026" in page
    for secret in (cast.firm.name, cast.lab.name, cast.firm.name_en, made.reference, made.content["lines"][0]["reference"]):
        assert not secret or secret not in page, secret
    crediting.issue(cast.actor("li"), CreditRequest(made.pk, 1, 1, "other", "one fen"), DECEMBER)
    assert checking.by_code(code).facts.status is Status.CREDITED_IN_PART and "Taken back since" in _page(code)[1]
    note = CreditNote.objects.get()
    assert checking.by_code(note.content[KEY]["code"]).facts.status is Status.VALID
    rest = made.lines.get(position=1).amount_fen - 1
    crediting.issue(cast.actor("li"), CreditRequest(made.pk, 1, rest, "other", "the rest"), DECEMBER)
    for line in made.lines.exclude(position=1):
        crediting.issue(cast.actor("li"), CreditRequest(made.pk, line.position, line.amount_fen, "other", "all"), DECEMBER)
    assert checking.by_code(code).facts.status is Status.CREDITED and "Taken back whole" in _page(code)[1]
    other = bill(cast.other_firm)
    issuing.void(cast.actor("li"), other.pk, "wrong month", DECEMBER)
    assert checking.by_code(other.content[KEY]["code"]).facts.status is Status.VOID
    assert ">Void<" in _page(other.content[KEY]["code"])[1].replace("\n", "").replace("</span>", "<")
    for unknown in ("0000-0000-0000-0000", "x", "a%2Fb", "../../etc", "'; DROP", "%00"):
        status, page = _page(unknown)
        assert status == 404, unknown
    assert _page("0" * 16)[1].count("No paper bears this code") == 1
    assert "已全部冲回" in _page(code, "zh-hans")[1]


def test_a_file_is_known_by_its_bytes_and_one_changed_byte_is_another_file(bill, cast, client):
    made = bill()
    documents.render("bill", made.pk, DECEMBER)
    made.refresh_from_db()
    paper, code = files.read(made.pdf), made.content[KEY]["code"]
    before = PaperCode.objects.count()

    def ask(content: bytes, **more) -> str:
        from django.core.files.uploadedfile import SimpleUploadedFile

        response = client.post("/verify/", {"file": SimpleUploadedFile("x.pdf", content), **more}, HTTP_ACCEPT_LANGUAGE="en")
        assert response.status_code == 200
        return response.content.decode()

    same, other = "This file is the one we issued", "This is not a file that we handed out"
    assert same in ask(paper) and made.number in ask(paper)
    assert same in ask(files.read(made.xlsx), code=code)
    changed = paper[:-1] + bytes([paper[-1] ^ 1])
    assert other in ask(changed)
    assert "not the file we issued for this paper" in ask(changed, code=shown(code))
    by_hash = client.post("/verify/", {"sha256": made.pdf.sha256.upper()}, HTTP_ACCEPT_LANGUAGE="en")
    assert same in by_hash.content.decode()
    for bad in ({}, {"sha256": "abc"}, {"sha256": "g" * 64}):
        assert client.post("/verify/", bad).status_code == 400
    assert checking.by_file("'" * 64) is None and PaperCode.objects.count() == before


def test_the_address_of_a_paper_stands_on_it_and_the_same_content_gives_the_same_bytes(bill):
    made = bill()
    html = pdf.render_html(made.content)
    assert made.content[KEY]["url"] in html and "<svg" in html and shown(made.content[KEY]["code"]) in html
    assert html == pdf.render_html(made.content)
    old = {name: value for name, value in made.content.items() if name != KEY}
    assert "/verify/" not in pdf.render_html(old) and "<svg" not in pdf.render_html(old)


def test_who_asks_too_often_waits(db, client, monkeypatch):
    from django.core.cache import caches

    from config.kernel.api.throttling import PaperThrottle

    caches["memory"].clear()
    monkeypatch.setattr(PaperThrottle, "THROTTLE_RATES", {"paper": "3/min"})
    assert [client.get("/verify/0000000000000000/").status_code for _ in range(4)] == [404, 404, 404, 429]
    caches["memory"].clear()


def test_a_code_never_comes_to_mean_another_paper(bill):
    made = bill()
    row = PaperCode.objects.get(kind="bill", document_id=made.pk)
    for change in (lambda: PaperCode.objects.filter(pk=row.pk).update(document_id=1), lambda: row.delete()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()
    with pytest.raises(IntegrityError), transaction.atomic():
        PaperCode.objects.create(code="Z" * 16, kind="bill", document_id=made.pk, created_at=DECEMBER)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaperCode.objects.create(code=row.code, kind="bill", document_id=0, created_at=DECEMBER)
    assert Bill.objects.filter(pk=made.pk).exists()


def test_every_numbered_document_is_a_kind_of_paper():
    from django.apps import apps

    from billing.ordering.models import OrderDocument
    from billing.settlement.models import FrozenDocument

    known = {kind.model for kind in kinds().values()}
    made = {model for model in apps.get_models() if issubclass(model, FrozenDocument | OrderDocument)}
    assert made == known


def test_a_payment_list_and_a_commission_sheet_are_valid_only_once_they_are_signed():
    found, at = kinds(), DECEMBER
    made = PaymentList(number="L", total_fen=1, issued_at=at)
    assert found["payment_list"].facts(made).status is Status.PENDING
    made.reviewed_by_id = 2
    assert found["payment_list"].facts(made).status is Status.PENDING
    made.approved_by_id = 3
    assert found["payment_list"].facts(made).status is Status.VALID
    sheet = CommissionSheet(number="W", content={"total_fen": 1}, issued_at=at, state=SheetState.ISSUED)
    assert found["commission"].facts(sheet).status is Status.PENDING
    sheet.state = SheetState.IN_FORCE
    assert found["commission"].facts(sheet).status is Status.VALID
    for status in Status:
        assert look_of("paper", status.value) != look_of("paper", "unknown")


def test_a_file_is_looked_for_by_indexes_alone():
    assert ["sha256"] in [index.fields for index in StoredFile._meta.indexes]
    for kind in kinds().values():
        assert kind.model._meta.get_field("content_sha256").db_index, kind.name
        assert all(kind.model._meta.get_field(column).db_index for column in kind.files), kind.name
