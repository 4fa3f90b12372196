"""The real files of the shared data folder, handed over on the page: every row has its fate there, and a second time changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from frontend.presenters.imports import run_view
from frontend.views.imports import ROWS_PER_PAGE
from instruments.models import ImportRun, SavedMapping
from instruments.queries.imports import FATES
from instruments.services import import_runs

pytestmark = pytest.mark.django_db
WHEAT = {"field_0": "GENUS", "value_0": "Triticum", "field_1": "CROPNAME", "value_1": "Wheat"}


def work(cast: Any) -> ImportRun:
    run = ImportRun.objects.latest("pk")
    import_runs.work(run.pk, cast.now)
    return ImportRun.objects.get(pk=run.pk)


def handed_over(client: Any, cast: Any, file: Path, form: str, options: dict[str, str], **more: Any) -> ImportRun:
    body = {"file": SimpleUploadedFile(file.name, file.read_bytes()), "form": form, "owner": cast.lab.pk, **more}
    assert client.post(reverse("import_list"), body).status_code == 302
    run = work(cast)
    if options:
        client.post(reverse("import_read_again", args=[run.pk]), options)
        run = work(cast)
    assert run.state == "preview", run.problems
    return run


def looked_at(client: Any, run: ImportRun, rows: int) -> None:
    """Every page of the rows and of each fate, in both languages, and the report."""
    assert run_view(run).total == rows
    address = reverse("import_run", args=[run.pk])
    for language in ("en", "zh-hans"):
        for page in range(1, -(-rows // ROWS_PER_PAGE) + 1):
            assert client.get(f"{address}?page={page}", headers={"accept-language": language}).status_code == 200
        for fate in FATES:
            assert client.get(f"{address}?fate={fate}", headers={"accept-language": language}).status_code == 200
    report = b"".join(client.get(reverse("import_report", args=[run.pk])).streaming_content).decode()
    assert report.count("\n") >= rows + 1


@pytest.mark.parametrize(
    ("file", "form", "options", "rows", "created"),
    [
        ("prices/cn-yrd-materials-test-prices.csv", "test_items:price_list", {}, 792, 785),
        ("germplasm/icarda-figs-wheat-accessions.csv", "germplasm:mcpd", WHEAT, 201, 201),
        pytest.param("germplasm/mcpd-v2.1-germinate-example.csv", "germplasm:mcpd", {}, 2010, 2010, marks=pytest.mark.proof),
        pytest.param(
            "registries/uk-st-andrews-equipment.uniquip.csv", "instruments:uniquip", {}, 623, 623, marks=pytest.mark.proof
        ),
    ],
)
def test_a_real_list_is_looked_at_and_written_on_the_page(
    cast: Any, as_: Any, shared_data: Path, file: str, form: str, options: dict[str, str], rows: int, created: int
) -> None:
    wang = as_("wang")
    run = handed_over(wang, cast, shared_data / file, form, options)
    assert run.counts["created"] == created
    looked_at(wang, run, rows)
    wang.post(reverse("import_confirm", args=[run.pk]))
    run = work(cast)
    assert run.state == "done"
    assert wang.get(reverse("import_run", args=[run.pk])).status_code == 200
    again = handed_over(wang, cast, shared_data / file, form, options)
    assert (again.counts["unchanged"], again.counts["created"], again.counts["updated"]) == (created, 0, 0)


@pytest.mark.parametrize(
    ("file", "mapping", "rows", "created"),
    [
        ("us-emsl-instruments.csv", "us-emsl.json", 149, 149),
        pytest.param("us-pnnl-dms-instruments.csv", "us-pnnl.json", 263, 263, marks=pytest.mark.proof),
        pytest.param("jp-shared-equipment-kikidoko.csv", "jp-kikidoko.json", 10_598, 10_085, marks=pytest.mark.proof),
    ],
)
def test_the_operator_takes_in_a_real_registry_with_its_mapping(
    cast: Any, as_: Any, shared_data: Path, file: str, mapping: str, rows: int, created: int
) -> None:
    zhou = as_("zhou")
    document = (settings.BASE_DIR / "docs" / "import-maps" / mapping).read_bytes()
    sent = {"mapping-map": SimpleUploadedFile(mapping, document), "mapping-name": mapping, "mapping-owner": "everybody"}
    assert zhou.post(reverse("mapping_add"), sent).status_code == 302
    more = {"mapping": SavedMapping.objects.get().pk, "owner": "each_row"}
    run = handed_over(zhou, cast, shared_data / "registries" / file, "instruments:saved", {}, **more)
    assert run.counts["created"] == created
    looked_at(zhou, run, rows)
    zhou.post(reverse("import_confirm", args=[run.pk]))
    assert work(cast).state == "done"
    again = handed_over(zhou, cast, shared_data / "registries" / file, "instruments:saved", {}, **more)
    assert (again.counts["unchanged"], again.counts["created"], again.counts["updated"]) == (created, 0, 0)
