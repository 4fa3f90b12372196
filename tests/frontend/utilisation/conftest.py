from tests.frontend.acting import approved, as_, ask, clock

__all__ = ["approved", "as_", "ask", "clock"]
