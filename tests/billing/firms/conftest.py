"""Firms with codes, what they declare, and the operator who decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from billing.firms.models import FirmDeclaration
from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration

PDF = b"%PDF-1.4 evidence"
USCC = {"firm": "91630100MA00000151", "other": "91630104MA0000023M", "third": "91632801MA00000312", "lab": "12630000000000123E"}
HOLDING = "91630202MA000004XG"


@pytest.fixture
def coded(cast: Any) -> Any:
    """The cast, its organisations with unified social credit codes; He administers the other firm."""
    from instruments.models import OrganisationIdentifier

    for name, organisation in (("firm", cast.firm), ("other", cast.other_firm), ("lab", cast.lab)):
        OrganisationIdentifier.objects.create(organisation=organisation, scheme="uscc", value=USCC[name])
    return cast


@pytest.fixture
def declare(coded: Any) -> Callable[..., FirmDeclaration]:
    def do(kind: str, who: str = "zhao", **content: Any) -> FirmDeclaration:
        firm = coded.firm if who in ("zhao", "lin") else coded.other_firm
        return declaring.declare(coded.actor(who), firm.pk, Declaration(kind, content, PDF), coded.now)

    return do


@pytest.fixture
def verified(coded: Any, declare: Callable[..., FirmDeclaration]) -> Callable[..., FirmDeclaration]:
    """Declared and accepted by the operator."""

    def do(kind: str, who: str = "zhao", **content: Any) -> FirmDeclaration:
        return declaring.decide(coded.actor("zhou"), declare(kind, who, **content).pk, True, "", coded.now)

    return do


def controlled_by(uscc: str, since: date = date(2020, 1, 1), until: date | None = None) -> dict[str, Any]:
    return {"party_kind": "organisation", "name": "Holding", "uscc": uscc, "valid_from": since, "valid_to": until}
