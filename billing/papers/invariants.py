"""What is always true of issued papers."""

from __future__ import annotations

from billing.papers.verifying import contents_and_codes
from config.kernel.invariants import register

register("papers.contents_and_codes_are_what_was_issued", contents_and_codes)
