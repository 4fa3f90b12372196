"""What is asked of a record for reports, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from frontend.presenters.resource_changes import labels_of
from instruments.resource_wording import KIND_ICONS, KIND_PLURALS
from instruments.rules.resource_values import KINDS
from instruments.rules.standards.resource_completeness import Requirement

_EITHER: dict[tuple[str, ...], Promise] = {
    ("doi", "cstr"): gettext_lazy("DOI or CSTR identifier"),
    ("standard", "method"): gettext_lazy("Standard or method"),
    ("contact_name", "contact_email", "contact_phone"): gettext_lazy("Contact"),
    ("publisher", "source"): gettext_lazy("Publisher or source"),
    ("rights", "licence"): gettext_lazy("Rights or licence"),
}


def requirement_name(kind: str, one: Requirement) -> str:
    """What a requirement is called, as the owner's form calls its field."""
    return str(_EITHER.get(one.any_of) or labels_of(kind).get(one.field, one.field))


def kind_links() -> list[tuple[str, str, str]]:
    """The value for the address, the word and the icon of each kind of resource, instruments first."""
    others = [(kind, str(KIND_PLURALS[kind]), KIND_ICONS[kind]) for kind in KINDS]
    return [("", _("Instruments and facilities"), "microscope"), *others]
