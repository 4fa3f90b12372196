"""Kinds of service that are no ordinary use of an instrument and no ordinary testing, by their codes in programmes.

A programme may leave them out: statutory tests, certification, law enforcement, inspection of goods for trade, medicine.
"""

from __future__ import annotations

PUBLIC_KINDS = ("statutory_test", "certification", "enforcement_inspection", "commercial_inspection", "medical")
TESTING = "testing"
