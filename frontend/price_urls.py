"""The addresses of the pages on which labs write their prices."""

from __future__ import annotations

from django.urls import path

from frontend.views import prices

urlpatterns = [
    path("prices/", prices.price_list, name="price_list"),
    path("prices/families/new/", prices.price_family_create, name="price_family_create"),
    path("prices/family/<int:pk>/members/", prices.price_members, name="price_members"),
    path("prices/<str:what>/<int:pk>/", prices.price_show, name="price_show"),
    path("prices/<str:what>/<int:pk>/draft/", prices.price_draft, name="price_draft"),
    path("prices/<str:what>/<int:pk>/draft/discard/", prices.price_discard, name="price_discard"),
    path("prices/<str:what>/<int:pk>/review/", prices.price_review, name="price_review"),
]
