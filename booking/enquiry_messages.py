"""The sentences for refusals about questions to labs."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "enquiry.illegal_transition": _(
            "This cannot be done with the question any more. Reload the page to see where it stands."
        ),
        "enquiry.organisation_missing": _("Choose the organisation for which you ask."),
        "enquiry.organisation_needed": _("You cannot ask for this organisation. Choose one that you belong to."),
        "enquiry.own_lab": _(
            "You would answer this yourself: you manage this lab, or it is your own. Ask a colleague, or choose another organisation."
        ),
        "enquiry.lab_unavailable": _("This lab is not available at the moment. Ask another one."),
        "enquiry.about_one_thing": _(
            "Ask about one instrument, one test item, one request, one booking or one sample job. Open its page and press Ask the lab."
        ),
        "enquiry.subject_missing": _("Write in a few words what it is about."),
        "enquiry.text_missing": _("Write something: the other side reads it."),
        "enquiry.too_many_open": _(
            "%(most)s questions of your organisation wait for this lab already. Let it answer them first."
        ),
        "enquiry.too_many_files": _("Attach %(most)s files at most. Put several pages into one PDF."),
        "enquiry.file_type": _("%(name)s is of a kind that is not taken. Attach PDF, PNG, JPEG, CSV, text, XLSX or DOCX."),
        "enquiry.labs_missing": _("Choose at least one lab to ask."),
        "enquiry.too_many_labs": _("Ask %(most)s labs at most. Choose those that fit best."),
        "enquiry.region_unknown": _("A place is a division code of six digits, for example 630100. Choose one of the list."),
        "enquiry.workdays_out_of_range": _("Promise an answer within 1 to %(most)s working days."),
    }
)
