"""What is always true of receipts and statements of account."""

from __future__ import annotations

from billing.settlement.numbered import numbers_have_no_gap, rendered_have_both_files

for _letters, _table in (("SJ", "receipt"), ("DZ", "accountstatement")):
    numbers_have_no_gap(f"receipts.{_table}_numbers_have_no_gap", _letters, f"billing_{_table}", "owner_id")
    rendered_have_both_files(f"receipts.rendered_{_table}s_have_both_files", f"billing_{_table}")
