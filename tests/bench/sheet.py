"""``python -m tests.bench.sheet LINES``: the CPU seconds and the megabytes that the workbook of a bill of so many lines takes, as JSON.

To be run in an interpreter of its own. The memory is the highest that this process had, less what it had with everything imported: the
content that is written is in it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from billing.bills.sheets import render_xlsx

    render_xlsx(content(1))
    before, said = _highest_megabytes(), content(int(sys.argv[1]))
    began = time.process_time()
    render_xlsx(said)
    print(json.dumps([time.process_time() - began, _highest_megabytes() - before]))


def _highest_megabytes() -> float:
    """Of this program alone: ``ru_maxrss`` would begin with what the process that started it had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def content(lines: int) -> dict[str, Any]:
    """A bill of so many lines."""
    party = {"name": "Kunlun", "name_en": "", "scheme": "uscc", "code": "12630000000000123E", "address": "", "bank_name": "Bank of Demo",
             "bank_account_name": "Kunlun", "bank_account_number": "6222"}  # fmt: skip
    line = {
        "of": "session", "reference": "R2026-000001", "subject": {"name": "X-ray diffractometer", "name_en": "", "inner_id": "KL-0001"},
        "starts_at": "2026-11-03T09:00:00+08:00", "ends_at": "2026-11-03T11:00:00+08:00", "zone": "Asia/Shanghai", "quantity": "2.00",
        "unit": "hour", "gross_fen": 80000, "deductions": [{"programme": "DEMO-QH-V", "amount_fen": 32000}], "relieved_fen": 0,
        "amount_fen": 48000, "fee_kind": "", "prior_period": False,
    }  # fmt: skip
    return {
        "kind": "bill", "number": "ZD-2026-000001", "payment_reference": "JS126000001", "made_on": "2026-12-01", "due_on": "2026-12-31",
        "owner": party, "customer": party, "lines": [{**line, "position": place} for place in range(1, lines + 1)], "maker": "Li",
        "totals": {"total_fen": 48000 * lines, "capitals": ""}, "tax": "not_shown",
    }  # fmt: skip


if __name__ == "__main__":
    main()
