"""Officers write a programme on pages: shipped documents survive their own form, faults are told at their fields, two people publish."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser

import pytest

from billing.subsidy import drafts
from billing.subsidy.draft_models import ProgrammeDraft
from billing.subsidy.models import ProgrammeVersion
from tests.conftest import programme_document
from tests.frontend.acting import FRAGMENT, query_count, words
from tests.turns import in_turns

PARTS = ("document", "clauses", "gates", "amount", "caps", "payers", "open_points", "examples", "more")
CODES = ("DEMO-QH-A", "BJ-CP-2017-10", "SD-2019", "HA-2018")
"""Documents with every kind of part between them; all of them come through the form in tests/billing/drafts/rules."""


class Fields(HTMLParser):
    """What a browser would send of the form of a draft."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self._inside = False
        self._select = self._text = ""
        self._options: list[tuple[str, bool]] = []
        self._typed = ""
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form":
            self._inside = found.get("id") == "draft-fields"
        if not self._inside and found.get("form") != "draft-fields":
            return
        if tag == "input" and "name" in found and (found.get("type") != "checkbox" or "checked" in found):
            self.sent.append((found["name"], found.get("value") or ""))
        elif tag == "select":
            self._select, self._options = found["name"], []
        elif tag == "option" and self._select:
            self._options.append((found.get("value") or "", "selected" in found))
        elif tag == "textarea":
            self._text, self._typed = found["name"], ""

    def handle_data(self, data):
        if self._text:
            self._typed += data

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._select:
            chosen = next((value for value, selected in self._options if selected), self._options[0][0])
            self.sent.append((self._select, chosen))
            self._select = ""
        elif tag == "textarea" and self._text:
            self.sent.append((self._text, self._typed))
            self._text = ""

    def data(self, **changes: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.sent:
            found.setdefault(name, []).append(value)
        return {name: values for name, values in found.items() if name != "csrfmiddlewaretoken"} | {
            name.replace("__", "/"): [value] for name, value in changes.items()
        }


@pytest.fixture
def draft(cast):
    return drafts.start(cast.actor("chen"), programme_document("DEMO-QH-V"), cast.now)


def edit(draft, part, at=""):
    return f"/programmes/drafts/{draft.pk}/edit/?part={part}" + (f"&at={at}" if at else "")


def fields(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return Fields(response.content.decode())


def post(client, address, data, **options):
    return client.post(address, data, **options)


def kept(draft):
    return ProgrammeDraft.objects.get(pk=draft.pk).document


def test_an_officer_begins_with_a_template_and_with_a_version(as_, programmes):
    client = as_("chen")
    assert client.post("/programmes/drafts/", {"template": "HE-LF"}).status_code == 302
    assert client.post("/programmes/drafts/", {"version": programmes["DEMO-QH-A"].pk}).status_code == 302
    text = words(client.get("/programmes/drafts/"))
    assert "Langfang" in text and "DEMO-QH-A 2025.1" in text and text.count("Being written") == 2


def test_nobody_else_begins_or_sees_one(as_, draft, programmes):
    for who in ("lin", "wang", "zhou"):
        assert as_(who).get("/programmes/drafts/").status_code == 403
        assert as_(who).get(f"/programmes/drafts/{draft.pk}/").status_code == 404
    assert as_("qian").get(f"/programmes/drafts/{draft.pk}/").status_code == 200
    assert as_("qian").get(edit(draft, "gates")).status_code == 403
    assert as_("qian").post("/programmes/drafts/", {"template": "HE-LF"}).status_code == 403


@pytest.mark.parametrize("code", in_turns(CODES, 8))
def test_sending_every_part_as_it_is_shown_changes_nothing(as_, cast, code):
    """Every shipped document comes through its own form unharmed, examples one by one."""
    draft = drafts.start(cast.actor("chen"), programme_document(code), cast.now)
    client = as_("chen")
    places = [(part, "") for part in PARTS] + [("examples", f"examples/{n}") for n in range(len(draft.document["examples"]))]
    for part, at in places:
        address = edit(draft, part, at)
        response = post(client, address, fields(client, address).data(act="save"))
        assert response.status_code == 302, (part, at)
        assert kept(draft) == programme_document(code), (part, at)


def test_a_wrong_rate_is_kept_and_told_at_its_field_with_the_fix(as_, draft):
    client, address = as_("chen"), edit(draft, "amount")
    sent = fields(client, address).data(act="save")
    sent["rate/rate"] = ["1.5"]
    post(client, address, sent)
    assert kept(draft)["rate"]["rate"] == "1.5"
    page = client.get(address).content.decode()
    assert re.search(r'id="f-rate-rate-problem">.*?“1.5” is no share. Write a number from 0 to 1', page, re.DOTALL)
    assert "1 thing to mend" in words(client.get(address))


def test_while_typing_only_what_is_said_comes_back_and_it_is_kept(as_, draft):
    client, address = as_("chen"), edit(draft, "caps")
    sent = fields(client, address).data(act="typed")
    sent["caps/0/limit"] = ["a lot"]
    answer = post(client, address, sent, headers=FRAGMENT)
    text = answer.content.decode()
    assert 'id="draft-panel"' in text and "<form" not in text and 'id="f-caps-0-limit-problem" hx-swap-oob' in text
    assert 'name="revision" value="2" hx-swap-oob' in text and kept(draft)["caps"][0]["limit"] == "a lot"
    sent |= {"caps/0/limit": ["500"], "revision": ["2"], "faulty": ["$.caps[0].limit"]}
    text = post(client, address, sent, headers=FRAGMENT).content.decode()
    assert re.search(r'id="f-caps-0-limit-problem" hx-swap-oob="true"></div>', text)


def test_parts_are_added_moved_copied_and_taken_out(as_, draft):
    client, address = as_("chen"), edit(draft, "gates")
    before = kept(draft)["gates"]

    def act(verb):
        return post(client, address, fields(client, address).data(act=verb))

    act("add:gates")
    assert kept(draft)["gates"][-1] == {"type": "applicant_kind", "any_of": []}
    act("remove:gates/" + str(len(before)))
    assert kept(draft)["gates"] == before
    act("down:gates/0")
    assert kept(draft)["gates"][:2] == [before[1], before[0]]
    act("up:gates/1")
    act("copy:gates/0")
    assert kept(draft)["gates"][:3] == [before[0], before[0], before[1]]


def test_another_type_brings_its_own_fields_and_keeps_what_both_have(as_, draft):
    client, address = as_("chen"), edit(draft, "gates")
    sent = fields(client, address).data(act="switch:f-gates-0-type")
    sent["gates/0/type"] = ["minimum_spend"]
    answer = post(client, address, sent, headers=FRAGMENT)
    assert 'name="gates/0/amount"' in answer.content.decode()
    assert kept(draft)["gates"][0] == {"type": "minimum_spend", "clause": "2"}


def test_an_optional_part_is_filled_in_and_left_out(as_, draft):
    client, address = as_("chen"), edit(draft, "document")
    post(client, address, fields(client, address).data(act="remove:exclusive"))
    assert "exclusive" not in kept(draft)
    post(client, address, fields(client, address).data(act="fill:exclusive"))
    assert kept(draft)["exclusive"] == {}
    assert "Exclusive class" in words(client.get(address))


def test_a_limit_is_an_amount_or_set_by_configuration(as_, draft):
    client, address = as_("chen"), edit(draft, "caps")
    sent = fields(client, address).data(act="save")
    sent["caps/0/limit/@form"] = ["configured"]
    post(client, address, sent)
    assert kept(draft)["caps"][0]["limit"] == {"configured": True}
    page = client.get(address).content.decode()
    assert 'name="caps/0/limit/default"' in page


def test_what_the_form_cannot_show_is_shown_as_json_and_not_mended(as_, cast, draft):
    odd = programme_document("DEMO-QH-V") | {"rate": "a text", "caps": {"x": 1}, "extra": [1]}
    drafts.save(cast.actor("chen"), draft.pk, 1, odd, cast.now)
    client = as_("chen")
    for part in PARTS:
        address = edit(draft, part)
        assert post(client, address, fields(client, address).data(act="save")).status_code == 302
    assert kept(draft) == odd
    assert "There is no field of this name here" in words(client.get(f"/programmes/drafts/{draft.pk}/"))


def test_an_older_page_does_not_undo_what_came_after_it(as_, draft):
    client, address = as_("chen"), edit(draft, "amount")
    old = fields(client, address).data(act="save")
    new = dict(old)
    new["rate/rate"] = ["0.3"]
    post(client, address, new)
    old["rate/rate"] = ["0.2"]
    answer = post(client, address, old)
    assert answer.status_code == 409 and "Somebody else has changed this draft" in words(answer)
    assert 'value="0.2"' in answer.content.decode() and kept(draft)["rate"]["rate"] == "0.3"
    again = Fields(answer.content.decode()).data(act="save")
    assert again["rate/rate"] == ["0.2"] and post(client, address, again).status_code == 409
    whole = client.post(address, again | {"act": ["typed"]}, headers={"HX-Request": "true"})
    assert whole.status_code == 409 and 'name="revision" value="1"' in whole.content.decode()
    assert kept(draft)["rate"]["rate"] == "0.3"


def test_an_older_text_does_not_undo_what_came_after_it_however_often_it_is_sent(as_, cast, draft):
    client, address = as_("chen"), f"/programmes/drafts/{draft.pk}/text/"
    drafts.save(cast.actor("chen"), draft.pk, 1, programme_document("DEMO-QH-V") | {"version": "2030.7"}, cast.now)
    answer = post(client, address, {"revision": "1", "text": "{}"})
    assert answer.status_code == 409 and 'name="revision" value="1"' in answer.content.decode()
    assert kept(draft)["version"] == "2030.7"


@pytest.mark.parametrize(
    "text, said", [("{", "look at line 1, character 2"), ("[]", "one JSON object"), ('{"a":1,"a":2}', "stands twice")]
)
def test_a_text_that_cannot_be_read_is_kept_and_the_place_is_named(as_, draft, text, said):
    client, address = as_("chen"), f"/programmes/drafts/{draft.pk}/text/"
    answer = client.post(address, {"revision": 1, "text": text})
    assert answer.status_code == 422 and said in words(answer)
    assert html.escape(text) in client.get(address).content.decode() and kept(draft) == programme_document("DEMO-QH-V")


def test_a_text_that_can_be_read_is_the_document(as_, draft):
    address = f"/programmes/drafts/{draft.pk}/text/"
    changed = programme_document("DEMO-QH-V") | {"version": "2028.1"}
    as_("chen").post(address, {"revision": 1, "text": json.dumps(changed)})
    assert kept(draft)["version"] == "2028.1"


def test_it_reads_back_in_both_languages_with_clauses(as_, draft):
    client = as_("chen")
    text = words(client.get(f"/programmes/drafts/{draft.pk}/"))
    assert "Of it 40% is paid." in text and "clause 5" in text and "Yearly limit of the firm: ¥60,000." in text
    client.cookies["django_language"] = "zh-hans"
    chinese = words(client.get(f"/programmes/drafts/{draft.pk}/"))
    assert "按其 40% 补贴。" in chinese and "企业年度限额" in chinese


def test_the_difference_to_the_version_in_force_is_told_in_words(as_, cast, programmes):
    draft = drafts.start_from_version(cast.actor("chen"), programmes["DEMO-QH-V"].pk, cast.now)
    address = f"/programmes/drafts/{draft.pk}/"
    assert "Nothing: both say the same." in words(as_("chen").get(address))
    changed = dict(draft.document) | {"rate": draft.document["rate"] | {"rate": "0.3"}}
    drafts.save(cast.actor("chen"), draft.pk, 1, changed, cast.now)
    text = words(as_("chen").get(address))
    assert "No longer: Of it 40% is paid. New: Of it 30% is paid." in text and "Changed:" not in text
    assert "does not come out" in text and "expected ¥480.00, it gives ¥360.00" in text


def test_two_officers_put_it_in_force_on_pages(as_, draft):
    address = f"/programmes/drafts/{draft.pk}/"
    chen, sun = as_("chen"), as_("sun")
    assert "Hand in" in words(chen.get(address))
    chen.post(address + "submit/", {"revision": 1})
    assert "Who wrote in it cannot approve it." in words(chen.get(address))
    refused = chen.post(address + "approve/", {"revision": 1})
    assert refused.status_code == 403 and "authors cannot publish" in words(refused)
    sent_back = sun.post(address + "send-back/", {"reason": ""})
    assert sent_back.status_code == 422 and "Write the reason" in words(sent_back)
    sun.post(address + "send-back/", {"reason": "Look at clause 5 again."})
    assert "Look at clause 5 again." in words(chen.get(address))
    chen.post(address + "submit/", {"revision": 1})
    assert sun.post(address + "approve/", {"revision": 1}).status_code == 302
    version = ProgrammeVersion.objects.get()
    assert (version.author.full_name, version.approver.full_name) == ("Chen", "Sun") and version.published_at
    history = words(sun.get(address))
    for part in ("Begun · Chen", "Handed in · Chen", "Sent back · Sun", "Approved and put in force · Sun"):
        assert part in history


def test_last_years_rule_is_moved_to_next_year_with_its_worked_examples(as_, draft):
    chen, address = as_("chen"), f"/programmes/drafts/{draft.pk}/"
    before, passed = draft.document, words(chen.get(address)).count(" comes out")
    assert passed and "Move it to other years" in words(chen.get(address))
    assert chen.post(address + "years/", {"revision": 1, "years": " 3 "}).status_code == 302
    draft.refresh_from_db()
    assert draft.revision == 2 and draft.document["validity"]["first_day"] == "2028-01-01"
    assert draft.document["clauses"] == before["clauses"]
    text = words(chen.get(address))
    assert text.count(" comes out") == passed and "does not come out" not in text
    assert chen.post(address + "years/", {"revision": 2, "years": "-3"}).status_code == 302
    draft.refresh_from_db()
    assert draft.document == before


@pytest.mark.parametrize("years", ["", "0", "21", "-21", "x", "1.5", "९", "1" * 400, "\x00"])
def test_years_that_are_none_are_refused_and_what_was_typed_is_kept(as_, draft, years):
    refused = as_("chen").post(f"/programmes/drafts/{draft.pk}/years/", {"revision": 1, "years": years})
    assert refused.status_code == 422 and "Give a whole number of years, at most 20" in words(refused)
    assert ProgrammeDraft.objects.get().revision == 1


def test_days_are_moved_neither_in_an_older_page_nor_under_a_text_that_cannot_be_read(as_, cast, draft):
    chen, address = as_("chen"), f"/programmes/drafts/{draft.pk}/years/"
    assert chen.post(address, {"revision": 7, "years": "1"}).status_code == 409
    drafts.save_text(cast.actor("chen"), draft.pk, 1, "{", cast.now)
    refused = chen.post(address, {"revision": 2, "years": "1"})
    assert refused.status_code == 422 and "cannot be read as JSON yet" in words(refused)
    assert ProgrammeDraft.objects.get().text == "{"


def test_what_is_not_ready_is_not_handed_in_and_every_fault_is_named(as_, cast, draft):
    wrong = programme_document("DEMO-QH-V")
    wrong["kind"] = ""
    wrong["caps"][0]["clause"] = "99"
    drafts.save(cast.actor("chen"), draft.pk, 1, wrong, cast.now)
    answer = as_("chen").post(f"/programmes/drafts/{draft.pk}/submit/", {"revision": 2})
    assert answer.status_code == 422 and "not one of the choices" in words(answer)


@pytest.mark.parametrize(
    "query",
    [
        "part=nonsense",
        "part=examples&at=examples/999",
        "part=examples&at=caps/0",
        "part=gates&at=gates/0",
        "part=examples&at=examples/x/%00",
    ],
)
def test_parts_that_are_not_there_are_not_found(as_, draft, query):
    assert as_("chen").get(f"/programmes/drafts/{draft.pk}/edit/?{query}").status_code == 404


@pytest.mark.parametrize(
    "act",
    ["up:", "remove:x/y/z", "add:gates/9/x", "fill:rate/zzz", "down:caps/0/id/1", "copy:examples/99", ":", "remove:gates/-1"],
)
def test_buttons_that_make_no_sense_change_nothing(as_, draft, act):
    client, address = as_("chen"), edit(draft, "gates")
    assert post(client, address, fields(client, address).data(act=act)).status_code == 302
    assert kept(draft) == programme_document("DEMO-QH-V")


def test_the_list_takes_as_many_queries_for_many_drafts_as_for_two(as_, cast, draft):
    client = as_("chen")
    few = query_count(client, "/programmes/drafts/")
    for _ in range(6):
        drafts.start(cast.actor("sun"), programme_document("HE-LF"), cast.now)
    assert query_count(client, "/programmes/drafts/") == few <= 7
