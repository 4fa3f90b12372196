"""What ways of service and weekdays of the registry are called (source words; translated where they are shown)."""

from __future__ import annotations

from django.utils.functional import Promise
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
