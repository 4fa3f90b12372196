"""The addresses of free time and reservations under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, re_path
from rest_framework.routers import BaseRouter

from booking.api import (
    answering,
    assistants,
    calendar_sharing,
    changes,
    consents,
    credit,
    customers,
    downtimes,
    enquiries,
    inbox,
    policies,
    spending,
    timeline,
    training,
    unassisted,
    utilisation,
    views,
    waiting,
)
from config.kernel.api.routes import ID


def register_training(router: BaseRouter) -> None:
    """Add the viewsets of courses, licences and credit to ``router``."""
    router.register("courses", training.CourseView, basename="api_course")
    router.register("course-sessions", training.CourseSessionView, basename="api_course_session")
    router.register("enrolments", training.EnrolmentView, basename="api_enrolment")
    router.register("licences", training.LicenceView, basename="api_licence")
    router.register("recognitions", training.RecognitionView, basename="api_recognition")
    router.register("credit-events", credit.CreditEventView, basename="api_credit_event")
    router.register("credit-appeals", credit.CreditAppealView, basename="api_credit_appeal")
    router.register("credit-rules", credit.CreditRulesView, basename="api_credit_rules")
    router.register("access-list", credit.AccessListView, basename="api_access_list")


def urlpatterns(figures_of: views.FiguresReader) -> list[URLPattern]:
    """``figures_of`` reads the money of reservations, which booking itself knows nothing about."""
    reservation = views.ReservationView
    customer = {"cancel": "cancel"}
    lab = {"approve": "approve", "reject": "reject", "check-in": "check_in", "check-out": "check_out", "no-show": "no_show"}
    return [
        re_path(rf"^instruments/{ID}/slots/$", views.SlotsView.as_view({"get": "retrieve"}), name="api_instrument_slots"),
        re_path(
            rf"^instruments/{ID}/licence/$",
            training.InstrumentLicenceView.as_view({"get": "retrieve", "post": "create"}),
            name="api_instrument_licence",
        ),
        re_path(r"^feed/$", views.FeedView.as_view({"get": "retrieve"}), name="api_feed"),
        re_path(
            r"^reservations/$",
            reservation.as_view({"get": "list", "post": "create"}, figures_of=figures_of),
            name="api_reservations",
        ),
        re_path(
            rf"^reservations/{ID}/$",
            reservation.as_view({"get": "retrieve"}, figures_of=figures_of),
            name="api_reservation",
        ),
        re_path(r"^timeline/$", timeline.TimelineView.as_view({"get": "retrieve"}), name="api_timeline"),
        re_path(r"^inbox/$", inbox.InboxView.as_view({"get": "list"}), name="api_inbox"),
        re_path(r"^inbox/rivals/$", inbox.RivalsView.as_view({"post": "create"}), name="api_inbox_rivals"),
        re_path(r"^inbox/decisions/$", inbox.DecisionsView.as_view({"post": "create"}), name="api_inbox_decisions"),
        re_path(
            rf"^reservations/{ID}/take-back/$",
            inbox.TakeBackView.as_view({"post": "take_back"}),
            name="api_reservation_take_back",
        ),
        re_path(
            rf"^organisations/{ID}/utilisation/$",
            utilisation.UtilisationView.as_view({"get": "retrieve"}),
            name="api_utilisation",
        ),
        *_consents(),
        *_waiting(),
        *_enquiries(),
        *_spending(),
        *_answering(),
        *_downtimes(),
        *_sharing(),
        *_assistants(),
        re_path(
            rf"^reservations/{ID}/changes/$",
            changes.ChangeView.as_view({"get": "list", "post": "create"}),
            name="api_reservation_changes",
        ),
        re_path(rf"^reservations/{ID}/swap/$", changes.SwapView.as_view({"post": "create"}), name="api_reservation_swap"),
        *(
            re_path(
                rf"^reservation-changes/{ID}/{answer}/$",
                changes.ChangeAnswerView.as_view({"post": answer}),
                name=f"api_reservation_change_{answer}",
            )
            for answer in ("accept", "refuse", "withdraw")
        ),
        re_path(
            rf"^organisations/{ID}/booking-rules/$",
            policies.LayersView.as_view({"get": "list", "put": "update"}),
            name="api_booking_rules",
        ),
        re_path(
            rf"^instruments/{ID}/customers/$",
            customers.CustomersView.as_view({"post": "search"}),
            name="api_instrument_customers",
        ),
        re_path(
            rf"^instruments/{ID}/booking-rules/$",
            policies.EffectiveView.as_view({"get": "retrieve"}),
            name="api_instrument_booking_rules",
        ),
        *(_action(views.CustomerActionView, path, action) for path, action in customer.items()),
        _action(views.FactsView, "facts", "facts"),
        *(_action(views.LabActionView, path, action) for path, action in lab.items()),
    ]


def _consents() -> list[URLPattern]:
    consent = consents.ConsentView
    return [
        re_path(r"^booking-consents/$", consent.as_view({"get": "list", "post": "create"}), name="api_booking_consents"),
        re_path(r"^booking-consents/colleagues/$", consent.as_view({"get": "colleagues"}), name="api_booking_consent_colleagues"),
        re_path(rf"^booking-consents/{ID}/end/$", consent.as_view({"post": "end"}), name="api_booking_consent_end"),
    ]


def _waiting() -> list[URLPattern]:
    entry = waiting.WaitView
    return [
        re_path(r"^waiting-list/$", entry.as_view({"get": "list", "post": "create"}), name="api_waiting_list"),
        *(
            re_path(rf"^waiting-list/{ID}/{answer}/$", entry.as_view({"post": answer}), name=f"api_waiting_{answer}")
            for answer in ("accept", "decline", "leave")
        ),
    ]


def _downtimes() -> list[URLPattern]:
    of_instrument, one = downtimes.InstrumentDowntimesView, downtimes.DowntimeView
    return [
        re_path(
            rf"^instruments/{ID}/downtimes/$",
            of_instrument.as_view({"get": "list", "post": "create"}),
            name="api_instrument_downtimes",
        ),
        re_path(
            rf"^instruments/{ID}/downtimes/hits/$", of_instrument.as_view({"get": "hits"}), name="api_instrument_downtime_hits"
        ),
        re_path(
            rf"^instruments/{ID}/maintenance-plans/$",
            downtimes.PlansView.as_view({"get": "list", "post": "create"}),
            name="api_maintenance_plans",
        ),
        re_path(
            rf"^maintenance-plans/{ID}/next/$", downtimes.PlanView.as_view({"post": "next"}), name="api_maintenance_plan_next"
        ),
        re_path(
            rf"^maintenance-plans/{ID}/remove/$",
            downtimes.PlanView.as_view({"post": "remove"}),
            name="api_maintenance_plan_remove",
        ),
        re_path(rf"^downtimes/{ID}/$", one.as_view({"get": "retrieve"}), name="api_downtime"),
        re_path(rf"^downtimes/{ID}/decisions/$", one.as_view({"post": "decide"}), name="api_downtime_decide"),
        re_path(rf"^downtimes/{ID}/until/$", one.as_view({"post": "prolong"}), name="api_downtime_prolong"),
        re_path(rf"^downtimes/{ID}/close/$", one.as_view({"post": "close"}), name="api_downtime_close"),
    ]


def _sharing() -> list[URLPattern]:
    sharing = calendar_sharing.SharingView
    return [
        re_path(
            rf"^instruments/{ID}/sharing/$", sharing.as_view({"get": "retrieve", "post": "share"}), name="api_instrument_sharing"
        ),
        re_path(
            rf"^instruments/{ID}/sharing/preview/$",
            sharing.as_view({"get": "preview"}),
            name="api_instrument_sharing_preview",
        ),
        re_path(rf"^instruments/{ID}/sharing/end/$", sharing.as_view({"post": "part"}), name="api_instrument_sharing_end"),
    ]


def _assistants() -> list[URLPattern]:
    of_instrument, one = assistants.InstrumentAssistantsView, assistants.AssistantView
    return [
        re_path(
            rf"^instruments/{ID}/assistants/$",
            of_instrument.as_view({"get": "retrieve", "post": "create"}),
            name="api_instrument_assistants",
        ),
        re_path(
            rf"^instruments/{ID}/assistants/remove/$",
            of_instrument.as_view({"post": "remove"}),
            name="api_instrument_assistant_remove",
        ),
        re_path(
            r"^assisting/nobody/$", unassisted.UnassistedView.as_view({"get": "list", "post": "give"}), name="api_unassisted"
        ),
        re_path(r"^assisting/$", one.as_view({"get": "own"}), name="api_assisting"),
        re_path(rf"^assistants/{ID}/$", one.as_view({"get": "retrieve"}), name="api_assistant"),
        re_path(rf"^assistants/{ID}/hours/$", one.as_view({"put": "hours"}), name="api_assistant_hours"),
        re_path(rf"^assistants/{ID}/absences/$", one.as_view({"post": "absent"}), name="api_assistant_absences"),
        re_path(
            rf"^assistants/{ID}/absences/remove/$", one.as_view({"post": "absent_no_more"}), name="api_assistant_absence_remove"
        ),
        re_path(
            rf"^reservations/{ID}/assistant/$",
            assistants.ReservationAssistantView.as_view({"post": "give"}),
            name="api_reservation_assistant",
        ),
    ]


def _answering() -> list[URLPattern]:
    deputies, sentences = answering.DeputyView, answering.SentencesView
    return [
        re_path(rf"^organisations/{ID}/deputies/$", deputies.as_view({"get": "retrieve", "post": "create"}), name="api_deputies"),
        re_path(rf"^deputies/{ID}/end/$", deputies.as_view({"post": "end"}), name="api_deputy_end"),
        re_path(
            rf"^organisations/{ID}/reject-reasons/$",
            sentences.as_view({"get": "retrieve", "put": "update"}),
            name="api_reject_reasons",
        ),
    ]


def _spending() -> list[URLPattern]:
    asked = spending.LeaderApprovalView
    return [
        re_path(r"^leader-approvals/$", asked.as_view({"get": "list"}), name="api_leader_approvals"),
        re_path(r"^leader-approvals/answers/$", asked.as_view({"post": "answers"}), name="api_leader_answers"),
        *(
            re_path(rf"^leader-approvals/{ID}/{answer}/$", asked.as_view({"post": answer}), name=f"api_leader_approval_{answer}")
            for answer in ("agree", "decline")
        ),
        _action(spending.CardView, "fund-card", "fund_card"),
    ]


def _action(view: type[views.ReservationActionView], path: str, action: str) -> URLPattern:
    return re_path(rf"^reservations/{ID}/{path}/$", view.as_view({"post": action}), name=f"api_reservation_{action}")


def _enquiries() -> list[URLPattern]:
    thread, need = enquiries.EnquiryView, enquiries.NeedView
    return [
        re_path(r"^enquiries/$", thread.as_view({"get": "list", "post": "create"}), name="api_enquiries"),
        re_path(rf"^enquiries/{ID}/$", thread.as_view({"get": "retrieve"}), name="api_enquiry"),
        re_path(rf"^enquiries/{ID}/messages/$", enquiries.MessageParserView.as_view({"post": "write"}), name="api_enquiry_write"),
        re_path(rf"^enquiries/{ID}/close/$", thread.as_view({"post": "close"}), name="api_enquiry_close"),
        re_path(rf"^enquiries/{ID}/seen/$", thread.as_view({"post": "seen"}), name="api_enquiry_seen"),
        re_path(r"^enquiry-files/(?P<attachment_id>[0-9]{1,18})/$", thread.as_view({"get": "file"}), name="api_enquiry_file"),
        re_path(r"^needs/$", need.as_view({"get": "list", "post": "create"}), name="api_needs"),
        re_path(rf"^needs/{ID}/$", need.as_view({"get": "retrieve"}), name="api_need"),
        re_path(
            rf"^organisations/{ID}/answer-time/$",
            enquiries.AnswerTimeView.as_view({"post": "set_promise"}),
            name="api_organisation_answer_time",
        ),
    ]
