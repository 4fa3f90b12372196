"""What the sets of open data are called and what is in them (source words; translated where shown)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SET_TITLES: dict[str, Promise | str] = {
    "instruments": pgettext_lazy("open data", "Shared instruments and large facilities"),
    "test-items": pgettext_lazy("open data", "Test items with list prices"),
    "datasets": pgettext_lazy("open data", "Scientific data sets"),
    "literature": pgettext_lazy("open data", "S&T literature"),
    "germplasm": pgettext_lazy("open data", "Germplasm accessions"),
}
SET_DESCRIPTIONS: dict[str, Promise | str] = {
    "instruments": _(
        "What each published instrument is and can do, where it stands, who owns it, how it is shared. Large facilities are marked."
    ),
    "test-items": _(
        "What is measured, by which method and standard, with limits, qualifications, turnaround and the list price."
    ),
    "datasets": _("What each data set holds, its cover in time and space, formats, licence and identifiers."),
    "literature": _("Title, year, publisher, identifiers, and the instruments that supported the work."),
    "germplasm": _("Accessions with the descriptors of MCPD or Darwin Core, but for those that name persons."),
}
