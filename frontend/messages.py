"""The sentences for refusals of the pages themselves."""

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "access.second_factor_needed": _(
            "Officials log in with a second factor. Set it up in your account settings, then go on."
        ),
    }
)
