"""Lists of data sets and of literature: what their headings mean, which row is which, what they link; and mappings over lists of all
kinds of resources, by the same pages as for instruments."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel.access import Actor
from config.kernel.errors import Conflict, Refusal
from instruments.models import ImportRun, Resource, SavedMapping
from instruments.rules.described_rows import columns_of, fields_of, known_names
from instruments.rules.registry_map import parse_map
from instruments.services import import_kinds, import_runs, resources
from instruments.services.described_import import import_datasets, import_literature
from instruments.services.import_runs import Asked
from instruments.services.resource_import_kinds import WORDS
from tests.instruments.registry.conftest import make_owner
from tests.instruments.resources.conftest import taken_in

pytestmark = pytest.mark.django_db
DATASETS = (
    "数据集名称,编号,英文名称,关键词,创建者,发布日期,版本,数据格式,字节数,开始日期,结束日期,空间范围,访问地址,DOI\n"
    '柴达木卤水数据集,D1,Brines of Qaidam,"卤水; 锂、钾",林夏；赵敏,2024年2月29日,1.0,"CSV, application/zip",'
    '"1,234",2020-01-01,2021-12-31,柴达木盆地,'
    "https://data.example.org/1,10.1234/brine.1\n"
    "气象站观测,,,,,,,,,,,,,\n"
)
LITERATURE = (
    "dc:title,dc:creator,dc:date,dc:type,dc:source,dc:language,DOI,Shelf\n"
    'On salts,"Lin, Xia; Zhao, Min",2019/5,期刊论文,盐湖研究 27(2),中文,10.1234/salt.7,A 3\n'
    'Brine chemistry,"Xia, Lin",2020,monograph,,English,,\n'
)


def test_a_list_of_data_sets_in_the_terms_of_dcat_and_its_second_import_changes_nothing(owner: Any, now: Any) -> None:
    first = taken_in(import_datasets, DATASETS, owner, now)
    assert first.written and first.counts["created"] == 2 and not first.columns_not_read
    made = Resource.objects.get(inner_id="D1")
    part = made.dataset
    assert (made.name, made.name_en, made.keywords) == ("柴达木卤水数据集", "Brines of Qaidam", ["卤水", "锂", "钾"])
    assert (part.creators, part.issued_on, part.size_bytes) == (["林夏", "赵敏"], date(2024, 2, 29), 1234)
    assert (part.media_types, part.temporal_to) == (["text/csv", "application/zip"], date(2021, 12, 31))
    assert made.published and made.name_pinyin
    again = taken_in(import_datasets, DATASETS, owner, now + timedelta(days=1))
    assert [row.fate for row in again.rows] == ["unchanged", "unchanged"]
    changed = taken_in(import_datasets, DATASETS.replace(",1.0,", ",1.1,"), owner, now)
    assert [(row.fate, [(r.field, r.params["was"]) for r in row.reasons]) for row in changed.rows] == [
        ("updated", [("version", "1.0")]),
        ("unchanged", []),
    ]


def test_as_many_statements_change_two_rows_of_a_list_as_forty(owner: Any, now: Any) -> None:
    """Each row changes its core, its typed part and what is linked."""

    def statements(count: int) -> int:
        head = "number,title,version,creators\n"
        rows = [f"N{place},Brines {place}," for place in range(count)]
        taken_in(import_datasets, head + "".join(f"{row}1.0,\n" for row in rows), owner, now)
        with CaptureQueriesContext(connection) as asked:
            changed = taken_in(
                import_datasets, head + "".join(f"{row.replace('Brines', 'Salts')}1.1,Lin\n" for row in rows), owner, now
            )
        assert changed.counts["updated"] == count
        stored = Resource.objects.filter(name__startswith="Salts", updated_at=now).select_related("dataset")
        assert {(one.dataset.version, *one.dataset.creators) for one in stored} == {("1.1", "Lin")}
        Resource.objects.all().delete()
        return len(asked)

    assert statements(2) == statements(40)


def test_a_list_of_literature_in_the_terms_of_dublin_core_keeps_what_it_does_not_know(owner: Any, now: Any) -> None:
    report = taken_in(import_literature, LITERATURE, owner, now)
    assert report.counts["created"] == 2 and report.columns_not_read == ("Shelf",)
    salts = Resource.objects.get(doi="10.1234/salt.7")
    part = salts.literature
    assert (part.type, part.issued, part.language, part.creators) == ("article", "2019-05", "zh", ["Lin, Xia", "Zhao, Min"])
    assert salts.attributes == {"Shelf": "A 3"}
    assert Resource.objects.get(name="Brine chemistry").literature.type == "book"
    again = taken_in(import_literature, LITERATURE, owner, now)
    assert again.counts["unchanged"] == 2


def test_two_rows_never_mean_one_thing_that_is_kept(owner: Any, now: Any) -> None:
    """The second row has the number of what is kept, the first only its DOI, which somebody copied."""
    taken_in(import_literature, "title,number,DOI\nOn salts,N1,10.1234/salt.7\n", owner, now)
    kept = Resource.objects.get()
    rows = "title,number,DOI\nOn brines,N2,10.1234/salt.7\nOn salts,N1,10.1234/salt.7\n"
    assert [row.fate for row in taken_in(import_literature, rows, owner, now).rows] == ["created", "unchanged"]
    assert Resource.objects.get(pk=kept.pk).name == "On salts" and Resource.objects.get(inner_id="N2").name == "On brines"
    assert [row.fate for row in taken_in(import_literature, rows, owner, now).rows] == ["unchanged", "unchanged"]


def test_one_refused_row_keeps_the_whole_list_out_and_says_why_at_its_line(owner: Any, now: Any) -> None:
    rows = "name,type,issued,language\nA,poem,2019,zh\n,book,2019,zh\nC,book,soon,zh\nD,book,2019,zh\n"
    report = taken_in(import_literature, rows, owner, now)
    assert not report.written and not Resource.objects.exists()
    assert [(row.line, {(r.code, r.field) for r in row.reasons}) for row in report.rows] == [
        (2, {("resource.choice_unknown", "type")}),
        (3, {("name.empty", "name")}),
        (4, {("germplasm.iso_date_not_understood", "issued")}),
    ]
    sizes = taken_in(import_datasets, "name,size_bytes,end date,start date\nA,2 GB,2019-01-01,2020-01-01\n", owner, now)
    assert {(r.code, r.field) for r in sizes.rows[0].reasons} == {
        ("import.bytes_not_understood", "size_bytes"),
        ("resource.end_before_start", "temporal_to"),
    }
    with pytest.raises(Refusal, match=r"import\.name_column_missing") as unnamed:
        taken_in(import_datasets, "version\n1\n", owner, now)
    for heading in unnamed.value.reasons[0].params["headings"]:  # what it advises is understood
        assert taken_in(import_datasets, f"{heading}\nCalled {heading}\n", owner, now).written
    with pytest.raises(Refusal, match=r"import\.constant_unknown"):
        taken_in(import_datasets, "name\nA\n", owner, now, constants={"colour": "red"})


def test_the_instruments_behind_a_resource_are_named_by_number_or_name_and_nobody_elses(cast: Any, now: Any) -> None:
    xrd = cast.xrd
    text = f"name,instruments\nA,#{xrd.pk}\nB,{xrd.name}\nC,\n"
    made = taken_in(import_literature, text, cast.lab, now)
    assert made.counts["created"] == 3
    assert [list(one.literature.instruments.values_list("pk", flat=True)) for one in Resource.objects.order_by("name")] == [
        [xrd.pk],
        [xrd.pk],
        [],
    ]
    assert taken_in(import_literature, text, cast.lab, now).counts["unchanged"] == 3
    gone = taken_in(import_literature, text.replace(f"#{xrd.pk}", ""), cast.lab, now)
    assert [(r.field, r.params["was"], r.params["becomes"]) for r in gone.rows[0].reasons] == [
        ("instrument_ids", f"#{xrd.pk}", "")
    ]
    assert not Resource.objects.get(name="A").literature.instruments.exists()
    others = taken_in(import_literature, f"name,instruments\nD,#{xrd.pk}\n", make_owner("Kunlun Institute", now), now)
    assert [(r.code, r.field) for r in others.rows[0].reasons] == [("import.instrument_not_found", "instrument_ids")]


def test_what_was_entered_by_hand_is_known_again_by_its_number_or_its_doi(owner: Any, manager: Actor, now: Any) -> None:
    core = {"name": "On salts", "doi": "10.1234/SALT.7", "published": True}
    by_hand = resources.create_resource(manager, owner.pk, "literature", core, {}, now)
    report = taken_in(import_literature, "number,title,doi\nL1,On salts,10.1234/salt.7\n", owner, now)
    assert [(row.fate, row.resource_id) for row in report.rows] == [("updated", by_hand.pk)]
    assert Resource.objects.get().inner_id == "L1"
    assert taken_in(import_literature, "number,title,doi\nL1,On salts,10.1234/salt.7\n", owner, now).counts["unchanged"] == 1


def test_two_rows_of_one_number_are_one_and_the_second_says_what_differs(owner: Any, now: Any) -> None:
    report = taken_in(import_datasets, "number,title,version\n1,A,1\n1,A,2\n1,A,1\n", owner, now)
    assert [(row.fate, [r.code for r in row.reasons]) for row in report.rows] == [
        ("created", []),
        ("repeated", ["import.repeated_differs"]),
        ("repeated", ["import.repeated_same"]),
    ]


@pytest.mark.parametrize("kind", ["dataset", "literature"])
def test_every_known_heading_means_one_field_and_every_field_is_known_by_its_own_name(kind: str) -> None:
    for field in fields_of(kind):
        assert known_names(kind)[field] == field
    for heading, field in known_names(kind).items():
        assert columns_of(kind, [heading, *(["name"] if field != "name" else [])])[field] == heading


def test_the_commands_take_the_same_lists_in_and_a_map_too(owner: Any, now: Any, tmp_path: Any) -> None:
    (tmp_path / "list.csv").write_text("Werk;Wer\nOn salts;Lin\n", encoding="utf-8")
    (tmp_path / "map.json").write_text(
        '{"fields": {"name": "Werk", "creators": "Wer"}, "delimiter": ";", "kind": "literature"}', encoding="utf-8"
    )
    call_command("import_literature", str(tmp_path / "list.csv"), owner=owner.pk, map=tmp_path / "map.json", verbosity=0)
    assert Resource.objects.get().literature.creators == ["Lin"]
    (tmp_path / "sets.csv").write_text("数据集名称\nBrines\n", encoding="utf-8")
    call_command("import_datasets", str(tmp_path / "sets.csv"), owner=owner.pk, verbosity=0)
    assert Resource.objects.filter(kind="dataset").count() == 1


FOREIGN = {
    "test_items": (b"Was,Kosten,Wo\nXRD,120,Raum 1\nSEM,400,\n", {"Was": "name", "Kosten": "price"}),
    "germplasm": (b"Nummer,Gattung,Wo\nK 1,Hordeum,Raum 1\nK 2,Avena,\n", {"Nummer": "ACCENUMB", "Gattung": "GENUS"}),
    "datasets": (b"Was,Wer,Wo\nBrines,Lin,Raum 1\nSalts,,\n", {"Was": "name", "Wer": "creators"}),
    "literature": (b"Was,Wann,Wo\nBrines,2019,Raum 1\nSalts,,\n", {"Was": "name", "Wann": "issued"}),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_list_with_headings_of_its_own_is_mapped_once_and_read_by_the_saved_mapping_afterwards(cast: Any, kind: str) -> None:
    content, chosen = FOREIGN[kind]
    wang = cast.actor("wang")

    def worked(run: ImportRun) -> ImportRun:
        import_runs.work(run.pk, cast.now)
        return ImportRun.objects.get(pk=run.pk)

    run = worked(import_runs.start(wang, Asked(kind, "new", cast.lab.pk), content, "list.csv", cast.now))
    assert (run.state, len(run.facts["columns"])) == ("mapping", 3)
    run = worked(import_runs.choose_columns(wang, run.pk, chosen, "Ours", cast.now))
    assert (run.state, run.counts["created"], run.facts["columns_not_read"]) == ("preview", 2, [])
    run = worked(import_runs.confirm(wang, run.pk, cast.now))
    assert (run.state, run.counts["created"]) == ("done", 2)
    assert not any(one.attributes for one in Resource.objects.filter(organisation=cast.lab)), "what was left out is left out"
    mapping = SavedMapping.objects.get()
    assert import_kinds.of_document(mapping.document) == kind
    again = worked(import_runs.start(wang, Asked(kind, "saved", cast.lab.pk, mapping.pk), content, "list.csv", cast.now))
    assert (again.state, again.counts["unchanged"], again.total_rows) == ("preview", 2, 2)
    other = content.replace(b"Was", b"What").replace(b"Nummer", b"What")
    lacking = worked(import_runs.start(wang, Asked(kind, "saved", cast.lab.pk, mapping.pk), other, "list.csv", cast.now))
    assert (lacking.state, lacking.problems[0]["code"]) == ("failed", "import.column_missing")


def test_a_mapping_may_translate_join_and_cut_and_what_it_cannot_translate_is_refused_at_its_row(owner: Any, now: Any) -> None:
    words = import_kinds.kind_of("literature").columns
    document = {
        "kind": "literature",
        "fields": {
            "name": {"join": ["T", "S"], "separator": ": "},
            "type": {"column": "K", "values": {"Buch": "book"}},
            "publisher": {"constant": "ISL"},
        },
    }
    words.check(document)
    plan = parse_map(document, WORDS["literature"])
    report = taken_in(import_literature, "T,S,K,name\nOn salts,a study,Buch,x\nTwo,,Gedicht,\n", owner, now, plan=plan)
    assert [(r.code, r.field) for r in report.rows[0].reasons] == [("import.value_unknown", "type")]
    report = taken_in(import_literature, "T,S,K,name\nOn salts,a study,Buch,x\n", owner, now, plan=plan)
    made = Resource.objects.get()
    assert (made.name, made.literature.type, made.literature.publisher) == ("On salts: a study", "book", "ISL")
    assert made.attributes == {"name": "x"} and report.columns_not_read == ("name",)


def test_the_page_offers_every_kind_and_names_the_fields_of_each(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    page = wang.get(reverse("import_list")).content.decode()
    for form in ("datasets:dataset_list", "datasets:new", "literature:literature_list", "test_items:new", "germplasm:new"):
        assert f'value="{form}"' in page
    body = {"file": SimpleUploadedFile("l.csv", "题名,作者,X\nA,B,C\n".encode()), "form": "literature:new", "owner": cast.lab.pk}
    address = wang.post(reverse("import_list"), body)["Location"]
    import_runs.work(ImportRun.objects.latest("pk").pk, cast.now)
    page = wang.get(address).content.decode()
    assert '<option value="name" selected>Name</option>' in page
    assert '<option value="creators" selected>Authors</option>' in page
    run = ImportRun.objects.latest("pk")
    answer = wang.post(reverse("import_columns", args=[run.pk]), {"column_0": "", "column_1": "creators", "column_2": ""})
    assert answer.status_code == 422 and b"The map needs fields.name" in answer.content


def test_reading_tells_how_far_it_is_and_nothing_is_written_that_comes_otherwise_than_previewed(owner: Any, now: Any) -> None:
    heard: list[tuple[int, int]] = []
    rows = "title\n" + "".join(f"Set {number}\n" for number in range(1001))
    previewed = taken_in(
        import_datasets, rows, owner, now, dry_run=True, progress=lambda done, total: heard.append((done, total))
    )
    assert heard == [(0, 1001), (500, 1001), (1000, 1001)]
    taken_in(import_datasets, "title\nSet 5\n", owner, now)
    with pytest.raises(Conflict, match=r"import\.changed_since"):
        taken_in(import_datasets, rows, owner, now, expected_digest=previewed.digest)
    assert Resource.objects.count() == 1
