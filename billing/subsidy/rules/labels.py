"""The labels that organisations can have on the platform."""

from __future__ import annotations

LABELS = ("high_tech", "tech_sme", "specialised", "little_giant", "gazelle", "unicorn", "incubated", "other")
"""Codes of labels in the order of the request forms in use (domain.md 2.4), and incubated firms."""
