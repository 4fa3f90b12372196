"""The sentences about drafts of programmes and trials: what is wrong and how to mend it, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.fault_words import fault_words
from config.kernel.messages import register, register_formatter

#: What a JSON schema calls them, for people.
_FORMS: Mapping[str, Promise | str] = {
    "string": pgettext_lazy("form of a value", "text"),
    "integer": pgettext_lazy("form of a value", "a whole number"),
    "number": pgettext_lazy("form of a value", "a number"),
    "boolean": pgettext_lazy("form of a value", "yes or no"),
    "array": pgettext_lazy("form of a value", "a list"),
    "object": pgettext_lazy("form of a value", "a group of fields"),
}


def form_words(kinds: object) -> str:
    """The forms that a value may have, in the reader's language."""
    names = kinds if isinstance(kinds, list) else [kinds]
    return str(_(", ")).join(str(_FORMS.get(str(name), name)) for name in names)


register_formatter("fault", fault_words)
register_formatter("kinds", form_words)

register(
    {
        "programme.flaw.required": _("This is needed. Fill it in."),
        "programme.flaw.unknown": _("There is no field of this name here. Take it out, or use one of: %(known)s."),
        "programme.flaw.money": _("“%(found)s” is no amount in yuan. Write for example 500 or 499.99."),
        "programme.flaw.share": _("“%(found)s” is no share. Write a number from 0 to 1: 0.4 is 40 %%."),
        "programme.flaw.day": _("“%(found)s” is no day. Write it as 2026-12-31."),
        "programme.flaw.clause": _(
            "“%(found)s” cannot be the id of a clause. Use at most 20 letters, digits, dots, brackets or hyphens, for example 3.1."
        ),
        "programme.flaw.choice": _("“%(found)s” is not one of the choices. Choose one of: %(known)s."),
        "programme.flaw.few": _("There is too little here. At least %(least)s is needed."),
        "programme.flaw.many": _("There is too much here. At most %(most)s is allowed."),
        "programme.flaw.range": _("%(found)s lies outside what is allowed; the limit is %(limit)s."),
        "programme.flaw.twice": _("The same is named twice. Take one of them out."),
        "programme.flaw.kind": _("“%(found)s” has the wrong form here. What is needed: %(kinds)s."),
        "programme.flaw.code": _(
            "“%(found)s” cannot be a code. Use 2 to 40 capital letters, digits and hyphens, for example QH-2026."
        ),
        "programme.flaw.id": _("“%(found)s” cannot be an id. Use at most 40 small letters, digits and hyphens, a letter first."),
        "programme.flaw.step": _("“%(found)s” is no step of rounding. Write fen, yuan, or whole yuan from 1, for example 100."),
        "programme.flaw.factor": _(
            "“%(found)s” is no factor. Write a number from 0 to below 10, with at most six decimals: 0.9."
        ),
        "programme.flaw.times": _("“%(found)s” is no factor. Write a number with at most six decimals: 0.5 is a half."),
        "programme.flaw.day_of_year": _("“%(found)s” is no day of the year. Write month and day, for example 10-01."),
        "programme.flaw.region": _("“%(found)s” is no region. Write the first 2, 4 or 6 digits of its code, for example 6301."),
        "programme.flaw.region_code": _("“%(found)s” is no region. Write the six digits of its code, for example 630102."),
        "programme.flaw.name": _(
            "“%(found)s” cannot be a name of your own. Use at most 40 small letters, digits and _, a letter first."
        ),
        "programme.flaw.office": _("“%(found)s” is no unified social credit code. Write its 18 digits and capital letters."),
        "programme.flaw.fact": _(
            "“%(found)s” is no fact. Write its group and its name with a dot between, for example applicant.staff."
        ),
        "programme.flaw.place": _("“%(found)s” is no place in this document. Begin with $., for example $.rounding.mode."),
        "programme.flaw.meaning": "%(fault)s",
        "programme.warning.unmeetable": _("No booking can meet this gate, because the platform does not know of any: %(facts)s."),
        "programme.warning.refuses": _("Every booking is refused here, because the platform does not know of any: %(facts)s."),
        "programme.warning.case_refuses": _(
            "Bookings that come to this case are refused, because the platform does not know of any: %(facts)s. Write “if_unknown” "
            "beside the fact if the next case should be looked at instead."
        ),
        "programme.warning.never_holds": _(
            "This never holds of a booking, so that nothing comes of it: the platform does not know of any: %(facts)s."
        ),
        "programme.warning.no_side": _(
            "No side is ever for a booking, so that every booking is refused: the platform does not know of any: %(facts)s."
        ),
        "programme.warning.counts_nil": _("This counts as nil, because the platform does not know of any booking: %(facts)s."),
        "programme.warning.only_here": _(
            "Of this only what other programmes here give is known, because nobody is asked for the rest: %(facts)s. It is asked for"
            " with the claim where the money is not taken off the bill at once."
        ),
        "programme.warning.grade_assumed": _(
            "For every booking the grade %(grade)s is assumed, as an estimate: the platform does not know of any: %(facts)s."
        ),
        "programme.warning.limits_nothing": _("This limits no booking, because the platform does not know of any: %(facts)s."),
        "programme.warning.cap_concerns": _(
            "This limit concerns every booking, because the platform does not know of any: %(facts)s. Write “if_unknown”: “no” "
            "beside the fact if it should concern none."
        ),
        "programme.warning.pays_nothing": _(
            "%(payer)s pays nothing of any booking, because the platform does not know of any: %(facts)s. Those behind pay it all."
        ),
        "programme.warning.no_lines": _(
            "A booking has no lines of its own here: it is worked out and rounded once, as with “claim”."
        ),
        "programme.warning.excludes_nothing": _(
            "This excludes no booking: there is no such kind of service here: %(services)s. There are: %(known)s."
        ),
        "programme.warning.label_meant": _(
            "Nobody can have this label here: %(labels)s. Is %(meant)s meant? There are: %(known)s."
        ),
        "programme.warning.label_unknown": _("Nobody can have this label here: %(labels)s. There are: %(known)s."),
        "programme.warning.no_such_owner": _("No owner here is of this class: %(owner_class)s."),
        "programme.warning.each_booking_whole": _(
            "Each booking of the year gives the share of the whole income of the year before. Add a limit per owner and year."
        ),
        "programme.warning.begins_anew": _(
            "Every booking begins at the first tier: nothing is counted on, because no limit (“caps”) with a figure is one of a year "
            "or the applicant’s total."
        ),
        "programme.warning.not_counted": _(
            "What came before is not counted, because no limit (“caps”) with a figure is one of a year or the applicant’s total. "
            "Add one; where money is not what limits it, a figure that nobody reaches."
        ),
        "programme.warning.asked_in_vain": _(
            "Whoever books is asked in vain: no rule looks at %(facts)s. Take the question away, or write the rule."
        ),
        "programme.warning.always_first": _(
            "Every booking counts as the first use: nothing is counted, because the programme has no limit (“caps”)."
        ),
        "programme.flaw.other": "%(fault)s",
        "draft.changed_meanwhile": _(
            "Somebody else has changed this draft in the meantime. Load it again, then type your change once more."
        ),
        "draft.not_open": _("This draft cannot be changed: it was handed in, put in force or given up."),
        "draft.not_submitted": _("This draft does not wait for a second officer any more. Load the page again."),
        "draft.not_yours": _("Only who handed the draft in can take it back. Send it back with a reason instead."),
        "draft.reason_missing": _("Write the reason, so that the author knows what to change."),
        "draft.reason_too_long": _("The reason may have %(most)s characters at most."),
        "draft.too_long": _("The document may have %(most)s characters at most."),
        "draft.not_storable": _("The document holds a character or a nesting that cannot be kept, at %(place)s. Take it out."),
        "draft.no_json": _("This cannot be read as JSON: look at line %(line)s, character %(column)s. What you typed is kept."),
        "draft.no_object": _("The text has to be one JSON object: { … }. What you typed is kept."),
        "draft.key_twice": _("The field “%(key)s” stands twice in one object. Take one of them out. What you typed is kept."),
        "draft.years_range": _(
            "Give a whole number of years, at most %(most)s, so that every day still has a year; with a minus sign they are earlier."
        ),
        "draft.text_unread": _("The text cannot be read as JSON yet. Mend it, or go back to the form."),
        "sandbox.day": _("Give the first and the last day, for example 2026-01-01."),
        "sandbox.days_reversed": _("The last day lies before the first. Change one of them."),
        "sandbox.too_long": _("At most %(most)s days can be tried at once. Choose fewer."),
        "sandbox.budget": _("Give the budget in yuan, between 0 and 1,000,000,000,000, or leave it empty."),
        "sandbox.step": _("Give a step between 1 and %(most)s per cent."),
        "sandbox.nothing_to_try": _("Choose a draft or a version to try."),
        "sandbox.unsound": _("This cannot be tried yet: its faults have to be mended first (%(count)s)."),
        "sandbox.no_vouchers_asked": _(
            "This rule has no limit that vouchers stand behind. Choose no programme for its vouchers, or another rule."
        ),
        "sandbox.ended": _("This trial has come to its end already. Load the page again."),
        "sandbox.not_stopped": _("This trial was not stopped. Load the page again."),
        "sandbox.gave_up": _("The platform failed with this trial. Go on with it; if it fails again, tell the operator."),
    }
)
