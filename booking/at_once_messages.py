"""The sentences for why a lab looks at a request itself although some requests count at once."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "at_once.nobody": _("The lab looks at every request."),
        "at_once.only_with_approval": _("Their credit points leave them bookings only with the lab's approval."),
        "at_once.not_licensed": _("They hold no licence to operate it alone then."),
        "at_once.not_proven": _("They have not used anything of the lab's before and agreed to it."),
        "at_once.other_customers": _("Only requests of these customers count at once: %(open_for)s."),
        "at_once.rival": _("Somebody else asks for this time."),
        "at_once.too_long": _("It is longer than the %(most_minutes)s that count at once."),
        "at_once.week_full": _("They would have %(used_minutes)s in that week; up to %(most_minutes)s count at once."),
        "at_once.too_dear": _("There would be more to pay now than the %(most_fen)s that count at once."),
        "at_once.no_price": _("What it costs them is not known here; up to %(most_fen)s to pay now count at once."),
    }
)
