"""Laboratories with instruments that can be found."""

from tests.booking.finding.labs import labs, search

__all__ = ["labs", "search"]
