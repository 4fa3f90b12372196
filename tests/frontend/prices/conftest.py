"""Browsers of the cast at the cast's time."""

from tests.frontend.acting import as_, clock

__all__ = ["as_", "clock"]
