"""What changed in a text, word by word (a number is one word, and so is each Chinese character) or line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_WORD = re.compile(r"[0-9]+(?:[.,][0-9]+)+|[^\W\u3400-\u9fff\uf900-\ufaff]+|\s+|.", re.DOTALL)
#: Beyond this many comparisons the two middles are shown as one piece each.
_MOST_COMPARISONS = 1_000_000


class Kind(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that stayed, went or came."""

    kind: Kind
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """The pieces in reading order. Those that stayed or went make up ``before``, those that stayed or came ``after``."""
    return _differing(_WORD.findall(before), _WORD.findall(after))


def line_differences(before: str, after: str) -> list[Piece]:
    """As ``differences`` by whole lines, each with its end: for sentences and times, of which a part says nothing."""
    old, new = (text.splitlines() for text in (before, after))
    return _differing([f"{line}\n" for line in old], [f"{line}\n" for line in new])


def _differing(old: list[str], new: list[str]) -> list[Piece]:
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    pieces = [Piece(Kind.SAME, "".join(old[:head]))]
    pieces += _compared(old_middle, new_middle)
    pieces.append(Piece(Kind.SAME, "".join(old[len(old) - tail :])))
    return _joined(pieces)


def _shared(one: list[str], other: list[str]) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


def _compared(old: list[str], new: list[str]) -> list[Piece]:
    if len(old) * len(new) > _MOST_COMPARISONS:
        return [Piece(Kind.REMOVED, "".join(old)), Piece(Kind.ADDED, "".join(new))]
    pieces = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece(Kind.SAME, "".join(old[a:b])))
        else:
            pieces += [Piece(Kind.REMOVED, "".join(old[a:b])), Piece(Kind.ADDED, "".join(new[c:d]))]
    return pieces


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Without empty pieces, neighbours of one kind as one."""
    found: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if found and found[-1].kind is piece.kind:
            found[-1] = Piece(piece.kind, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found
