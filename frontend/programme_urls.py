"""The addresses of programmes: reading them, writing them, their budgets, trying them out."""

from __future__ import annotations

from django.urls import path, re_path

from frontend.views import budgets, cap_figures, programme_drafts, programme_ends, programmes, sandbox

urlpatterns = [
    path("programmes/drafts/", programme_drafts.draft_list, name="programme_drafts"),
    path("programmes/drafts/<int:pk>/", programme_drafts.draft_detail, name="programme_draft"),
    path("programmes/drafts/<int:pk>/edit/", programme_drafts.draft_edit, name="programme_draft_edit"),
    path("programmes/drafts/<int:pk>/text/", programme_drafts.draft_text, name="programme_draft_text"),
    re_path(
        r"^programmes/drafts/(?P<pk>[0-9]+)/(?P<step>submit|take-back|send-back|approve|drop|years)/$",
        programme_drafts.draft_step,
        name="programme_draft_step",
    ),
    path("programmes/budgets/", budgets.budget_list, name="programme_budgets"),
    path("programmes/budgets/figures/<int:pk>/", cap_figures.figure_decide, name="figure_decide"),
    path("programmes/budgets/<int:pk>/<slug:cap_id>/", cap_figures.figure_ask, name="figure_ask"),
    path("programmes/versions/<int:pk>/end/", programme_ends.version_end, name="version_end"),
    path("programmes/ends/<int:pk>/", programme_ends.end_decide, name="version_end_decide"),
    path("programmes/sandbox/", sandbox.sandbox_list, name="programme_trials"),
    path("programmes/sandbox/<int:pk>/", sandbox.sandbox_run, name="programme_trial"),
    path("programmes/sandbox/<int:pk>/progress/", sandbox.sandbox_progress, name="programme_trial_progress"),
    path("programmes/sandbox/<int:pk>/cancel/", sandbox.sandbox_cancel, name="programme_trial_cancel"),
    path("programmes/sandbox/<int:pk>/resume/", sandbox.sandbox_resume, name="programme_trial_resume"),
    re_path(r"^programmes/sandbox/(?P<pk>[0-9]+)/result\.(?P<kind>csv|xlsx)$", sandbox.sandbox_file, name="programme_trial_file"),
    path("programmes/", programmes.programme_list, name="programme_list"),
    path("programmes/<slug:code>/", programmes.programme_detail, name="programme_detail"),
]
