"""The addresses of courses, licences, credit points and lists."""

from __future__ import annotations

from django.urls import path

from frontend.views import credit, licences, training

urlpatterns = [
    path("instruments/<int:pk>/licence/", licences.instrument_licence, name="instrument_licence"),
    path("instruments/<int:pk>/licence/need/", training.licence_need, name="licence_need"),
    path("training/", training.training_list, name="training_list"),
    path("training/courses/new/", training.course_create, name="course_create"),
    path("training/courses/<int:pk>/", training.course_detail, name="course_detail"),
    path("training/courses/<int:pk>/edit/", training.course_edit, name="course_edit"),
    path("training/sessions/<int:pk>/", training.course_session, name="course_session"),
    path("training/sessions/<int:pk>/enrol/", training.course_enrol, name="course_enrol"),
    path("training/sessions/<int:pk>/call-off/", training.course_session_call_off, name="course_session_call_off"),
    path("training/enrolments/<int:pk>/withdraw/", training.enrolment_withdraw, name="enrolment_withdraw"),
    path("training/enrolments/<int:pk>/attendance/", training.enrolment_attendance, name="enrolment_attendance"),
    path("training/enrolments/<int:pk>/result/", training.enrolment_result, name="enrolment_result"),
    path("licences/", licences.licence_list, name="licence_list"),
    path("licences/grant/", licences.licence_grant, name="licence_grant"),
    path("licences/<int:pk>/act/", licences.licence_act, name="licence_act"),
    path("licences/<int:pk>/evidence/", licences.licence_evidence, name="licence_evidence"),
    path("licences/requests/<int:pk>/decide/", licences.recognition_decide, name="recognition_decide"),
    path("licences/requests/<int:pk>/withdraw/", licences.recognition_withdraw, name="recognition_withdraw"),
    path("licences/requests/<int:pk>/evidence/", licences.recognition_evidence, name="recognition_evidence"),
    path("record/", credit.my_record, name="my_record"),
    path("record/events/<int:pk>/appeal/", credit.credit_appeal, name="credit_appeal"),
    path("credit/", credit.credit_lab, name="credit_lab"),
    path("credit/rules/", credit.credit_rules, name="credit_rules"),
    path("credit/note/", credit.credit_note, name="credit_note"),
    path("credit/appeals/<int:pk>/decide/", credit.appeal_decide, name="appeal_decide"),
    path("credit/lists/", credit.access_list_put, name="access_list_put"),
    path("credit/lists/<int:pk>/end/", credit.access_list_end, name="access_list_end"),
]
