from tests.frontend.acting import approved, as_, ask, charged, clock, form, twin

__all__ = ["approved", "as_", "ask", "charged", "clock", "form", "twin"]
