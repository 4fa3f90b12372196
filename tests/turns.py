"""What ``make test`` asks of one in so many and ``make proof`` of all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def in_turns(values: Iterable[Any], of: int) -> list[Any]:
    """The cases of a test: of ``of`` that follow each other the first is for every run, the others for ``make proof``."""
    return [pytest.param(value, marks=pytest.mark.proof) if place % of else value for place, value in enumerate(values)]
