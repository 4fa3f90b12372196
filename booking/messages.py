"""The sentences for refusals about reservations."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from booking.policy_wording import period_words, subject_words
from config.kernel.messages import duration_words, local_time, register, register_formatter
from instruments.hours_wording import audience_words, holiday_words

register(
    {
        "booking.illegal_transition": _("This cannot be done any more: the reservation is %(state)s. Reload the page."),
        "facts.no_more": _("This can be corrected until the session is agreed, and not of a booking that was given up."),
        "booking.changed_meanwhile": _("Somebody else changed this reservation just now. Reload the page and look again."),
        "booking.own_request": _("You cannot approve your own request. A colleague has to."),
        "booking.nobody_decides": _(
            "You cannot approve your own request, and nobody else could: the lab has no other manager, and for this organisation its "
            "institution has no administrator who decides. Have somebody made a manager of the lab (People, on the page of your "
            "institution), then ask."
        ),
        "booking.reason_missing": _("Give a reason: the other side reads it."),
        "decision.told": _(
            "This has been told already: an answer can be taken back for %(undo_seconds)s seconds. What is approved can still be "
            "cancelled with a reason."
        ),
        "decision.none_chosen": _("Choose at least one request."),
        "decision.too_many": _("Decide at most %(most)s requests at once. Choose fewer."),
        "decision.reason_unknown": _("This ready sentence is not there any more. Choose another, or write your own."),
        "decision.reasons_too_many": _("Keep at most %(most)s ready sentences. Leave some out."),
        "decision.not_yours": _("Only the person who decided this can take it back. Cancel it with a reason instead."),
        "booking.not_yours": _("Only the person who asked, or an administrator of the organisation, can do this."),
        "booking.not_your_time": _(
            "This time is %(person)s's. Only they, who booked it for them with their consent, an administrator of the organisation and the "
            "lab's staff start, extend and end it."
        ),
        "entry.search_short": _(
            "Type at least %(least)s characters: a part of the name, the organisation, or an e-mail address."
        ),
        "entry.or_colleague": _("Name the person in entered alone: for_person is for colleagues of your own organisation."),
        "entry.yourself": _("For yourself you book as anybody does, for an organisation of your own."),
        "entry.person_unknown": _(
            "Choose a person who booked or asked at your lab before and may book for this organisation, or search by the exact e-mail "
            "address."
        ),
        "entry.instrument_unseen": _(
            "This instrument is not published, so this customer could not see the booking. Publish it first."
        ),
        "entry.waits_for_customer": _(
            "The lab entered this and the customer has not said yes yet. Until then it is neither approved nor moved; it can be cancelled."
        ),
        "entry.evidence_missing": _("Write how the customer said yes: who, when, and by which way."),
        "entry.link_over": _("This choice of a customer is too old or not yours. Search for the person again."),
        "consent.missing": _(
            "This colleague has not agreed that you book in their name, or no longer does. Ask them: page “Booking for each other”."
        ),
        "consent.over": _(
            "%(person)s no longer lets you book in their name, so this is theirs to do, or your organisation's administrator's. "
            "Giving a time back while that is free stays possible."
        ),
        "consent.not_a_colleague": _("Choose somebody else of your organisation who may book."),
        "consent.days": _("Choose a day from today on, at most %(days)s days ahead."),
        "consent.ended": _("This has been ended already. Reload the page."),
        "booking.no_organisation": _("You belong to no organisation that books. Register one, or ask yours to take you in."),
        "booking.not_for_this_organisation": _("You cannot book for this organisation. Choose one that you belong to."),
        "booking.too_late_to_cancel": _("The booked time has begun. Ask the lab."),
        "booking.too_early_to_check_in": _("Too early: one may start %(early_minutes)s minutes before %(starts_at)s."),
        "booking.too_late_to_check_in": _("The booked time ended at %(ends_at)s."),
        "booking.too_early_for_no_show": _("Wait until %(grace_minutes)s minutes after the start before marking it as missed."),
        "booking.figures_changed": _(
            "The subsidy that was quoted is no longer available in full. The customer has been asked to accept the new figures; "
            "approve again after that."
        ),
        "booking.just_taken": _(
            "%(starts_at)s was just taken by somebody else. The nearest free time starts at %(alternative_at)s."
        ),
        "booking.just_taken_none_left": _(
            "%(starts_at)s was just taken, and nothing of this length is free near it. Try a shorter time."
        ),
        "booking.instrument_unavailable": _("The instrument cannot be booked now (%(status)s). Ask the lab, or choose another."),
        "booking.service_mode_unknown": _("The lab does not offer this service mode here. Choose one of: %(known)s."),
        "booking.outside_opening_hours": _("The time lies outside the instrument's opening hours. Choose a free slot."),
        "booking.closed_in_season": _(
            "In this season (%(season)s) it is closed from %(closed_from)s to %(closed_until)s. Choose a free slot."
        ),
        "booking.closed_on_holiday": _("It is closed on this statutory holiday: %(holiday)s. Choose another day."),
        "booking.closed_because": _("It is closed from %(closed_from)s to %(closed_until)s: %(why)s. Choose another time."),
        "booking.closed_exceptionally": _("It is closed from %(closed_from)s to %(closed_until)s. Choose another time."),
        "booking.open_for_others": _(
            "From %(closed_from)s to %(closed_until)s it is open only for %(open_for)s. Choose another time, or ask the lab."
        ),
        "booking.too_late_to_approve": _(
            "The time asked for has begun, so this can no longer be approved. Agree on a new time with the customer and book that."
        ),
        "booking.ahead_of_retirement": _(
            "It has %(count)s bookings or requests ahead. Say what becomes of each first: tell an outage over those times, which lists "
            "them and moves or gives back each, and answer the requests. Then retire it."
        ),
        "booking.customer_suspended": _(
            "The organisation is suspended: nobody books for it. Decline the request, or wait until the operator lifts the suspension."
        ),
        "booking.instrument_retired": _(
            "This instrument is retired. Move the request to another instrument, decline it, or say that the instrument runs again."
        ),
        "check_in.instrument_retired": _(
            "This instrument is retired: no session starts on it. Give the booking back, or have the lab say that it runs again."
        ),
        "booking.asked_already": _(
            "You have asked for just this time already (%(reference)s). Look at that request, or choose another time."
        ),
        "booking.closed_meanwhile": _(
            "It was closed after this request was made. Take back what closes it and approve again, or decline the request."
        ),
        "booking.in_the_past": _("The start lies in the past. The earliest start is %(earliest)s."),
        "booking.too_soon": _("The lab needs %(notice_minutes)s minutes' notice. The earliest start is %(earliest)s."),
        "booking.beyond_horizon": _("Bookings open %(horizon_days)s days ahead. The latest start now is %(latest)s."),
        "booking.too_short": _("%(minutes)s minutes is too short: book at least %(min_minutes)s minutes."),
        "booking.too_long": _("%(minutes)s minutes is too long: book at most %(max_minutes)s minutes."),
        "booking.off_grid": _("Start on the %(granularity_minutes)s-minute grid: %(before)s or %(after)s."),
        "booking.end_off_grid": _("End on the %(granularity_minutes)s-minute grid: %(before)s or %(after)s."),
        "booking.closed": _("Closed"),
        "booking.taken": _("Taken"),
        "booking.gap_too_short": _("Too short for a booking"),
        "booking.range_invalid": _("The end must be after the start."),
        "booking.range_too_long": _("One request can be for %(days)s days at most. Choose an earlier end."),
        "downtime.over": _("It has to end after now, and after its start. Choose a later end."),
        "downtime.open_already": _(
            "A breakdown of this instrument is open already. Change its end there, or say that it works again."
        ),
        "downtime.closed": _("This is over already: the instrument works again. If it does not, say so anew."),
        "downtime.others_hit": _(
            "It would hit bookings that were not shown (%(count)s). Look at them, then press the button again."
        ),
        "downtime.too_many": _("Decide about at most %(most)s bookings at once. Choose fewer; the others come after them."),
        "downtime.choice": _(
            "This cannot be done with this booking now: it has moved, begun or ended. Look at it and choose again."
        ),
        "downtime.offered_within": _("The offered time lies in the outage. Choose one after its end."),
        "downtime.in_the_way": _(
            "The instrument is out of service from %(closed_from)s to %(closed_until)s. Choose a time that does not touch this."
        ),
        "downtime.nobody_to_blame": _(
            "The instrument was out of service then, so nobody missed it. Cancel it with a reason instead."
        ),
        "plan.breakdown": _("Nobody plans a breakdown. Choose another kind of work."),
        "plan.never": _("Say after how many months or hours of use it comes again."),
        "plan.out_of_range": _("Choose a whole number of at most %(most)s."),
        "plan.too_many": _("An instrument can have %(most)s plans. Remove one first."),
        "plan.made_already": _("It is planned already: see what is now and planned. Take that back to plan it anew."),
        "plan.no_time": _(
            "In the next %(days)s days no %(minutes)s minutes are open and free in one piece. Choose the time by hand, and say that it "
            "counts for this plan."
        ),
        "maintenance.too_long": _("Plan at most %(days)s days at once. Is the year right?"),
        "booking.day_unreadable": _("Give the day as year, month and day, for example 2026-11-23."),
        "booking.time_unreadable": _("Give the time in hours and minutes, for example 09:30."),
        "booking.organisation_missing": _("Choose the organisation for which you book."),
        "booking.figures_not_seen": _("Nothing is booked yet: here is what it costs. Check it, then press the button again."),
        "booking.form_used": _("With this form you booked something already. Check the time, then press the button again."),
        "booking.time_not_local": _("This time does not exist on that day in %(zone)s because clocks change. Choose another."),
        "subscriptions.known": _("This calendar is subscribed to already. Read it now, or remove it first."),
        "subscriptions.too_many": _("An instrument can follow %(maximum)s calendars. Remove one first."),
        "subscriptions.paused": _("This calendar is paused. Switch it on first."),
        "feeds.too_many": _("You have %(maximum)s calendar links in use. Revoke one first."),
        "feeds.kind_unknown": _("Choose what the calendar shows."),
        "feeds.lab_only": _("Only who manages a lab can have its calendar."),
        "feeds.lab_not_yours": _("Choose one of the labs that you manage."),
        "rating.not_agreed": _("A session can be rated once its use is agreed."),
        "rating.not_closed": _("A sample job can be rated once it is closed."),
        "rating.rated_already": _("This has been rated already. Reload the page to read it."),
        "rating.stars": _("Choose one to five stars."),
        "rating.text_missing": _("Write something: the other side reads it."),
        "rating.answered_already": _("This rating has been answered already. Reload the page to read the answer."),
        "rating.hidden_already": _("This rating is hidden already."),
        "time_search.duration_unreadable": _("Give the length in hours, for example 3 or 1.5."),
        "time_search.hours_unreadable": _("“%(typed)s” is no length. Give the length in hours, for example 3 or 1.5."),
        "time_search.hours_out_of_range": _("“%(typed)s” hours cannot be looked for. Give %(minimum)s to %(maximum)s hours."),
        "time_search.duration_out_of_range": _("Look for at least %(minimum)s and at most %(maximum)s minutes."),
        "time_search.last_before_first": _("The last day comes before the first. Choose a later one."),
        "time_search.too_many_days": _("Look at %(days)s days at most. Choose an earlier last day."),
        "time_search.region_unknown": _(
            "No place “%(place)s” is known here. Choose one of the list, or give the six digits of a division, for example 630100."
        ),
        "time_search.technique_unknown": _("No technique “%(technique)s” is known here. Choose one of the list."),
        "time_alert.too_many": _("You wait for %(most)s times already. Take one back first."),
        "booking.cool_off": _(
            "You have a booking here at %(other_at)s; the lab leaves %(cool_off_minutes)s minutes for others between two of yours. "
            "Start at %(from_at)s or later."
        ),
        "booking.licence_needed": _(
            "To operate this instrument yourself you need the lab's licence. Ask for training on the instrument's page, or choose "
            "another way of service."
        ),
        "booking.assisted_licence_needed": _(
            "To be assisted at this instrument you need the lab's licence for that; one to work alone counts too. Ask for training on the "
            "instrument's page, or choose another way of service."
        ),
        "booking.off_hours_assisted": _(
            "From %(from_at)s to %(until_at)s only people with a licence for off-hours may be at it, since the lab has named nobody who "
            "assists. Choose another time, or another way of service."
        ),
        "booking.off_hours_licence": _(
            "From %(from_at)s to %(until_at)s only people with a licence for off-hours may operate it. Choose another time, or another "
            "way of service."
        ),
        "quota.person_minutes": _(
            "%(quota_period)s one person may book at most %(most_minutes)s here: you have %(used_minutes)s and %(left_minutes)s are left. "
            "Book less, or from %(again_at)s on."
        ),
        "quota.person_minutes_ahead": _(
            "One person may have at most %(most_minutes)s booked ahead here: you have %(used_minutes)s and %(left_minutes)s are left. "
            "Book less, or again after your next session."
        ),
        "quota.person_count": _(
            "%(quota_period)s one person may book at most %(most_count)s times here, and you have. Book from %(again_at)s on."
        ),
        "quota.person_count_ahead": _(
            "One person may have at most %(most_count)s bookings ahead here, and you have. Book again after your next session."
        ),
        "quota.organisation_minutes": _(
            "%(quota_period)s one organisation may book at most %(most_minutes)s here: yours has %(used_minutes)s and %(left_minutes)s "
            "are left. Book less, or from %(again_at)s on."
        ),
        "quota.organisation_minutes_ahead": _(
            "One organisation may have at most %(most_minutes)s booked ahead here: yours has %(used_minutes)s and %(left_minutes)s are "
            "left. Book less, or again after its next session."
        ),
        "quota.organisation_count": _(
            "%(quota_period)s one organisation may book at most %(most_count)s times here, and yours has. Book from %(again_at)s on."
        ),
        "quota.organisation_count_ahead": _(
            "One organisation may have at most %(most_count)s bookings ahead here, and yours has. Book again after its next session."
        ),
        "quota.samples": _(
            "%(quota_period)s at most %(most_count)s samples of %(quota_subject)s are taken here: %(used_count)s are sent or asked for and "
            "%(left_count)s are left. Send fewer, or let them come from %(again_on)s on."
        ),
        "quota.samples_ahead": _(
            "%(quota_period)s at most %(most_count)s samples of %(quota_subject)s are taken here: %(used_count)s are on their way and "
            "%(left_count)s are left. Send fewer, or wait until some have come."
        ),
        "quota.jobs": _(
            "%(quota_period)s at most %(most_count)s sample jobs of %(quota_subject)s are taken here, and there are as many. Let the "
            "samples come from %(again_on)s on."
        ),
        "quota.jobs_ahead": _(
            "%(quota_period)s at most %(most_count)s sample jobs of %(quota_subject)s are taken here, and there are as many. Wait until "
            "samples of one have come."
        ),
        "quota.samples_of_lab": _(
            "Samples and sample jobs are counted for the whole lab, at any hour: set this quota in the rules of the lab, without peak "
            "hours."
        ),
        "quota.most": _("Give a number between 1 and 1,000,000."),
        "week_time.weekdays": _("Choose at least one day of the week, each once."),
        "week_time.minutes": _("Give times between 00:00 and 24:00."),
        "change.same_time": _("This is the time it has already. Choose another."),
        "change.instrument_of_lab": _(
            "Only the lab can move a booking to another instrument, and only to one of its own. Choose one of the lab's, or ask the lab."
        ),
        "change.no_instrument": _("Choose the other instrument, and from when."),
        "change.one_open": _("A new time is proposed already and waits for an answer. Take it back first, or answer it."),
        "deputy.days": _("Give a last day that is not over and not before the first, %(days)s days later at most."),
        "deputy.yourself": _("You cannot stand in for yourself. Choose a colleague."),
        "deputy.not_a_manager": _(
            "Only a manager of the lab can answer in your place. Make the colleague one first, on the lab's page."
        ),
        "deputy.away": _("%(deputy)s is away on some of these days too. Choose somebody else, or other days."),
        "deputy.overlaps": _("Somebody stands in for you on some of these days already. End that first, or choose other days."),
        "deputy.not_yours": _("Only who is away and who stands in can end this."),
        "deputy.ended": _("This has ended already. Reload the page."),
        "change.one_time": _("Several times can only be proposed by the lab, for the customer to choose. Name one."),
        "change.too_many_times": _("Propose at most %(most)s times. Leave some out."),
        "change.no_time": _("Choose at least one time, or name one of your own."),
        "change.begun": _("It has begun: only its end can still be changed, to a time that lies ahead."),
        "change.start_first": _(
            "It has begun, so there is no time left to ask the other side. Start the session: while it runs it can go on for longer, or "
            "end earlier."
        ),
        "change.over": _("The proposed start has passed. Take the proposal back, or decline it, and propose another time."),
        "change.answered_already": _("This proposal has been answered already. Reload the page."),
        "change.own": _("The other side answers what you proposed. You can take it back."),
        "change.dearer": _(
            "The customer would pay more than was agreed to, so nothing was moved. Propose the new time: its figures are shown with it."
        ),
        "change.not_yours": _("Only the side that was asked can do this."),
        "swap.none_chosen": _("Choose the booking to swap it with."),
        "swap.same": _("This is the booking itself. Choose another one to swap it with."),
        "swap.other_calendar": _(
            "These two do not share a calendar, so neither has a place for the other. Choose a booking of the same instrument, or move "
            "each."
        ),
        "swap.two_sides": _(
            "One of the two is your own booking and the other is not. A colleague of the lab can swap them, or you propose another time."
        ),
        "swap.agreed_first": _(
            "A booked time is its customer's. Ask both customers and tick that they have agreed, or propose another time to each."
        ),
        "swap.lab_decides": _(
            "The lab has approved one of these times, so it has to agree to another. Ask the lab to swap them, or propose another time for "
            "each."
        ),
        "swap.too_late": _(
            "It is too late to give one of the two back in time, and both would count as late at their new times. Move each by itself: its "
            "page says what giving it back costs then."
        ),
        "swap.no_room": _(
            "Its new time, with what the lab keeps before and after it, is not free. Choose another one to swap with."
        ),
        "swap.overlap": _(
            "They are not equally long: at each other's start they would overlap, with what is kept free around them. Shorten the longer "
            "one first, or move each by itself."
        ),
        "hold.too_many": _("You keep %(most)s times already. Book one of them, or let it go."),
        "hold.over": _("This time was kept for you as long as the lab allows. Book it now, or choose again."),
        "hold.offered": _(
            "The waiting list keeps a time here for you until %(until_at)s. Book that, or let it pass on the waiting list first."
        ),
        "hold.past": _("This time has begun. Choose a later one."),
        "wait.not_yours": _("Only the person who waits can do this."),
        "wait.not_now": _("This cannot be done any more: the entry is %(state)s. Reload the page."),
        "wait.offer_over": _("The offer has ended; the time is offered to the next in the list. You are still waiting."),
        "wait.too_many": _("You wait for %(most)s times already. Take one back first."),
        "wait.already": _("You wait for exactly this already: look at your waiting list."),
        "wait.retired": _("This instrument is retired: no time of it will come free. Choose another one."),
        "wait.past": _("These days are over. Choose later ones."),
        "wait.window": _("Wait within %(days)s days at most. Choose an earlier last day."),
        "wait.length": _(
            "Wait for between %(shortest_minutes)s and %(longest_minutes)s in steps of %(step)s minutes, within the days you chose."
        ),
        "policy.buffer_taken": _("The new buffers would meet those of another booking."),
        "policy.unknown": _("There is no such rule."),
        "policy.one_scope": _("Rules are for a class or for an instrument. Leave one of them out."),
        "policy.class_unknown": _("There is no such class of instruments. Choose one of the list."),
        "policy.unreadable": _("This cannot be read. Choose or type it again."),
        "policy.part_unknown": _("This has a part that is not known: %(part_name)s. Leave it out."),
        "policy.too_many": _("There are too many of these. Give %(maximum)s at most."),
        "policy.email_unknown": _("Nobody has an account with this e-mail address. Type it exactly as they log in with it."),
        "policy.email_books_for_nobody": _("Who has this e-mail address belongs to no organisation for which they could book."),
        "policy.organisation_not_theirs": _("They do not book for this organisation. Choose one of theirs."),
        "policy.who_incomplete": _("Name both the person and the organisation for which they would book."),
        "policy.out_of_range": _("Give a whole number between %(minimum)s and %(maximum)s."),
        "policy.layers_contradict": _(
            "With these rules nothing can be booked on %(instrument)s: its other rules contradict them."
        ),
        "policy.classes_contradict": _(
            "With these rules nothing can be booked in class %(class_code)s: the lab's other rules contradict them."
        ),
        "policy.nothing_fits": _("With these rules nothing can be booked on an instrument that has no rules of its own."),
        "policy.negative": _("This cannot be less than %(minimum)s."),
        "policy.granularity_out_of_range": _("The step must be between %(minimum)s and %(maximum)s minutes."),
        "policy.no_length_fits": _("The longest booking must be at least %(shortest_minutes)s with these settings."),
    }
)

for _name in ("earliest", "latest", "before", "after", "closed_from", "closed_until"):
    register_formatter(_name, local_time)
register_formatter("holiday", holiday_words)
register_formatter("open_for", audience_words)
for _name in ("most_minutes", "used_minutes", "left_minutes", "shortest_minutes", "longest_minutes"):
    register_formatter(_name, duration_words)
register_formatter("quota_period", period_words)
register_formatter("quota_subject", subject_words)
