from tests.frontend.acting import as_, clock

__all__ = ["as_", "clock"]
