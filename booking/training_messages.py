"""The sentences for refusals about training, licences, credit points and lists."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "training.illegal_step": _("This cannot be done any more: it is %(state)s by now. Reload the page."),
        "training.changed_meanwhile": _("Somebody else changed this just now. Reload the page and look again."),
        "training.title_missing": _("Give the course a name."),
        "training.level_unknown": _("Choose what the licence allows."),
        "training.number_out_of_range": _("Give a whole number from %(minimum)s to %(maximum)s."),
        "training.class_unreadable": _("A class has two, four or six digits, for example 0103. Separate several with commas."),
        "training.instrument_foreign": _("Choose instruments of this lab."),
        "training.place_missing": _("Say where it is held."),
        "training.session_in_the_past": _("Choose a start that lies in the future."),
        "training.session_too_long": _("A session lasts %(days)s days at most. Is the year right?"),
        "training.session_begun": _("The session has begun. Choose another date."),
        "training.session_not_begun": _("The session has not begun yet. Note who came after it began."),
        "training.session_called_off": _("The session is not held. Choose another date."),
        "training.session_held": _("Somebody attended already, so it cannot be called off any more."),
        "training.closed": _("The lab does not offer this course any more. Ask the lab."),
        "training.needed_by_other_layer": _(
            "Rules for a class or for all instruments of the lab ask for a licence here too. Change those rules."
        ),
        "training.reason_missing": _("Give a reason: those who are enrolled read it."),
        "training.own_result": _("You cannot examine yourself. A colleague has to."),
        "licence.check_in_refused": _(
            "This person holds no licence for the instrument now. Assist them, or give a reason to let them work all the same: "
            "it is kept."
        ),
        "licence.needed_to_start": _(
            "Who starts this session works at the instrument, and you hold no licence for that now. Ask the lab's staff: they check in "
            "the person for whom it is booked, or assist. For next time, renew the licence on the page of the instrument."
        ),
        "licence.person_unknown": _("Nobody has an account with this e-mail address. Ask the person to sign up first."),
        "licence.own": _("You cannot license yourself. A colleague has to."),
        "licence.not_yours": _("Only the person who asked can do this."),
        "licence.reference_missing": _("Say what it rests on, for example the number of a certificate."),
        "licence.reason_missing": _("Give a reason: the person reads it."),
        "licence.until_past": _("Choose a day in the future, or leave it empty."),
        "licence.statement_missing": _("Say what you can do and where you learned it."),
        "licence.evidence_missing": _("Attach the proof: a PDF, a JPEG or a PNG."),
        "licence.asked_already": _("You asked already and the lab has not answered yet. Withdraw that request first."),
        "licence.instrument_unknown": _("No instrument of this lab has the number or name “%(text)s”."),
        "licence.instrument_several": _("Several instruments have the name “%(text)s”. Give the lab's number."),
        "licence.level_unreadable": _("“%(text)s” is no level. Write one of: %(known)s."),
        "licence.day_unreadable": _("“%(text)s” is no day. Write for example 2026-11-23."),
        "licence.email_missing": _("The row names nobody: give the e-mail address of the account."),
        "licence.column_missing": _("A column with one of these headings is needed: %(columns)s."),
        "licence.repeated_row": _("The same as line %(counting_line)s, which counts."),
        "licence.known": _("The person holds this licence already."),
        "credit.unknown_part": _("The rules have a part that is not known: %(part_name)s."),
        "credit.kind_unknown": _("No such event: %(part_name)s."),
        "credit.number_out_of_range": _("Give a whole number from %(minimum)s to %(maximum)s."),
        "credit.too_many_thresholds": _("Set %(maximum)s thresholds at most."),
        "credit.measure_unknown": _("Choose what threshold %(place)s leads to."),
        "credit.days_missing": _("Say for how many days threshold %(place)s keeps from booking."),
        "credit.too_many_counts": _("Set %(maximum)s counts at most."),
        "credit.counted_unknown": _("Choose what count %(place)s counts."),
        "credit.count_measure_unknown": _("Choose what count %(place)s leads to."),
        "credit.appeals_used_up": _(
            "You have appealed as often as this lab lets anybody within a year. The next appeal is possible from %(from_at)s."
        ),
        "credit.note_missing": _("Give a reason: the person reads it."),
        "credit.points_out_of_range": _("Give or take at least 1 and at most %(maximum)s points."),
        "credit.own": _("You cannot note anything about yourself."),
        "credit.not_yours": _("Only the person concerned can appeal."),
        "credit.appeal_text_missing": _("Say why it should not count."),
        "credit.nothing_to_appeal": _("Nothing was taken from you here."),
        "credit.appealed": _("You appealed already. The answer comes by mail."),
        "credit.appeal_decided": _("This appeal has been decided already. Reload the page."),
        "credit.second_person": _("Who noted it cannot decide about the appeal. A colleague or the operator has to."),
        "credit.answer_missing": _("Write an answer: the person reads it."),
        "credit.verdict_unknown": _("Choose whether booking is kept from them, or measures do not apply."),
        "credit.one_of_both": _("Name either a person by e-mail or a customer, not both."),
        "credit.customer_unknown": _("No customer has exactly this name. Copy it from one of its bookings."),
        "credit.entry_ended": _("This entry was taken off the list already."),
        "measure.credit": _("After what happened you cannot book here for now. Your record says what, and how to appeal."),
        "measure.credit_until": _(
            "After what happened you cannot book here before %(until_at)s. Your record says what, and how to appeal."
        ),
        "measure.counted_until": _(
            "“%(credit_event)s” was noted %(times)s times within %(within_days)s days, so you cannot book here before %(until_at)s. "
            "Your record says what, and how to appeal."
        ),
        "measure.listed": _("You cannot book here for now: %(note)s. Ask the lab."),
        "measure.listed_until": _("You cannot book here before %(until_at)s: %(note)s. Ask the lab."),
        "measure.stopped": _("The platform's operator has stopped these bookings for now. Ask the operator."),
        "measure.stopped_until": _("The platform's operator has stopped these bookings until %(until_at)s. Ask the operator."),
    }
)
