"""The bench writes the claims of its offices with statements of its own, which must follow the tables."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from billing.claims.models import Claim, ClaimBatch
from tests.bench import office
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_its_claims_are_written_whole(cast: Cast, programmes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OFFICES", "LISTS"):
        monkeypatch.setattr(office, name, 2)
    stage: Any = SimpleNamespace(cast=cast)
    office._fill(stage, 2 * office.CLAIMS_IN_BATCH)
    assert ClaimBatch.objects.count() == 2 and Claim.objects.count() == 2 * office.CLAIMS_IN_BATCH
