"""Loaded by the server from which the processes that make PDFs are forked: a small document is made there once, so that what the first
document of a process builds beside its pages (style sheets of the library, tables of fonts, modules that load late) is there already."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path

from billing.settlement.typeset import html_to_pdf

DOCUMENT = """<!doctype html><html lang="zh-Hans"><head><title>1</title><style>
@page { size: A4; margin: 20mm; @bottom-right { content: counter(page) "/" counter(pages) } }
body { font: 10pt sans-serif } table { border-collapse: collapse; width: 100% } td { border: 0.5pt solid black; text-align: right }
div { display: flex } section { display: grid }
</style></head><body><h1>字</h1><div><p>a</p></div><section><b>1</b></section>
<table><thead><tr><th>1</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg></body></html>"""

with contextlib.suppress(Exception):  # what is wrong here is wrong in every document too, and said there
    html_to_pdf(DOCUMENT, Path(), b"warm")
gc.collect()
gc.freeze()  # nothing of it is looked at again, so the processes share its pages
