import pytest

from tests.frontend.acting import as_, ask, clock
from tests.spending import build_spenders

__all__ = ["as_", "ask", "clock"]


@pytest.fixture
def spenders(cast):
    return build_spenders(cast)
