"""The addresses around an instrument's record: its pieces, reviews, tables, problems, ratings, and what crawlers read."""

from __future__ import annotations

from django.urls import path

from frontend.views import (
    crawlers,
    instrument_files,
    instrument_page,
    problems,
    ratings,
    resource_reviews,
    reviews,
    sheets,
)

urlpatterns = [
    path("robots.txt", crawlers.robots, name="robots"),
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
    path("sitemap-<int:page>.xml", crawlers.sitemap_page, name="sitemap_page"),
    path("instruments/<int:pk>/qr.svg", instrument_page.instrument_qr, name="instrument_qr"),
    path("instruments/<int:pk>/label/", instrument_page.instrument_label, name="instrument_label"),
    path("instruments/<int:pk>/documents/<int:document>/", instrument_page.instrument_document, name="instrument_document"),
    path("instruments/<int:pk>/files/", instrument_files.instrument_files, name="instrument_files"),
    path("instruments/<int:pk>/files/picture/", instrument_files.picture_add, name="instrument_picture_add"),
    path("instruments/<int:pk>/files/picture/<int:file>/", instrument_files.picture_act, name="instrument_picture_act"),
    path("instruments/<int:pk>/files/document/", instrument_files.document_add, name="instrument_document_add"),
    path("instruments/<int:pk>/files/document/<int:file>/", instrument_files.document_act, name="instrument_document_act"),
    path("instruments/<int:pk>/history/", reviews.instrument_history, name="instrument_history"),
    path("resources/<int:pk>/history/", reviews.resource_history, name="resource_history"),
    path("instruments/<int:pk>/publish/", reviews.instrument_publish, name="instrument_publish"),
    path("instruments/<int:pk>/problem/", problems.problem_report, name="problem_report"),
    path("reviews/", reviews.review_queue, name="review_queue"),
    path("reviews/<int:pk>/", reviews.review_detail, name="review_detail"),
    path("reviews/<int:pk>/act/", reviews.review_act, name="review_act"),
    path("reviews/<int:pk>/decide/", reviews.review_decide, name="review_decide"),
    path("reviews/resources/<int:pk>/", resource_reviews.resource_review, name="resource_review"),
    path("reviews/resources/<int:pk>/withdraw/", resource_reviews.resource_review_withdraw, name="resource_review_withdraw"),
    path("reviews/resources/<int:pk>/decide/", resource_reviews.resource_review_decide, name="resource_review_decide"),
    path("organisations/<int:pk>/reviews/", reviews.organisation_reviews, name="organisation_reviews"),
    path("tables/", sheets.sheet_start, name="sheet_start"),
    path("tables/<int:owner>/download/", sheets.sheet_download, name="sheet_download"),
    path("tables/<int:owner>/upload/", sheets.sheet_upload, name="sheet_upload"),
    path("tables/preview/<int:pk>/", sheets.sheet_preview, name="sheet_preview"),
    path("tables/preview/<int:pk>/apply/", sheets.sheet_apply, name="sheet_apply"),
    path("problems/", problems.problem_list, name="problem_list"),
    path("problems/<int:pk>/handle/", problems.problem_handle, name="problem_handle"),
    path("problems/<int:pk>/photo/", problems.problem_photo, name="problem_photo"),
    path("bookings/<int:pk>/rate/", ratings.rating_give, name="rating_give"),
    path("ratings/<int:pk>/answer/", ratings.rating_answer, name="rating_answer"),
    path("ratings/<int:pk>/hide/", ratings.rating_hide, name="rating_hide"),
]
