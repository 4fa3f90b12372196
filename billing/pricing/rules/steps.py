"""A step: one line of the working that answers "how was this calculated?"."""

from __future__ import annotations

from typing import Any, NamedTuple


class Step(NamedTuple):
    """One step of a calculation. A named tuple because a session makes some twenty of them.

    ``part`` names the family of rule (``price``, ``gate``, ``base``, ``rate``, ``cap`` ...); ``clause`` is the id of the
    clause it rests on (empty for prices); ``key`` chooses the sentence (billing/subsidy/rules/message_keys.py) and
    ``params`` fill it: amounts are ints named ``*_fen``, rates are texts of decimals. ``amount_fen`` is the running
    amount after the step, shown half-up where it still has a fraction of a fen (``params["exact_fen"]`` then has it).
    """

    part: str
    clause: str
    key: str
    params: dict[str, Any]
    amount_fen: int
