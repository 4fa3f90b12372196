"""*statement*: the PDF of a settlement statement against bare WeasyPrint of the same HTML and options."""

from __future__ import annotations

from billing.settlement import pdf
from tests.bench.harness import Figure, seconds_for
from tests.bench.statement_content import content_of
from tests.bench.weasyprint_bare import bare_pdf


def figures() -> list[Figure]:
    return [_lines(count, times) for count, times in ((30, 5), (1000, 1))]


def _lines(count: int, times: int) -> Figure:
    content = content_of(count)
    markup = pdf.render_html(content)
    ours = bare = float("inf")
    for _ in range(times + 1 if count < 100 else times):
        ours = min(ours, seconds_for(lambda: pdf.render_pdf(content)))
        bare = min(bare, seconds_for(lambda: bare_pdf(markup)))
    return Figure(
        f"statement PDF, {count:,} lines", ours, "s", "<= 1.15x", ours <= 1.15 * bare, bare, "bare WeasyPrint, same HTML"
    )
