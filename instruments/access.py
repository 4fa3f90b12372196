"""What an actor may see of people, organisations and instruments (registered with the kernel, used by every query)."""

from __future__ import annotations
