"""What whoever books answers to the questions of programmes: texts by the path of the fact, kept as one text (JSON).

What a question wants is the programmes' to say (``billing.subsidy.rules.questions``); here is only how answers are written down.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping

MOST_ANSWERS, MOST_LENGTH = 60, 60
BOX = "answer-"
"""A form's box of an answer is called so, with the path of the fact behind it."""
_FACT = re.compile(r"[a-z_]{1,30}\.[a-z][a-z0-9_]{0,39}", re.ASCII)


def answers_text(answers: Mapping[str, object]) -> str:
    """Answers as they are kept: empty ones are left out, and the same answers are always the same text. ``True`` and ``False`` are yes and
    no, whole numbers their digits. What nobody can answer is kept out of it by ``read_answers``."""
    found = {fact: _text(value) for fact, value in answers.items()}
    said = {fact: text for fact, text in sorted(found.items()) if text}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) if said else ""


def read_answers(text: str) -> dict[str, str]:
    """The answers of a text. Raises ValueError for one that holds anything else."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("answers lie in no other answers") from error
    if not isinstance(found, dict) or len(found) > MOST_ANSWERS:
        raise ValueError("answers are texts by the paths of facts")
    for fact, answer in found.items():
        if not _FACT.fullmatch(fact) or not isinstance(answer, str) or len(answer) > MOST_LENGTH or not answer.isprintable():
            raise ValueError("answers are short texts by the paths of facts")
    return found


def known_answers(text: str) -> dict[str, str]:
    """The same; nothing where it cannot be read."""
    try:
        return read_answers(text)
    except ValueError:
        return {}


def typed_answers(data: Mapping[str, object]) -> str:
    """Of a form: its boxes, else ``answers`` as it was kept; what has no fact's name is left out."""
    if any(name.startswith(BOX) for name in data):
        return answers_with("", data)
    return answers_text(known_answers(str(data.get("answers", ""))))


def answers_with(before: str, data: Mapping[str, object]) -> str:
    """Answers with those of a form's boxes in the place of what was said of the same facts; what has no box stays."""
    boxes = {name[len(BOX) :]: str(value)[: MOST_LENGTH + 1] for name, value in data.items() if name.startswith(BOX)}
    return answers_text({**known_answers(before), **{fact: text for fact, text in boxes.items() if _FACT.fullmatch(fact)}})


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return unicodedata.normalize("NFKC", str(value)).strip()
