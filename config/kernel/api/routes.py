"""What addresses of single things have in common."""

from __future__ import annotations

NUMBER = "[0-9]{1,18}"
"""A number of a row; longer ones fit no column."""
ID = f"(?P<pk>{NUMBER})"
