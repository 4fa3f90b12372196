"""What a programme asks of whoever books: offered, answered, refused without, frozen, corrected, replayed; nothing where nobody asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from billing.settlement.models import Quote
from billing.settlement.services import quotes, sample_quotes
from billing.settlement.services.replaying import replay_charges
from booking.models import Reservation
from booking.rules.answers import answers_text, known_answers
from booking.rules.service_facts import UNSAID, Said, kept, said_faults
from booking.services import service_facts
from config.kernel.errors import Refusal
from tests.billing.services.conftest import Life
from tests.billing.settlement.test_choices import document, page_of
from tests.billing.vouchers.conftest import published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of
from tests.programmes import put_in_force

__all__ = ["published"]
DURING = slot_of(9, 11)
LICENSED = {"zh": "服务机构是否有许可？", "en": "Has the provider a licence?"}
POWER = {"zh": "算力是多少？", "en": "How much power is there?"}


def clause() -> str:
    return str(document()["rate"]["clause"])


def asks(fact: str, kind: str = "yes_no", says: dict[str, str] = LICENSED, **more: Any) -> dict[str, Any]:
    return {"fact": fact, "kind": kind, "says": says, "clause": clause(), **more}


def needs(fact: str, **test: Any) -> dict[str, Any]:
    return {"type": "condition", "clause": clause(), "when": {"fact": fact, **test}, "says": {"zh": "有许可", "en": "Licensed"}}


def licensed(**more: Any) -> dict[str, Any]:
    return document(gates=[needs("other.licensed", **{"is": True})], asks=[asks("other.licensed")], **more)


def powerful() -> dict[str, Any]:
    gates = [needs("other.licensed", **{"is": True}), needs("other.power", at_least=300)]
    return document(gates=gates, asks=[asks("other.licensed"), asks("other.power", "number", POWER)])


def answered(**answers: object) -> Said:
    return Said(answers=answers_text({name.replace("__", "."): value for name, value in answers.items()}))


YES = answered(other__licensed=True)


def preview(cast: Any, said: Said = UNSAID) -> Any:
    return quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, DURING, cast.now, said=said)


def other_of(row: Any, place: int = 0) -> Any:
    return row.inputs["candidates"][place]["facts"].get("other")


def test_without_the_answer_nothing_is_promised_and_with_it_the_answer_is_frozen_and_replayed(cast: Any, published: Any) -> None:
    published(licensed())
    silent = preview(cast)
    assert [each.question.fact for each in silent.offered.asked] == ["other.licensed"]
    [refused] = silent.assessment.outcomes
    assert [(reason.code, reason.params["asks"]) for reason in refused.reasons] == [("subsidy.unmet.fact_missing", LICENSED)]
    assert [preview(cast, said).assessment.deducted_fen for said in (YES, answered(other__licensed=False))] == [320_00, 0]
    life = Life(cast)
    given, without = life.whole(DURING, said=YES), life.whole(slot_of(13, 15))
    assert [(each.deducted_fen, other_of(each)) for each in (given, without)] == [(320_00, {"licensed": True}), (0, None)]
    Reservation.objects.update(answers='{"other.licensed":"no"}')
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_an_answer_that_fits_no_question_is_refused_with_its_field_and_what_nobody_asks_comes_to_nothing(
    cast: Any, published: Any
) -> None:
    published(powerful())
    with pytest.raises(Refusal) as refused:
        preview(cast, answered(other__licensed=True, other__power="much"))
    [reason] = refused.value.reasons
    assert (reason.code, reason.field, reason.params["fact"]) == ("subsidy.answer_unfit.number", "answers", "other.power")
    with pytest.raises(Refusal, match="answer_unfit"):
        Life(cast).ask(DURING, said=answered(other__power="-3"))
    said = answered(other__licensed=True, other__power=300, other__unasked=True)
    found = preview(cast, said)
    assert found.assessment.deducted_fen == 320_00
    assert dict(found.prepared.inputs.candidates[0].facts.more.other) == {"licensed": True, "power": 300}


def test_two_programmes_that_ask_the_same_ask_it_once_and_each_is_told_only_what_it_asks(cast: Any, published: Any) -> None:
    published(licensed())
    other = document(code="ZZ-9", gates=[needs("other.licensed", **{"is": True})], asks=[asks("other.licensed", says=POWER)])
    silent = document(code="ZZ-8", gates=[needs("other.licensed", **{"is": True})])
    for each in (other, silent):
        put_in_force(cast.actor("chen"), cast.actor("sun"), each, cast.now)
    found = preview(cast, YES)
    assert [(each.question.fact, each.says) for each in found.offered.asked] == [("other.licensed", (LICENSED, POWER))]
    told = {each.programme.code: dict(each.facts.more.other) for each in found.prepared.inputs.candidates}
    assert [told["ZZ-8"], told["ZZ-9"]] == [{}, {"licensed": True}]


def test_a_programme_that_is_not_for_who_books_asks_them_nothing_and_refuses_no_answer_of_theirs(
    cast: Any, published: Any
) -> None:
    elsewhere = {"type": "region", "clause": clause(), "subject": "provider", "any_of": [{"code_prefix": "11"}]}
    teams = {"type": "applicant_kind", "clause": clause(), "any_of": ["team"]}
    for code, gate in (("ZZ-1", elsewhere), ("ZZ-2", teams)):
        asking = powerful()
        published(asking | {"code": code, "gates": [gate, *asking["gates"]]})
    wrong = answered(other__power="lots")
    assert (preview(cast).offered.asked, preview(cast, wrong).assessment.deducted_fen) == ((), 0)
    verified = {"type": "verified_organisation", "clause": clause(), "subject": "applicant"}
    asking = powerful()
    published(asking | {"gates": [verified, *asking["gates"]]})
    cast.firm.status = "pending"
    cast.firm.save()
    assert [each.question.fact for each in preview(cast).offered.asked] == ["other.licensed", "other.power"]


def test_it_is_corrected_until_money_is_held_and_the_history_says_it_with_the_question(cast: Any, published: Any) -> None:
    published(licensed())
    life = Life(cast)
    row = life.ask(DURING)
    said = Reservation.objects.get(pk=row.pk).service_facts
    assert service_facts.correct(cast.actor("wang"), row.pk, replace(said, answers=YES.answers), cast.now)
    assert other_of(Quote.objects.filter(reservation=row).latest("revision")) == {"licensed": True}
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["lin"])
    page = client.get(reverse("reservation_detail", args=[row.pk])).content.decode()
    assert "Has the provider a licence?: not answered → Yes" in page
    life.approve(Reservation.objects.get(pk=row.pk))
    held = Reservation.objects.get(pk=row.pk).service_facts
    with pytest.raises(Refusal, match="money_held"):
        service_facts.correct(cast.actor("wang"), row.pk, replace(held, answers=""), cast.now)


def test_the_page_corrects_it_and_another_firm_finds_no_booking(cast: Any, published: Any) -> None:
    published(powerful())
    row = Life(cast).ask(DURING)
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["lin"])
    address = reverse("reservation_facts", args=[row.pk])
    typed = {"purpose": "", "answer-other.licensed": "yes", "answer-other.power": "lots"}
    wrong = client.post(address, typed)
    page = wrong.content.decode()
    assert wrong.status_code == 422 and 'value="lots"' in page and "is answered by a whole number" in page
    assert Reservation.objects.get(pk=row.pk).answers == ""
    assert client.post(address, typed | {"answer-other.power": "３００"}).status_code == 302
    assert known_answers(Reservation.objects.get(pk=row.pk).answers) == {"other.licensed": "yes", "other.power": "300"}
    stranger = Client()
    stranger.force_login(cast.users["he"])
    assert stranger.post(address, typed).status_code == 404


@pytest.mark.parametrize(("language", "words"), [("en", LICENSED["en"]), ("zh-hans", LICENSED["zh"])])
def test_the_form_asks_in_the_words_of_the_programme_and_keeps_what_was_typed(
    cast: Any, published: Any, language: str, words: str
) -> None:
    published(powerful())
    cast.users["lin"].language = language
    cast.users["lin"].save()
    client = Client(headers={"accept-language": language})
    client.force_login(cast.users["lin"])
    at = {"on": f"{DURING.starts_at:%Y-%m-%d}", "from": "09:00", "to": "11:00", "organisation": str(cast.firm.pk)}
    with translation.override(language):
        address = reverse("instrument_detail", args=[cast.xrd.pk])
        page = client.get(address, at).content.decode()
        typed = client.get(address, at | {"answer-other.licensed": "yes", "answer-other.power": "lots"}).content.decode()
    assert page.count(f"<legend>{words}</legend>") == 1 and 'name="answer-other.power"' in page
    assert 'value="lots"' in typed and 'value="yes" checked' in typed and 'aria-invalid="true"' in typed


def test_the_form_books_with_the_answers(cast: Any, published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    published(licensed())
    monkeypatch.setattr(timezone, "now", lambda: cast.now)
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["lin"])
    at = {"on": f"{DURING.starts_at:%Y-%m-%d}", "from": "09:00", "to": "11:00", "organisation": str(cast.firm.pk)}
    sent = at | {"service_mode": "assisted", "answer-other.licensed": "yes", "key": "0b6c4f1e-6a4c-4f0e-9d5b-5d5a9f6b7a11"}
    sent |= {"expected_payable_now_fen": "48000", "expected_final_cost_fen": "48000"}
    done = client.post(reverse("reservation_create", args=[cast.xrd.pk]), sent)
    assert done.status_code == 302, done.content.decode()[:3000]
    assert known_answers(Reservation.objects.latest("pk").answers) == {"other.licensed": "yes"}


def test_a_test_is_asked_for_with_answers_too(cast: Any, published: Any) -> None:
    published(licensed())
    item = make_item(cast)
    shown = [
        sample_quotes.preview(cast.actor("lin"), item.pk, cast.firm.pk, 3, 1, cast.now, said=said).assessment.deducted_fen
        for said in (Said(), YES)
    ]
    assert shown == [0, 96_00]
    work = Work(cast, item)
    job = work.accept(work.ask(3, answers=YES.answers))
    assert other_of(job.quotes.latest("revision")) == {"licensed": True}


def test_persons_and_amounts_are_counted_and_limited_as_they_were_answered(cast: Any, published: Any) -> None:
    per_person = {"type": "per_unit", "amount": "50", "clause": clause()}
    spent = {"type": "minimum_spend", "clause": clause(), "of": "other_amounts.deposit", "amount": "100"}
    counting = document(base={"quantity": "persons", "clause": clause()}, rate=per_person, gates=[spent])
    questions = [asks("quantities.persons", "number", POWER), asks("other_amounts.deposit", "amount")]
    published(counting | {"asks": questions})
    said = [answered(quantities__persons=3, other_amounts__deposit=text) for text in ("100", "99.99")]
    assert [preview(cast, each).assessment.deducted_fen for each in said] == [150_00, 0]
    charge = Life(cast).whole(DURING, said=said[0])
    facts = charge.inputs["candidates"][0]["facts"]
    assert (charge.deducted_fen, facts["quantities"]["persons"], facts["other_amounts"]) == (150_00, 3, {"deposit": "100.00"})
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_where_no_programme_asks_no_question_is_shown_and_nothing_told(cast: Any, published: Any) -> None:
    published(document())
    found = preview(cast, YES)
    assert found.offered.asked == () and dict(found.prepared.inputs.candidates[0].facts.more.other) == {}
    assert 'name="answer-' not in page_of(cast)


def test_the_interface_names_the_questions_and_takes_answers_of_any_plain_kind(
    cast: Any, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(powerful())
    monkeypatch.setattr(timezone, "now", lambda: cast.now)
    client = Client()
    client.force_login(cast.users["lin"])
    asked = {
        "instrument": cast.xrd.pk,
        "organisation": cast.firm.pk,
        "starts_at": DURING.starts_at.isoformat(),
        "ends_at": DURING.ends_at.isoformat(),
    }

    def post(address: str, **more: Any) -> Any:
        return client.post(address, asked | more, content_type="application/json", headers={"Idempotency-Key": str(more)[:50]})

    silent = post("/api/v1/quotes/preview/").json()
    assert [(each["fact"], each["kind"], each["says"]) for each in silent["choices"]["questions"]] == [
        ("other.licensed", "yes_no", [LICENSED]),
        ("other.power", "number", [POWER]),
    ]
    assert "Not answered with the booking: " + POWER["en"] in str(silent)
    said = {"other.licensed": True, "other.power": 300}
    assert post("/api/v1/quotes/preview/", answers=said).json()["deducted_fen"] == 320_00
    for wrong, status in (({"other.power": 1.5}, 400), ([1], 400), ({"Other": True}, 422), ({"other.power": "x"}, 422)):
        refused = post("/api/v1/quotes/preview/", answers=wrong)
        assert refused.status_code == status and "answers" in refused.content.decode(), refused.content.decode()
    made = post("/api/v1/reservations/", answers=said, service_mode="assisted")
    assert made.status_code == 201
    row = client.get(f"/api/v1/reservations/{made.json()['id']}/").json()
    assert row["answers"] == {"other.licensed": "yes", "other.power": "300"}
    facts = f"/api/v1/reservations/{made.json()['id']}/facts/"
    fewer = client.post(
        facts, {"answers": {"other.licensed": False}}, content_type="application/json", headers={"Idempotency-Key": "f"}
    )
    assert fewer.status_code == 409 and "facts.dearer" in fewer.content.decode()


def test_answers_are_kept_as_one_text_whatever_their_order_and_what_is_none_is_refused() -> None:
    assert answers_text({"other.b": 3, "other.a": True, "other.c": " "}) == '{"other.a":"yes","other.b":"3"}'
    assert kept(Said(answers='{"other.b": "3", "other.a": "yes"}')).answers == '{"other.a":"yes","other.b":"3"}'
    for wrong in (
        "[",
        "[]",
        "[" * 5000,
        '{"other.a": 1}',
        '{"a": "1"}',
        '{"other.a": "\\u0000"}',
        '{"other.a": "%s"}' % ("x" * 61),
    ):
        assert [reason.field for reason in said_faults(Said(answers=wrong))] == ["answers"], wrong[:20]
    assert said_faults(YES) == []


def test_the_self_test_asks_what_the_programmes_ask_and_counts_the_answers(cast: Any, published: Any) -> None:
    client = Client(headers={"accept-language": "en"})
    asked = {"kind": "firm", "region": "630100", "service": "testing", "amount_yuan": "1000", "on": "2026-11-25"}
    address = reverse("eligibility")
    assert "answer-" not in client.get(address).content.decode()
    published(powerful())
    assert LICENSED["en"] in client.get(address).content.decode()
    [silent] = client.get(address, asked).context["rows"]
    assert (silent.total_fen, silent.depends_on) == (0, (f"“{LICENSED['en']}”", f"“{POWER['en']}”"))
    typed = asked | {"answer-other.licensed": "yes", "answer-other.power": "300"}
    [given] = client.get(address, typed).context["rows"]
    assert given.total_fen == 400_00
    wrong = client.get(address, typed | {"answer-other.power": "lots"})
    assert wrong.status_code == 422 and 'value="lots"' in wrong.content.decode()


HOSTILE = [
    {"answer-other.power": "9" * 10_000},
    {"answer-other.power": "3\x00"},
    {"answer-other.power": "\u202e300\u2066"},
    {"answer-other.power": "\ufdfa" * 60},
    {"answer-other.power": "9" * 60},
    {f"answer-other.x{number}": "yes" for number in range(200)},
    {"answers": "[" * 20_000},
    {"answers": "9" * 10_000},
    {"answers": '{"other.power":"1","other.power":"lots"}'},
]


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_sent_for_an_answer_is_refused_or_left_out(cast: Any, published: Any, typed: dict[str, str]) -> None:
    published(powerful())
    row = Life(cast).ask(DURING)
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["lin"])
    said = {"answer-other.licensed": "yes"} | typed if "answers" not in typed else typed
    facts = client.post(reverse("reservation_facts", args=[row.pk]), {"purpose": ""} | said)
    at = {"on": f"{DURING.starts_at:%Y-%m-%d}", "from": "09:00", "to": "11:00", "organisation": str(cast.firm.pk)}
    item = make_item(cast)
    sample = {"samples": "3", "organisation": str(cast.firm.pk), "arrive_on": "2026-11-25", "remains_wish": "return"}
    series = at | {"service_mode": "assisted", "repeat": "weekly", "count": "2"}
    shown = [
        client.get(reverse("instrument_detail", args=[cast.xrd.pk]), at | said),
        client.post(f"/samples/new/{item.pk}/", sample | said),
        client.get(f"/instruments/{cast.xrd.pk}/series", series | said),
        client.get(reverse("eligibility"), {"kind": "firm", "region": "630100", "service": "testing", "on": "2026-11-25"} | said),
    ]
    assert facts.status_code in (302, 422) and {each.status_code for each in shown} <= {200, 302, 409, 422}
    assert Reservation.objects.get(pk=row.pk).answers in ("", YES.answers)
