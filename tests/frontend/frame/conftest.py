from tests.frontend.acting import as_, ask, clock

__all__ = ["as_", "ask", "clock"]
