"""What fields, ways of service and weekdays of the registry are called (source words; translated where they are shown)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SERVICE_MODE_NAMES: dict[str, Promise | str] = {
    "self_operated": pgettext_lazy("way of service", "Operate it yourself"),
    "assisted": pgettext_lazy("way of service", "Together with the lab's staff"),
    "commissioned": pgettext_lazy("way of service", "Send samples"),
    "remote": pgettext_lazy("way of service", "Remotely"),
}
WEEKDAY_NAMES: tuple[Promise | str, ...] = (
    pgettext_lazy("weekday", "Monday"),
    pgettext_lazy("weekday", "Tuesday"),
    pgettext_lazy("weekday", "Wednesday"),
    pgettext_lazy("weekday", "Thursday"),
    pgettext_lazy("weekday", "Friday"),
    pgettext_lazy("weekday", "Saturday"),
    pgettext_lazy("weekday", "Sunday"),
)
FILTER_NAMES: dict[str, Promise | str] = {
    "text": _("Words"),
    "class_code": _("Class"),
    "region_code": _("Region"),
    "status": _("Running state"),
    "service_mode": _("Way of service"),
    "owner": _("Owner"),
    "bookable": _("Can be booked online"),
}
SORT_NAMES: dict[str, Promise | str] = {
    "relevance": pgettext_lazy("sorted by", "Best match"),
    "name": pgettext_lazy("sorted by", "Name"),
    "newest": pgettext_lazy("sorted by", "Newest instrument"),
}
