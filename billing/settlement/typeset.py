"""The one door to WeasyPrint: HTML of our own making to a tagged PDF, with our fonts and nothing else from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from instruments.rules.names import without_direction

#: What a style sheet may ask for; the host exists nowhere.
FONT_URLS: Mapping[str, str] = {
    "https://fonts.jishi.invalid/regular.ttf": "NotoSansSC-Regular.ttf",
    "https://fonts.jishi.invalid/bold.ttf": "NotoSansSC-Bold.ttf",
}
VARIANT = "pdf/ua-1"


class OnlyFonts(URLFetcher):
    """Serves the packaged fonts and refuses everything else, which stops the rendering: our documents ask for nothing else.

    ``served`` and ``refused`` are the addresses that were asked for.
    """

    def __init__(self, font_folder: Path) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)
        self.font_folder = font_folder
        self.served: list[str] = []
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        name = FONT_URLS.get(url)
        if name is None:
            self.refused.append(url)
            raise FatalURLFetchingError(f"a document may not fetch {url[:200]}")
        self.served.append(url)
        try:
            body = (self.font_folder / name).read_bytes()
        except OSError as error:
            raise FatalURLFetchingError(f"the packaged font {name} is missing: build the front end") from error
        return URLFetcherResponse(url, body, {"Content-Type": "font/ttf"})


def html_to_pdf(html: str, font_folder: Path, identifier: bytes) -> bytes:
    """A tagged PDF (PDF/UA-1). The same arguments give the same bytes; nothing in a text turns the direction of another. Raises
    RuntimeError for a document that fetches."""
    try:
        document = HTML(string=without_direction(html), url_fetcher=OnlyFonts(font_folder))
        pdf: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_identifier=identifier)
    except FatalURLFetchingError as error:
        raise RuntimeError(str(error)) from error
    return pdf
