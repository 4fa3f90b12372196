"""Test items, data sets, literature and accessions go out as a table and come back: nothing is lost, every difference is seen, all or
nothing."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.translation import override

from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.models import AuditEntry
from frontend.presenters.resource_changes import labels_of
from instruments.models import Germplasm, Instrument, InstrumentSheet, Organisation, Resource, ResourceChange, TestItem
from instruments.services import registry, resource_sheets, resources, sheet_plan, sheets
from instruments.services.registry import InstrumentFields, SiteFields
from tests.instruments.records.test_sheets import Table
from tests.instruments.registry.conftest import make_owner
from tests.instruments.resources.conftest import OPERATOR

pytestmark = pytest.mark.django_db
DATASET = {
    "creators": ["Lin; Xia", "赵敏"], "issued_on": date(2024, 2, 29), "version": "1.0", "media_types": ["text/csv"],
    "size_bytes": 123_456_789_012, "temporal_from": date(2020, 1, 1), "temporal_to": date(2021, 1, 1), "spatial": "Qaidam",
    "landing_page": "https://data.example.org/1",
}  # fmt: skip
TEST_ITEM = {
    "method": "ICP-MS", "matrix": "盐湖卤水", "standard": "GB/T 223.5", "sample_preparation": "Filter;\nacidify", "turnaround_days": 5,
    "analytes": [{"name": "Li", "limit": "0.01", "unit": "mg/L"}, {"name": "2,4-D, 2,4,5-T", "limit": "", "unit": ""}],
    "qualifications": [{"scheme": "CMA", "certificate_number": "2024-001", "valid_from": date(2024, 1, 1), "valid_to": None}],
}  # fmt: skip
LITERATURE = {
    "creators": ["Lin Xia"],
    "type": "article",
    "issued": "2019-05",
    "publisher": "ISL",
    "language": "zh",
    "source": "盐湖研究",
}
MCPD = {
    "ACCENUMB": "00012",
    "GENUS": "Hordeum",
    "SPECIES": "vulgare",
    "ORIGCTY": "CHN",
    "ACCENAME": "=Kunlun 1",
    "COLLDATE": "2001----",
}
DWC = {"catalogNumber": "Y-7", "scientificName": "Bos grunniens", "vernacularName": "Yak"}


@pytest.fixture
def wang(cast):
    return cast.actor("wang")


@pytest.fixture
def made(cast, wang, now):
    """One of each, and an accession of each standard."""

    def make(kind, name, part):
        core = {"name": name, "keywords": ["salt; lake", "盐湖"], "description": "Two\nlines"}
        return resources.create_resource(wang, cast.lab.pk, kind, core, part, now)

    return {
        "test_item": make("test_item", "Lithium in brine", {**TEST_ITEM, "instrument_ids": [cast.xrd.pk]}),
        "dataset": make("dataset", "Brines", DATASET),
        "literature": make("literature", "On salts", LITERATURE),
        "germplasm": make("germplasm", "Barley", {"standard": "mcpd", "descriptors": MCPD}),
        "yak": make("germplasm", "Yak", {"standard": "dwc", "descriptors": DWC}),
    }


def out(actor, owner, kind):
    return Table(resource_sheets.download(actor, owner.pk, kind, list(resource_sheets.KINDS[kind]), labels_of(kind)))


@pytest.fixture
def planned(cast, wang, now):
    def hand_in(kind, table):
        sheet = resource_sheets.hand_in(wang, cast.lab.pk, kind, table.content(), now)
        return sheet, resource_sheets.plan(wang, sheet)

    return hand_in


def test_what_nobody_touched_or_wrote_again_changes_nothing_in_either_language(cast, wang, made, planned, now):
    for kind, rows in (("test_item", 1), ("dataset", 1), ("literature", 1), ("germplasm", 2)):
        with override("zh-hans"):
            table = out(wang, cast.lab, kind)
        sheet, plan = planned(kind, table)
        assert (plan.rows, plan.problems, plan.untouched) == ([], [], rows)
        for row in range(3, table.sheet.max_row + 1):
            table.sheet.cell(row, table.place("mark")).value = "touched"
        _again, plan = planned(kind, table)
        assert (plan.rows, plan.problems, plan.untouched) == ([], [], rows), f"the round trip of {kind} loses nothing"
        with pytest.raises(Refusal, match=r"sheet\.nothing_to_do"):
            resource_sheets.apply(wang, sheet.pk, now)
    assert "sex" in resource_sheets.columns_of(wang, cast.lab.pk, "germplasm")
    made["yak"].delete()
    assert "sex" not in resource_sheets.columns_of(wang, cast.lab.pk, "germplasm"), "only the standards that are there"


def test_every_difference_is_seen_and_saved_once(cast, wang, made, planned, now):
    table = out(wang, cast.lab, "dataset")
    for name, value in (
        ("size_bytes", 5),
        ("creators", "Lin; Wu"),
        ("issued_on", "2024-03-01"),
        ("version", None),
        ("name", "Brines 2"),
    ):
        table.cell(made["dataset"], name).value = value
    sheet, plan = planned("dataset", table)
    ((row,), problems) = plan.rows, plan.problems
    assert problems == [] and {one.field: (one.before, one.after) for one in row.changes} == {
        "size_bytes": (123_456_789_012, 5), "creators": (["Lin; Xia", "赵敏"], ["Lin", "Wu"]), "issued_on": ("2024-02-29", "2024-03-01"),
        "version": ("1.0", ""), "name": ("Brines", "Brines 2"),
    }  # fmt: skip
    resource_sheets.apply(wang, sheet.pk, now)
    stored = Resource.objects.select_related("dataset").get(pk=made["dataset"].pk)
    assert (stored.name, stored.dataset.size_bytes, stored.dataset.creators) == ("Brines 2", 5, ["Lin", "Wu"])
    assert AuditEntry.objects.filter(action="resource_sheet.apply").exists()
    with pytest.raises(Conflict, match=r"sheet\.applied_already"):
        resource_sheets.apply(wang, sheet.pk, now)


def test_a_test_items_lines_and_instruments_are_columns_and_what_is_wrong_is_said(cast, wang, made, planned, now):
    twin = registry.create_instrument(wang, cast.xrd.site_id, InstrumentFields("ICP"), now)
    other = registry.create_instrument(wang, cast.xrd.site_id, InstrumentFields("ICP"), now)
    table = out(wang, cast.lab, "test_item")
    assert table.cell(made["test_item"], "analytes").value == "Li; 0.01; mg/L\n2,4-D, 2,4,5-T;"
    assert table.cell(made["test_item"], "instrument_ids").value == cast.xrd.name
    table.cell(made["test_item"], "analytes").value = "Li; 0.02; mg/L\nMg; 0.05; mg/L"
    table.cell(made["test_item"], "qualifications").value = None
    table.cell(made["test_item"], "instrument_ids").value = f"{cast.xrd.name}; ICP #{other.pk}"
    sheet, plan = planned("test_item", table)
    assert {one.field for one in plan.rows[0].changes} == {"analytes", "qualifications", "instrument_ids"}
    resource_sheets.apply(wang, sheet.pk, now)
    item = TestItem.objects.get(pk=made["test_item"].pk)
    assert [(one["name"], one["limit"]) for one in item.analytes] == [("Li", "0.02"), ("Mg", "0.05")]
    assert not item.qualifications.exists()
    assert set(item.instruments.values_list("pk", flat=True)) == {cast.xrd.pk, other.pk}

    table = out(wang, cast.lab, "test_item")
    table.cell(made["test_item"], "instrument_ids").value = "ICP"  # two have that name
    table.cell(made["test_item"], "turnaround_days").value = "soon"
    _sheet, plan = planned("test_item", table)
    assert {(one.field, one.reason.code) for one in plan.problems} == {
        ("instrument_ids", "sheet.word_unknown"),
        ("turnaround_days", "sheet.not_a_number"),
    }
    table = out(wang, cast.lab, "test_item")
    table.cell(made["test_item"], "qualifications").value = "CMA; 2024-001; some day"
    _sheet, plan = planned("test_item", table)
    assert [one.field for one in plan.problems] == ["qualifications"]
    assert twin.pk


@pytest.mark.parametrize("kind", ["dataset", "literature"])
def test_the_instruments_behind_a_data_set_or_a_work_are_changed_in_its_table_too(cast, wang, made, planned, now, kind):
    elsewhere = make_owner("Kunlun Institute", now)
    site = registry.create_site(OPERATOR, elsewhere.pk, SiteFields("Hall"), now)
    foreign = registry.create_instrument(OPERATOR, site.pk, InstrumentFields("Beamline"), now)
    Instrument.objects.filter(pk=cast.xrd.pk).update(inner_id="A 7")
    resources.update_resource(wang, made[kind].pk, {}, {"instrument_ids": [foreign.pk]}, now)
    table = out(wang, cast.lab, kind)
    assert table.cell(made[kind], "instrument_ids").value == "Beamline", "one of another owner is named too"
    Instrument.objects.filter(pk=foreign.pk).update(published=False)
    table.cell(made[kind], "name").value = "Renamed"
    sheet, plan = planned(kind, table)
    assert (plan.problems, [one.field for one in plan.rows[0].changes]) == ([], ["name"]), "a link that nobody touched stays"
    resource_sheets.apply(wang, sheet.pk, now)
    table = out(wang, cast.lab, kind)
    assert table.cell(made[kind], "instrument_ids").value == f"#{foreign.pk}", "what nobody sees any more is not named"
    table.cell(made[kind], "instrument_ids").value = "a 7"  # by the owner's own number
    sheet, plan = planned(kind, table)
    assert [(one.field, one.after) for one in plan.rows[0].changes] == [("instrument_ids", [str(cast.xrd.pk)])]
    resource_sheets.apply(wang, sheet.pk, now)
    linked = getattr(Resource.objects.get(pk=made[kind].pk), kind).instruments
    assert list(linked.values_list("pk", flat=True)) == [cast.xrd.pk]


def test_an_accessions_descriptors_are_columns_and_only_those_of_its_standard(cast, wang, made, planned, now):
    table = out(wang, cast.lab, "germplasm")
    table.cell(made["germplasm"], "SPECIES").value = "spontaneum"
    table.cell(made["germplasm"], "COLLDATE").value = None
    sheet, plan = planned("germplasm", table)
    assert [(one.field, one.before, one.after) for one in plan.rows[0].changes] == [
        ("SPECIES", "vulgare", "spontaneum"), ("COLLDATE", "2001----", None),
    ]  # fmt: skip
    resource_sheets.apply(wang, sheet.pk, now)
    stored = Resource.objects.select_related("germplasm").get(pk=made["germplasm"].pk).germplasm
    assert (stored.species, stored.descriptors["SPECIES"], "COLLDATE" in stored.descriptors) == (
        "spontaneum",
        "spontaneum",
        False,
    )
    table.cell(made["germplasm"], "sex").value = "male"
    _sheet, plan = planned("germplasm", table)
    assert [(one.row, one.field, one.reason.code) for one in plan.problems] == [
        (table.row(made["germplasm"]), "sex", "sheet.descriptor_of_another")
    ]


def test_everything_that_is_wrong_is_said_at_its_cell_and_nothing_is_saved(cast, wang, made, planned, now):
    other = resources.create_resource(wang, cast.lab.pk, "dataset", {"name": "More"}, {}, now)
    table = out(wang, cast.lab, "dataset")
    table.cell(made["dataset"], "size_bytes").value = "much"
    table.cell(other, "landing_page").value = "ftp://x"
    table.cell(other, "temporal_to").value = "soon"
    sheet, plan = planned("dataset", table)
    assert {(one.field, one.reason.code) for one in plan.problems} == {
        ("size_bytes", "sheet.not_a_number"),
        ("temporal_to", "sheet.not_a_date"),
    }
    with pytest.raises(Conflict, match=r"sheet\.not_applied"):
        resource_sheets.apply(wang, sheet.pk, now)
    table.cell(other, "temporal_to").value = None
    table.cell(made["dataset"], "size_bytes").value = 7
    _sheet, plan = planned("dataset", table)
    assert [(one.field, one.reason.code) for one in plan.problems] == [("landing_page", "instrument.url_invalid")]
    table.cell(other, "landing_page").value = None
    sheet, plan = planned("dataset", table)
    resources.update_resource(wang, made["dataset"].pk, {"name": "Changed meanwhile"}, {}, now.replace(hour=5))
    assert [one.reason.code for one in resource_sheets.plan(wang, sheet).problems] == ["sheet.changed_meanwhile"]
    table.sheet.cell(3, 1).value = None
    assert [one.reason.code for one in planned("dataset", table)[1].problems][:1] == ["sheet.new_dataset"]
    with pytest.raises(Refusal, match=r"sheet\.column_unknown"):
        planned("literature", table)
    with pytest.raises(Refusal, match=r"sheet\.kind_unknown"):
        planned("instrument", table)


def test_a_row_that_belongs_to_nothing_is_refused_in_the_words_of_its_table(made, planned, cast, wang):
    words = {
        "test_item": "no test item",
        "dataset": "no data set",
        "literature": "no work of literature",
        "germplasm": "no accession",
    }
    for kind, word in words.items():
        table = out(wang, cast.lab, kind)
        table.sheet.append([None, None, None, "A new one"])
        (problem,) = planned(kind, table)[1].problems
        with override("en"):
            assert word in reason_sentence(problem.reason) and "instrument" not in reason_sentence(problem.reason)
    with pytest.raises(Refusal) as empty:
        table = out(wang, cast.lab, "dataset")
        table.sheet.delete_rows(3)
        planned("dataset", table)
    with override("en"):
        assert "nothing in the sheet" in reason_sentence(empty.value.reasons[0])


@pytest.fixture
def barley(cast, now):
    """As many accessions as the largest list of the shared data has, and some more than one part holds."""
    core = {"organisation": cast.lab, "kind": "germplasm", "created_at": now, "updated_at": now}
    numbers = range(2 * sheet_plan.PART_ROWS + 1)
    rows = [Resource(name=f"Barley {number:05}", name_pinyin=f"barley {number:05}", **core) for number in numbers]
    made = Resource.objects.bulk_create(rows)
    Germplasm.objects.bulk_create(
        Germplasm(resource=one, standard="mcpd", descriptors={"ACCENUMB": one.name[7:], "GENUS": "Hordeum"}) for one in made
    )
    return made


def test_everything_goes_out_in_parts_that_all_come_back(cast, wang, barley, now):
    parts = resource_sheets.parts(wang, cast.lab.pk, "germplasm")
    most = sheet_plan.PART_ROWS
    assert [(one.first, one.last) for one in parts] == [(1, most), (most + 1, 2 * most), (2 * most + 1, 2 * most + 1)]
    seen = 0
    for part in parts:
        columns = ["GENUS"] if part.number < 3 else list(resource_sheets.KINDS["germplasm"])
        content = resource_sheets.download(wang, cast.lab.pk, "germplasm", columns, {}, part.number)
        sheet = resource_sheets.hand_in(wang, cast.lab.pk, "germplasm", content, now)
        plan = resource_sheets.plan(wang, sheet)
        assert (plan.rows, plan.problems) == ([], [])
        seen += plan.untouched
    assert seen == len(barley)
    for number in (0, 4):
        with pytest.raises(NotFound):
            resource_sheets.download(wang, cast.lab.pk, "germplasm", [], {}, number)


def test_the_page_offers_the_parts_and_no_other(cast, wang, barley, client):
    client.force_login(cast.users["wang"])
    page = client.get(reverse("resource_sheet_start", args=["germplasm"])).content.decode()
    assert "Rows 2001 to 2001" in page and "A table holds 1000 rows at most" in page
    assert 'name="part"' not in client.get(reverse("resource_sheet_start", args=["dataset"])).content.decode()
    address = reverse("resource_sheet_download", args=["germplasm", cast.lab.pk])
    answer = client.get(address, {"part": 3})
    assert Table(answer.content).sheet.max_row == 3 and "germplasm-" in answer["Content-Disposition"]
    for wrong in ("0", "4", "-1", "x", "\u00b2", "9" * 30, ""):
        assert client.get(address, {"part": wrong}).status_code == 404


def test_a_table_says_whose_its_rows_are(cast, wang, barley):
    table = Table(resource_sheets.download(wang, cast.lab.pk, "germplasm", ["GENUS"], {}, 3))
    for strange in (None, "x", "9" * 30, "\u00b2"):
        table.sheet.append([strange, "x", "x", "Barley"])
    assert sheet_plan.read_table(table.content(), ["name", "GENUS"]).ids == [barley[-1].pk]


def test_what_the_operator_looks_at_first_is_handed_in_and_others_see_nothing(cast, wang, made, planned, now):
    resources.set_published(wang, made["dataset"].pk, True, now)
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)
    table = out(wang, cast.lab, "dataset")
    table.cell(made["dataset"], "name").value = "Brines 3"
    sheet, plan = planned("dataset", table)
    assert plan.review
    resource_sheets.apply(wang, sheet.pk, now)
    assert ResourceChange.objects.get(state="submitted").values == {"name": "Brines 3"}
    assert Resource.objects.get(pk=made["dataset"].pk).name == "Brines"
    for column, typed in (("contact_phone", "0971 1"), ("description", "Of lakes")):  # other tables: the name goes on waiting
        few = resource_sheets.download(wang, cast.lab.pk, "dataset", [column], labels_of("dataset"))
        table = Table(few)
        table.cell(made["dataset"], column).value = typed
        resource_sheets.apply(wang, planned("dataset", table)[0].pk, now)
    waiting = ResourceChange.objects.get(state="submitted")
    assert waiting.values == {"name": "Brines 3", "description": "Of lakes"}
    assert waiting.base == {"name": "Brines", "description": "Two\nlines"}
    assert Resource.objects.get(pk=made["dataset"].pk).contact_phone == "0971 1"
    with pytest.raises(NotFound):
        resource_sheets.sheet_for(cast.actor("lin"), sheet.pk)
    with pytest.raises(NotFound):
        sheets.sheet_for(wang, sheet.pk)
    with pytest.raises(Forbidden):
        resource_sheets.download(cast.actor("lin"), cast.lab.pk, "dataset", [], {})


def test_the_pages_lead_from_the_list_to_what_is_saved(cast, wang, made, client, now):
    client.force_login(cast.users["wang"])
    start = reverse("resource_sheet_start", args=["dataset"])
    assert start in client.get(reverse("resource_list")).content.decode()
    assert client.get(reverse("resource_sheet_start", args=["nothing"])).status_code == 404
    page = client.get(start).content.decode()
    assert 'value="size_bytes"' in page and "Size in bytes" in page
    table = Table(client.get(reverse("resource_sheet_download", args=["dataset", cast.lab.pk]) + "?columns=version").content)
    table.cell(made["dataset"], "version").value = "<2>"

    upload = reverse("resource_sheet_upload", args=["dataset", cast.lab.pk])
    answer = client.post(upload, {"file": SimpleUploadedFile("t.xlsx", table.content(), resource_sheets.MEDIA_TYPE)})
    preview = client.get(answer["Location"]).content.decode()
    assert "&lt;2&gt;" in preview and "1 row changes in 1 cells." in preview
    sheet = InstrumentSheet.objects.get()
    assert client.post(reverse("resource_sheet_apply", args=[sheet.pk])).status_code == 302
    assert Resource.objects.select_related("dataset").get(pk=made["dataset"].pk).dataset.version == "<2>"
    assert client.post(upload, {"file": SimpleUploadedFile("t.xlsx", b"no", "x/y")}).status_code == 422
    assert Instrument.objects.count() == 1
