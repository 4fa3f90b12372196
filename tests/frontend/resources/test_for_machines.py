"""What search engines find of resources: one address, a summary, a description in JSON-LD, and a line in the sitemap."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from lxml import etree

from instruments.models import DataSet, Germplasm, Literature, Resource, TestItem
from instruments.services import catalogue, resource_exports

pytestmark = pytest.mark.django_db
CANARY = "secret.person@example.org"


def made(cast: Any, kind: str, **fields: Any) -> Resource:
    return Resource.objects.create(
        kind=kind, organisation=cast.lab, name=f"A {kind} </script>", description="About it", published=True,
        contact_name="Somebody", contact_email=CANARY, created_at=cast.now, updated_at=cast.now, **fields,
    )  # fmt: skip


def test_every_kind_of_resource_is_described_to_machines(as_: Any, cast: Any) -> None:
    item = made(cast, "test_item")
    TestItem.objects.create(resource=item, method="ICP-OES", matrix="brine", analytes=[{"name": "Li"}])
    data = made(cast, "dataset", doi="10.1234/abc")
    DataSet.objects.create(resource=data, creators=["Wang"])
    work = made(cast, "literature")
    Literature.objects.create(resource=work, creators=["Li Hua"], publisher="A House", issued="2025")
    seed = made(cast, "germplasm")
    Germplasm.objects.create(resource=seed, standard="mcpd", genus="Triticum", species="aestivum", origin_country="CHN")
    catalogue.rebuild(cast.now)
    wanted = {item: "Service", data: "Dataset", work: "ScholarlyArticle", seed: "BioChemEntity"}
    for resource, kind in wanted.items():
        page = as_().get(reverse("resource_detail", args=[resource.pk]), {"samples": "3"}).content.decode()
        (script,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
        document = json.loads(script)
        assert document["@type"] == kind
        assert document["name"] == resource.name  # escaped in the page, whole in the document
        assert CANARY not in script
        assert '<link rel="canonical" href="http' in page
        assert f'{reverse("resource_detail", args=[resource.pk])}">' in page
        assert '<meta name="description" content="A ' in page
        assert "ld+json" not in as_("wang").get(reverse("resource_detail", args=[resource.pk])).content.decode()
    index = etree.fromstring(as_().get(reverse("sitemap")).content)
    assert len(index) == 2
    listed = as_().get(reverse("sitemap_page", args=[2])).content.decode()
    assert all(reverse("resource_detail", args=[one.pk]) in listed for one in wanted)
    Resource.objects.filter(pk=seed.pk).update(published=False)
    assert reverse("resource_detail", args=[seed.pk]) not in as_().get(reverse("sitemap_page", args=[2])).content.decode()
    assert 'content="noindex"' in as_("wang").get(reverse("resource_detail", args=[seed.pk])).content.decode()
    home = as_().get(reverse("search")).content.decode()
    assert reverse("open_data") in home


def test_data_sets_and_literature_are_valid_datacite(cast: Any, shared_data: Path) -> None:
    schema = etree.XMLSchema(etree.parse(shared_data / "standards" / "datacite-kernel-4.6" / "metadata.xsd"))
    data = made(cast, "dataset", doi="10.1234/abc", cstr="31253.11.x", inner_id="D-1", keywords=["brine"], licence="CC BY 4.0")
    DataSet.objects.create(resource=data, creators=["Wang"], version="1.0")
    bare = made(cast, "dataset")
    DataSet.objects.create(resource=bare)
    work = made(cast, "literature")
    Literature.objects.create(
        resource=work, creators=["Li Hua"], publisher="A House", issued="2025-03", language="zh", type="article"
    )
    today = cast.now.date()
    for one, layout in ((data, "datacite"), (bare, "datacite"), (work, "datacite-text")):
        content, _chosen = resource_exports.export([one], layout, today, single=True)
        root = etree.fromstring(content)
        schema.assertValid(root)
        assert CANARY not in content.decode()
        root.remove(root.find("{http://datacite.org/schema/kernel-4}creators"))
        assert not schema.validate(root)  # negative control: the schema notices what is missing
    many, _chosen = resource_exports.export([data, bare], "datacite", today, single=False)
    assert len(etree.fromstring(many)) == 2
