"""The addresses of what the use of instruments comes to."""

from __future__ import annotations

from django.urls import path

from frontend.views import utilisation

urlpatterns = [
    path("utilisation/", utilisation.utilisation_list, name="utilisation_list"),
    path("utilisation/<int:pk>/", utilisation.utilisation_lab, name="utilisation_lab"),
    path("utilisation/<int:pk>/service-records/", utilisation.utilisation_records, name="utilisation_records"),
    path("utilisation/<int:pk>/file/", utilisation.utilisation_file, name="utilisation_file"),
]
