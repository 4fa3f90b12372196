"""The sentences for refusals about sample jobs."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from booking.sample_wording import JOB_STATES, REMAINS, SAMPLE_STATES
from config.kernel.messages import register, register_formatter

register(
    {
        "samples.illegal_step": _(
            "This cannot be done any more: the job is “%(job_state)s”. Reload the page to see what can be done."
        ),
        "samples.illegal_sample_step": _(
            "This cannot be done with a sample that is “%(sample_state)s”. Take its last step back first, or reload."
        ),
        "samples.ends_the_job": _(
            "No sample is left to test after this: the job ends for good, nothing is charged, and its days are free for others. "
            "Tick that it ends, then press again; or go back."
        ),
        "samples.too_many_objections": _(
            "You objected %(most)s times; the job closes with the last report. Speak with the lab, or with the platform's operator."
        ),
        "samples.too_many_waiting": _(
            "%(waiting)s of your samples wait for this lab's answer, and %(most)s can. Send fewer, or wait for the answer."
        ),
        "samples.extra_answered": _("This charge has been answered already. Reload the page; the lab can propose another one."),
        "samples.remains_not_here": _("The lab does not have this sample, so nothing is left of it there. Leave it out."),
        "samples.remains_ended": _("What was left of this sample is gone already (%(remains_state)s). Leave it out."),
        "samples.nothing_left_to_test": _(
            "What was left of this sample is gone (%(remains_state)s), so there is nothing to work on again. "
            "Propose a retest with new samples as a charge."
        ),
        "samples.too_early_to_test": _(
            "Work on these samples is subsidised as of %(arrive_on)s, the day for which they were sent. Receive them now and prepare and "
            "test them from that day on; if it cannot wait, call the job off and have the customer ask again for the earlier day."
        ),
        "samples.remains_promised": _("It is promised to be kept until %(kept_until)s. Return it, or discard it after that day."),
        "samples.kept_until_missing": _("Say until which day it is kept: today or later."),
        "samples.still_worked_on": _("The samples are still worked on. Say what becomes of the remains once they are tested."),
        "samples.none_chosen": _("Choose at least one sample."),
        "samples.of_one_job": _("Choose samples of one job only."),
        "samples.own_request": _("You cannot accept what you asked for yourself. A colleague has to."),
        "samples.own_figures": _("You accepted these figures for the customer. A colleague of the lab has to accept the job."),
        "samples.own_report": _(
            "Who handed in the report cannot take it for the customer. A colleague there has to; the job closes by itself otherwise."
        ),
        "samples.commission_cancelled": _(
            "The commission that set the price of this job is called off. Refuse the job and say so: the customer can ask anew."
        ),
        "samples.line_per_element": _(
            "The sheet prices each element, and this job counts samples only. Ask the lab for a line per sample, or keep the list price."
        ),
        "samples.beyond_the_line": _(
            "The line of the sheet is for %(quantity)s, and %(left)s are left. Choose another sheet, ask the lab for more, "
            "or keep the list price."
        ),
        "samples.second_person": _("Who proposed a charge cannot agree to it. A colleague of the customer has to."),
        "samples.promise_missing": _("Name the day for which you promise the result: this test item names no turnaround."),
        "samples.promise_too_early": _(
            "The result cannot be promised before the samples come (%(arrive_on)s). Choose a later day."
        ),
        "samples.promise_beyond_capacity": _(
            "The lab's days before %(earliest_on)s are promised to others. Choose that day or a later one."
        ),
        "samples.promise_not_open": _("Its promised day cannot be moved: nothing is promised, or the report is there already."),
        "samples.promise_not_later": _("A promised day is moved to a later one only. Choose %(earliest_on)s or a day after it."),
        "samples.promise_too_far": _("No result is promised for later than %(last_on)s. Is the year right?"),
        "samples.no_capacity": _(
            "So many samples cannot be promised within a year: the lab measures %(daily_capacity)s a day. Send fewer, or ask the lab."
        ),
        "samples.reason_missing": _("Give a reason: the other side reads it."),
        "samples.gone_on": _(
            "Since you accepted, samples came, a parcel or a charge was written down, or another day was promised. Call the job off with a"
            " reason instead."
        ),
        "samples.days_given": _(
            "Others were promised %(day_on)s since you answered, so the job cannot wait with its days again. Write to the customer."
        ),
        "samples.some_are_here": _("Samples are at the lab already. Ask the lab to call the job off."),
        "samples.not_for_this_organisation": _("You cannot send samples for this organisation. Choose one that you belong to."),
        "samples.lab_unavailable": _("This lab takes no jobs at present. Look for the same test at another one."),
        "samples.count_out_of_range": _("Type a number of samples between 1 and %(most)s; split more into several jobs."),
        "samples.too_many_names": _("There are %(names)s names for %(samples)s samples. Raise the number, or leave names out."),
        "samples.arrival_out_of_range": _("Choose a day between %(first_on)s and %(last_on)s for the samples to come."),
        "samples.wish_unknown": _("Say what becomes of the remains: one of %(known)s."),
        "samples.too_many_open": _(
            "%(most)s of your jobs wait for this lab's answer. Wait for some, or cancel what is not needed."
        ),
        "samples.code_unreadable": _(
            "This is no code of a sample: it has nine characters, the last one checks the others. Type it again."
        ),
        "samples.code_unknown": _(
            "No sample of yours has this code. Check the label, or ask a colleague of the lab it belongs to."
        ),
        "samples.carrier_missing": _("Name the courier."),
        "samples.number_missing": _("Type the number of the parcel."),
        "samples.parcel_known": _("Parcel %(number)s stands there already."),
        "samples.too_many_parcels": _("%(most)s parcels stand there; more are not kept. Write to the lab instead."),
        "samples.no_parcel_now": _("No parcel is expected now. Send samples once the lab has accepted them."),
        "samples.no_extra_now": _("No charge can be added now. Charges are proposed between acceptance and the end of a job."),
        "samples.extra_kind_unknown": _("Say what the charge is for: one of %(known)s."),
        "samples.words_missing": _("Say what the charge is for: the customer reads it before agreeing."),
        "samples.amount_out_of_range": _("Type an amount between 0.01 and %(most_fen)s."),
        "samples.too_many_extras": _("%(most)s charges stand there; more are not kept. Write a quotation for the rest instead."),
        "samples.amount_differs": _("The charge is %(amount_fen)s by now. Look again before you agree."),
        "samples.extra_open": _("A proposed charge waits for your answer. Agree to it or decline it first."),
        "samples.priced_by_time": _(
            "This test is priced by the hour or day. Ask the lab for a quotation that counts samples, and send them under the commission."
        ),
        "samples.step_unknown": _("Choose what was done with the samples."),
        "samples.remains_unknown": _("Choose what became of the remains: kept, returned or discarded."),
        "samples.report_missing": _("Choose the file of the report."),
        "samples.day_unreadable": _("This is no day. Choose one, or write it as 2026-11-25."),
        "samples.too_late_for_commission": _("The lab has answered this job already. Put a job under a commission before that."),
        "samples.not_on_the_sheet": _(
            "This commission sheet has no line for this test item. Choose another, or keep the list price."
        ),
        "samples.too_many_reports": _(
            "%(most)s reports stand there; more are not kept. Write to the customer; the job closes with the last one."
        ),
    }
)
register_formatter("job_state", lambda value: str(JOB_STATES.get(str(value), value)))
register_formatter("sample_state", lambda value: str(SAMPLE_STATES.get(str(value), value)))
register_formatter("remains_state", lambda value: str(REMAINS.get(str(value), value)))
