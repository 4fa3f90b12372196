"""The labels that organisations can have on the platform."""

from __future__ import annotations

from collections.abc import Mapping

_OF_FIRMS = ("high_tech", "tech_sme", "specialised", "little_giant", "gazelle", "unicorn", "incubated")
CERTIFIED = "certified_provider"
"""The label by which an owner counts as certified: an office or the platform certified it as a provider of services."""
LABELS_OF: Mapping[str, tuple[str, ...]] = {
    "firm": (*_OF_FIRMS, "other"),
    "team": (*_OF_FIRMS, "other"),
    "owner": (CERTIFIED, "cma", "cnas", *_OF_FIRMS, "other"),
}
"""Codes of labels by kind of organisation, in the order of the request forms in use (domain.md 2.4), and incubated firms; of an owner also
what it is certified and accredited as."""
LABELS = tuple(dict.fromkeys(code for codes in LABELS_OF.values() for code in codes))
