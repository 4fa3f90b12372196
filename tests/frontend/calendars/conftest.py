from tests.booking.services.test_other_instrument import other as another
from tests.frontend.acting import approved, as_, ask, charged, clock, form

__all__ = ["another", "approved", "as_", "ask", "charged", "clock", "form"]
