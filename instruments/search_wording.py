"""What kinds, filters and orders of the search are called (source words; translated where they are shown)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

KIND_NAMES: dict[str, Promise | str] = {
    "instrument": pgettext_lazy("kind of resource", "Instruments"),
    "facility": pgettext_lazy("kind of resource", "Large facilities"),
    "test_item": pgettext_lazy("kind of resource", "Test items"),
    "dataset": pgettext_lazy("kind of resource", "Scientific data"),
    "literature": pgettext_lazy("kind of resource", "S&T literature"),
    "germplasm": pgettext_lazy("kind of resource", "Germplasm"),
}
FILTER_NAMES: dict[str, Promise | str] = {
    "text": _("Words"),
    "kind": _("What it is"),
    "technique": _("Technique"),
    "class_code": _("Class"),
    "region_code": _("Region"),
    "zone": _("Policy zone"),
    "service_mode": _("Way of service"),
    "price": _("Price from"),
    "subsidy": _("Subsidy"),
    "training": _("Training"),
    "bookable": _("Online booking"),
    "next_free": _("Next free"),
    "owner": _("Owner"),
    "status": _("Running state"),
}
VALUE_NAMES: dict[str, dict[str, Promise | str]] = {
    "kind": KIND_NAMES,
    "price": {
        "to100": _("Below ¥100"),
        "to300": _("¥100 to ¥300"),
        "to1000": _("¥300 to ¥1,000"),
        "over1000": _("¥1,000 and more"),
    },
    "subsidy": {"yes": _("A subsidy is possible")},
    "training": {"no": _("Without training"), "yes": _("Training needed first")},
    "bookable": {"yes": _("Can be booked online")},
    "next_free": {"1": _("Free today"), "3": _("Free within 3 days"), "7": _("Free within 7 days")},
}
SORT_NAMES: dict[str, Promise | str] = {
    "relevance": pgettext_lazy("sorted by", "Best match"),
    "name": pgettext_lazy("sorted by", "Name"),
    "price": pgettext_lazy("sorted by", "Lowest price"),
    "newest": pgettext_lazy("sorted by", "Newest"),
}
UNIT_NAMES: dict[str, Promise | str] = {
    "hour": pgettext_lazy("price for", "an hour"),
    "day": pgettext_lazy("price for", "a day"),
    "sample": pgettext_lazy("price for", "a sample"),
    "element": pgettext_lazy("price for", "an element"),
    "test": pgettext_lazy("price for", "a test"),
    "batch": pgettext_lazy("price for", "a batch"),
    "half_day": pgettext_lazy("price for", "a half-day"),
    "run": pgettext_lazy("price for", "a run"),
    "consumable": pgettext_lazy("price for", "a piece of consumables"),
    "operator_hour": pgettext_lazy("price for", "an hour of the operator"),
}
WHEN_NAMES: dict[str, Promise | str] = {
    "today": _("today"),
    "tomorrow": _("tomorrow"),
    "this_week": _("this week"),
    "next_week": _("next week"),
    "this_month": _("this month"),
    "next_month": _("next month"),
}
SUGGESTION_NAMES: dict[str, Promise | str] = {
    "technique": _("Techniques"),
    "element": _("Elements"),
    "instrument": pgettext_lazy("kind of resource", "Instruments"),
    "test_item": pgettext_lazy("kind of resource", "Test items"),
    "model": _("Models"),
    "owner": _("Owners"),
    "other": _("Other resources"),
}
