"""The sentences behind refusals about news, channels and webhooks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "notice_settings.channel_unknown": _(
            "Choose among the channels on the page; confirm an address first where one is needed."
        ),
        "notice_settings.digest_unknown": _("Choose how often mail comes, and an hour and a day that exist."),
        "notice_settings.quiet_both": _("Give both ends of the quiet hours, or none."),
        "notice_settings.quiet_all_day": _("Quiet hours that last the whole day would hold mail for good. Choose another end."),
        "notice_settings.zone_unknown": _("There is no such time zone. Choose one like Asia/Shanghai."),
        "channel.unknown": _("There is no such channel here."),
        "channel.address_unreadable": _(
            "This is no number that can be reached. Give digits, with + and the country first if abroad."
        ),
        "channel.too_soon": _("A code was sent a moment ago. Wait a minute before you ask for another."),
        "channel.too_many": _("%(most)s codes were sent to you within a day. Ask for another tomorrow."),
        "channel.code_wrong": _("This is not the code that was sent. You have %(left)s more tries."),
        "channel.code_over": _("This code is over. Ask for another."),
        "delivery.under_way": _("It is on its way already; look again in a few minutes."),
        "delivery.settled": _("Somebody has dealt with this already, so that it is not sent again."),
        "delivery.text_gone": _("Its text is not kept, because it held a key. The person has to ask for it again."),
        "webhook.organisation_not_verified": _(
            "Webhooks are for verified organisations. Hand in the licence of %(organisation)s first, or ask the operator."
        ),
        "webhook.events_unknown": _("Choose at least one of the events: %(known)s."),
        "webhook.too_many": _("An organisation may have %(maximum)s webhooks at most. Remove one first."),
        "webhook.under_way": _("This delivery is on its way already; look again in a few minutes."),
        "webhook.status": _("%(host)s answers with %(status)s; only 2xx says that it arrived."),
        "webhook.redirect": _("%(host)s sends us on to another address. Give the address at which it ends."),
        "webhook.off": _("The webhook is switched off. Switch it on first."),
    }
)
