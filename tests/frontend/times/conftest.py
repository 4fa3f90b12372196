from tests.booking.finding.labs import labs, search
from tests.frontend.acting import as_, clock

__all__ = ["as_", "clock", "labs", "search"]
