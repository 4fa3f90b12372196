"""WeasyPrint as it comes: the same HTML, fonts and options, nothing of ours around it."""

from __future__ import annotations

from collections.abc import Mapping

from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from billing.settlement.pdf import FONT_FOLDER
from billing.settlement.typeset import FONT_URLS, VARIANT


class Fonts(URLFetcher):
    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        return URLFetcherResponse(url, (FONT_FOLDER / FONT_URLS[url]).read_bytes(), {"Content-Type": "font/ttf"})


def bare_pdf(markup: str) -> bytes:
    """The PDF of ``markup``."""
    pdf: bytes = HTML(string=markup, url_fetcher=Fonts()).write_pdf(pdf_variant=VARIANT, pdf_identifier=b"bare")
    return pdf
