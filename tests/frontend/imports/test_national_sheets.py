"""The national sheets handed over on the page: looked at, written, and handed over again as our own sheets without a change."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from instruments.models import FacilityRecord, ImportRun, Instrument
from instruments.rules.standards import facility, national
from instruments.services import import_runs

pytestmark = pytest.mark.django_db
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PLACE = {"安放地址-省": "青海省", "安放地址-市": "西宁市", "安放地址-区县": "城西区", "安放地址-街道": "盐湖路 1 号"}
XRD = {
    "所在单位仪器编号": "N-1", "仪器设备名称": "X射线衍射仪", "英文名称": "XRD", "仪器分类编码": "010301", "原值": "123.45",
    "产地国别": "德国", "建账日期": "2019-05-07", "规格型号": "D8", "主要学科领域": "物理学，化学", "主要购置经费来源": "中央财政资金",
    "设备仪器来源": "购置", "仪器设备类别": "通用", "联系人": "王敏", **PLACE,
}  # fmt: skip
SUN = {
    "所属单位科学装置编号": "F-1", "装置名称": "高原太阳能试验装置", "建设经费": "12345.67", "验收通过日期": "2021-06-30",
    "主要功能": "高温材料试验", "主要学科领域": "物理学", "建设情况": "2", "设施类别": "2", "联系人": "王敏", **PLACE,
}  # fmt: skip
ENDSTATION = {"所在单位仪器编号": "C-1", "仪器设备名称": "聚光终端", "所属科研设施内部编号": "F-1", "所在单位内部门": "设施部"}


def named(heading: str) -> str:
    """A heading without what stands in brackets behind its name."""
    return heading.split("（")[0].split("(")[0].strip()


def filled(heads: list[list[str]], row: dict[str, str]) -> bytes:
    """The template of a sheet with one row filled in."""
    book = Workbook()
    for cells in (*heads, [row.get(named(head), row.get(head, "")) for head in heads[-1]]):
        book.active.append(list(cells))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def handed_over(client: Any, cast: Any, content: bytes, layout: str) -> ImportRun:
    """The run, read and ready to be looked at."""
    body = {"file": SimpleUploadedFile("sheet.xlsx", content, XLSX), "form": f"instruments:{layout}", "owner": cast.lab.pk}
    assert client.post(reverse("import_list"), body).status_code == 302
    return worked(cast, ImportRun.objects.latest("pk"))


def worked(cast: Any, run: ImportRun) -> ImportRun:
    import_runs.work(run.pk, cast.now)
    return ImportRun.objects.get(pk=run.pk)


def written(client: Any, cast: Any, content: bytes, layout: str, shown: str) -> None:
    """Looked at, confirmed and said to be written, on the page."""
    run = handed_over(client, cast, content, layout)
    address = reverse("import_run", args=[run.pk])
    page = client.get(address).content.decode()
    assert (run.state, run.counts["created"]) == ("preview", 1), run.problems
    assert shown in page and "Confirm and write" in page
    assert not Instrument.objects.filter(name=shown).exists()
    client.post(reverse("import_confirm", args=[run.pk]))
    assert worked(cast, run).state == "done"
    assert "Written: 1 new, 0 changed." in client.get(address).content.decode()


@pytest.fixture
def core_heads(shared_data: Path) -> list[list[str]]:
    """The head rows of the sheet of core instruments."""
    templates = json.loads((shared_data / "standards" / "nrii-excel-template-headers.json").read_text())
    return list(templates["device:核心仪器设备清单"])


def test_the_sheet_of_instruments_is_looked_at_written_and_comes_back_unchanged(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    written(wang, cast, filled([list(head) for head in national.sheet_head()], XRD), "national", "X射线衍射仪")
    made = Instrument.objects.select_related("site").get(inner_id="N-1")
    assert (made.class_code, made.original_value_fen, made.nation_code) == ("010301", 123_450_000, "DE")
    assert (made.site.region_code, made.site.address, made.contact_name) == ("630104", "盐湖路 1 号", "王敏")
    own = wang.get(reverse("organisation_national_record", args=[cast.lab.pk])).content
    again = handed_over(wang, cast, own, "national")
    assert again.counts["unchanged"] == Instrument.objects.filter(organisation=cast.lab).count() == 2
    assert (again.counts["created"], again.counts["updated"], again.counts["refused"]) == (0, 0, 0)


def test_the_sheet_of_facilities_is_looked_at_written_and_comes_back_unchanged(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    written(wang, cast, filled([list(head) for head in facility.SHEET.head()], SUN), "facility", "高原太阳能试验装置")
    record = FacilityRecord.objects.get(instrument__inner_id="F-1")
    assert (record.construction, record.category, str(record.accepted_on)) == ("built", "public", "2021-06-30")
    own = wang.get(reverse("organisation_facility_record", args=[cast.lab.pk])).content
    again = handed_over(wang, cast, own, "facility")
    assert (again.counts["unchanged"], again.counts["created"], again.counts["updated"]) == (1, 0, 0)


def test_the_sheet_of_core_instruments_is_looked_at_and_written(cast: Any, as_: Any, core_heads: list[list[str]]) -> None:
    wang = as_("wang")
    written(wang, cast, filled([list(head) for head in facility.SHEET.head()], SUN), "facility", "高原太阳能试验装置")
    content = filled(core_heads, ENDSTATION)
    written(wang, cast, content, "core_instruments", "聚光终端")
    made = Instrument.objects.select_related("site").get(inner_id="C-1")
    assert (made.affiliation, made.affiliation_name, made.site.name) == ("facility", "F-1", "设施部")
    facility_page = wang.get(reverse("instrument_detail", args=[Instrument.objects.get(inner_id="F-1").pk])).content.decode()
    assert "聚光终端" in facility_page
    again = handed_over(wang, cast, content, "core_instruments")
    assert (again.counts["unchanged"], again.counts["created"], again.counts["updated"]) == (1, 0, 0)


@pytest.mark.parametrize("layout", ["national", "facility", "core_instruments"])
def test_a_sheet_with_a_wrong_cell_is_refused_with_the_row_and_nothing_is_written(
    cast: Any, as_: Any, core_heads: list[list[str]], layout: str
) -> None:
    heads, row = {
        "national": ([list(head) for head in national.sheet_head()], XRD | {"产地国别": "阿特兰蒂斯"}),
        "facility": ([list(head) for head in facility.SHEET.head()], SUN | {"建设情况": "9"}),
        "core_instruments": (core_heads, ENDSTATION | {"原值": "much"}),
    }[layout]
    wang = as_("wang")
    run = handed_over(wang, cast, filled(heads, row), layout)
    page = wang.get(reverse("import_run", args=[run.pk])).content.decode()
    assert run.counts["refused"] == 1 and "One row is refused" in page and "Confirm and write" not in page
    assert Instrument.objects.count() == 1


def test_what_was_typed_into_our_own_sheet_is_shown_and_written(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    book = load_workbook(BytesIO(wang.get(reverse("organisation_national_record", args=[cast.lab.pk])).content))
    heads = [named(cell.value or "") for cell in book.worksheets[0][2]]
    book.worksheets[0].cell(3, heads.index("规格型号") + 1).value = "D9 <b>"
    out = BytesIO()
    book.save(out)
    run = handed_over(wang, cast, out.getvalue(), "national")
    assert "D9 &lt;b&gt;" in wang.get(reverse("import_run", args=[run.pk])).content.decode()
    wang.post(reverse("import_confirm", args=[run.pk]))
    assert worked(cast, run).counts["updated"] == 1
    assert Instrument.objects.get(pk=cast.xrd.pk).model == "D9 <b>"
