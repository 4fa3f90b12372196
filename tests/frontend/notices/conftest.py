from tests.frontend.acting import as_, ask, clock, form

__all__ = ["as_", "ask", "clock", "form"]
