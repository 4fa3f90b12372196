"""What is always true of the registry's rows."""

from __future__ import annotations

from config.kernel.invariants import Finding, register
from instruments.models import CatalogueEntry
from instruments.services import catalogue


def catalogue_is_what_a_rebuild_makes() -> Finding:
    """Every instrument and resource has its entry, and each is what the rows say."""
    return Finding(CatalogueEntry.objects.count(), tuple(catalogue.differences()))


register("registry.catalogue_is_what_a_rebuild_makes", catalogue_is_what_a_rebuild_makes)
