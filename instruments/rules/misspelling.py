"""Finding the word that somebody meant: by the pieces that survive a slip of the finger, in Latin and in Chinese.

A Latin word is kept with every form that lacks one letter: two words that differ by one letter (missing, added, changed or swapped)
share such a form. Of a Chinese word each three characters are kept with the middle one masked, so that one wrong character is found.
"""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz.distance import OSA

MASK = "?"
SHORTEST_LATIN = 4
SHORTEST_HAN = 3
_LONG_LATIN = 8
BEGINNING = 3
_LONGEST = 40


def latin_pieces(word: str) -> list[str]:
    """The word and its forms without one letter; nothing for short words."""
    if not SHORTEST_LATIN <= len(word) <= _LONGEST:
        return []
    return sorted({word, *(word[:i] + word[i + 1 :] for i in range(len(word)))})


def han_pieces(run: str) -> list[str]:
    """Each three characters with the middle one masked."""
    return sorted({f"{run[i]}{MASK}{run[i + 2]}" for i in range(len(run) - 2)})


def nearest_word(typed: str, known: Iterable[tuple[str, int]]) -> str:
    """Of known words with their weight the one that was meant: one slip away, two in a long word; empty when none is that near."""
    most = 2 if len(typed) >= _LONG_LATIN else 1
    near = [(distance, -weight, word) for word, weight in known if (distance := OSA.distance(typed, word)) <= most]
    return min(near)[2] if near else ""


def nearest_beginning(typed: str, known: Iterable[tuple[str, int]]) -> str:
    """As ``nearest_word`` while the word is not finished: the known word that begins one slip away, the most frequent first."""
    lengths = (len(typed), len(typed) + 1, len(typed) - 1)
    near = [
        (distance, -weight, word)
        for word, weight in known
        if (distance := min(OSA.distance(typed, word[:length]) for length in lengths)) == 1
    ]
    return min(near)[2] if near else ""


def nearest_run(typed: str, known: Iterable[tuple[str, int]]) -> str:
    """The part of a known term that differs from ``typed`` in one character (two in six or more); empty when there is none."""
    most = 2 if len(typed) >= 6 else 1
    near = [
        (distance, -weight, window)
        for term, weight in known
        for window in _windows(term, len(typed))
        if 0 < (distance := sum(one != other for one, other in zip(typed, window, strict=True))) <= most
    ]
    return min(near)[2] if near else ""


def _windows(term: str, length: int) -> Iterable[str]:
    return (term[i : i + length] for i in range(len(term) - length + 1))
