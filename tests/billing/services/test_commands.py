"""Programmes, budgets and prices can be put in force without the demo."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import translation

from billing.ledger import top_ups
from billing.ledger.models import Account
from billing.ledger.top_up_models import TopUp
from billing.pricing.models import PriceVersion
from billing.subsidy import drafts
from billing.subsidy.draft_models import ProgrammeDraft
from billing.subsidy.models import ProgrammeVersion
from config.kernel.errors import Forbidden, Refusal
from tests.conftest import PRICE, Cast

VOUCHER = str(settings.BASE_DIR / "billing" / "subsidy" / "programmes" / "DEMO-QH-V.json")


def run(*words: Any) -> str:
    out = StringIO()
    with translation.override("en"):
        call_command(*[str(word) for word in words], stdout=out)
    return out.getvalue()


def test_a_command_hands_a_document_in_and_only_a_second_officer_puts_it_in_force(cast: Cast) -> None:
    said = run("publish_programme", VOUCHER, "--author", "chen@example.org")
    draft = ProgrammeDraft.objects.get()
    assert said.startswith("DEMO-QH-V 2025.1 is handed in") and f"/programmes/drafts/{draft.pk}/" in said
    assert not ProgrammeVersion.objects.exists() and not Account.objects.filter(kind="pool").exists()
    with pytest.raises(CommandError, match="unrecognized arguments: --approver"):
        run("publish_programme", VOUCHER, "--author", "chen@example.org", "--approver", "sun@example.org")
    with pytest.raises(Forbidden, match="own_draft"):
        drafts.approve(cast.actor("chen"), draft.pk, draft.revision, cast.now)
    drafts.approve(cast.actor("sun"), draft.pk, draft.revision, cast.now)
    assert Account.objects.get(kind="pool").left_fen == 2_000_000_00


def test_a_document_with_faults_is_refused_with_the_place_of_each_and_leaves_no_draft(cast: Cast, tmp_path: Path) -> None:
    broken = json.loads(Path(VOUCHER).read_text())
    broken["validity"]["first_day"] = "2025-02-30"
    broken["caps"][0]["clause"] = "99"
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    with pytest.raises(CommandError, match=r"\$\.validity\.first_day"):
        run("publish_programme", file, "--author", "chen@example.org")
    assert not ProgrammeDraft.objects.exists()


def test_a_command_asks_for_budget_and_only_somebody_else_adds_it(cast: Cast, programmes: dict[str, Any]) -> None:
    def fund(pool: str, yuan: str, by: str = "qian") -> str:
        return run("fund_programme", "DEMO-QH-V", pool, yuan, "--by", f"{by}@example.org", "--reason", "notice 7")

    assert "asked for 500,000.50 yuan; 2,000,000.00 are left" in fund("pool", "500000.50")
    pool = Account.objects.get(key__startswith="pool:DEMO-QH-V")
    assert pool.granted_fen == 2_000_000_00, "whoever has a shell moves nothing"
    for wrong, words in (
        ({"by": "lin"}, "another role"),
        ({"yuan": "-1.00"}, "more than zero"),
        ({"pool": "other"}, "no budget pool"),
    ):
        with pytest.raises(CommandError, match=words):
            fund(**{"pool": "pool", "yuan": "1", **wrong})
    with pytest.raises(CommandError, match="unrecognized arguments: --and"):
        run("fund_programme", "DEMO-QH-V", "pool", "1", "--by", "qian@example.org", "--and", "chen@example.org", "--reason", "x")
    asked = TopUp.objects.get()
    with pytest.raises(Refusal, match="second_person"):
        top_ups.add(cast.actor("qian"), asked.pk, cast.now)
    with pytest.raises(IntegrityError, match="top_up_two_people"), transaction.atomic():
        TopUp.objects.filter(pk=asked.pk).update(state="added", decided_by=asked.asked_by, decided_at=cast.now)
    assert top_ups.add(cast.actor("chen"), asked.pk, cast.now).granted_fen == 2_500_000_50


def test_a_lab_publishes_its_price_and_a_stranger_does_not(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "price.json"
    file.write_text(json.dumps(PRICE))
    assert "is in force from 2030-01-01" in run(
        "publish_price", cast.xrd.pk, file, "--from", "2030-01-01", "--by", "wang@example.org"
    )
    with pytest.raises(CommandError, match="another role"):
        run("publish_price", cast.xrd.pk, file, "--from", "2031-01-01", "--by", "lin@example.org")
    with pytest.raises(CommandError, match="published already"):
        run("publish_price", cast.xrd.pk, file, "--from", "2030-01-01", "--by", "wang@example.org")
    assert PriceVersion.objects.filter(instrument=cast.xrd).count() == 2
    file.write_text(json.dumps({**PRICE, "rates": {**PRICE["rates"], "inside": "2000"}}))
    dear = ("publish_price", cast.xrd.pk, file, "--from", "2030-02-01", "--by", "wang@example.org")
    with pytest.raises(CommandError, match=r"inside:standard:\d+:200000") as refused:
        run(*dear)
    keys = [line.split(": ")[2].split(". ")[0] for line in str(refused.value).splitlines()]
    run(*dear, *(part for key in keys for part in ("--confirm", key)))
    assert PriceVersion.objects.filter(instrument=cast.xrd).count() == 3


def test_a_file_that_is_no_document_and_a_person_who_does_not_exist_are_said(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run("publish_price", cast.xrd.pk, tmp_path / "none.json", "--by", "wang@example.org")
    with pytest.raises(CommandError, match="no active person"):
        run("publish_price", cast.xrd.pk, VOUCHER, "--by", "nobody@example.org")
    with pytest.raises(CommandError, match=r"\$"):
        run("publish_price", cast.xrd.pk, VOUCHER, "--by", "wang@example.org")
