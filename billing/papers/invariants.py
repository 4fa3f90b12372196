"""What is always true of issued papers, and of the chain over the ledger."""

from __future__ import annotations

from billing.papers import chain
from billing.papers.verifying import bound_files, contents_and_codes
from config.kernel.invariants import Finding, register


def chain_holds() -> Finding:
    """Every link of the ledger's sealed chain is what its transfers make, and none that an earlier look found is gone."""
    found = chain.verify()
    return Finding(found.seals, tuple(f"seal {each.number}: {each.code} {each.detail}".rstrip() for each in found.faults))


register("papers.contents_and_codes_are_what_was_issued", contents_and_codes)
register("papers.have_the_files_that_were_made_for_them", bound_files)
register("books.the_chain_holds", chain_holds)
