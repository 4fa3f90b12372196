"""A price in sentences: everything of it is said, and the national record's charging standard keeps to its length."""

from __future__ import annotations

import json
import re
from pathlib import Path

from django.utils import translation

from billing.price_words import MOST_CHARACTERS, charging_standard, terms_words
from billing.pricing.rules import describe, parse_schedule

GUIDE = (Path(__file__).parents[3] / "docs" / "prices.md").read_text(encoding="utf-8")
DOCUMENT = json.loads(re.findall(r"```json schedule\n(.*?)```", GUIDE, re.DOTALL)[0])


def test_everything_of_a_price_is_said() -> None:
    with translation.override("en"):
        said = " ".join(terms_words(describe(parse_schedule(DOCUMENT))))
    for words in (
        "The first 4 (counted per hour): In-house ¥200.00, In the province ¥300.00",
        "Beyond 4: In-house ¥160.00",
        "Every started 30 min is charged whole.",
        "At least 1 h are charged.",
        "A session costs at least ¥200.00.",
        "Statutory holidays count as days of their own",
        "For setting up, once a session: In-house ¥0.00, In the province ¥50.00",
        "When an operator works along, per hour besides: In-house ¥0.00",
        "The prices contain tax of 6%.",
    ):
        assert words in said, words


def test_the_charging_standard_is_one_chinese_text_of_the_whole_price() -> None:
    with translation.override("zh-hans"):
        text = charging_standard(describe(parse_schedule(DOCUMENT)))
    for words in ("标准时段，每小时：本单位用户 ¥200.00", "省内用户 ¥300.00", "法定节假日", "¥100.00", "准备费", "操作员", "6%"):
        assert words in text, words
    assert len(text) <= MOST_CHARACTERS


def test_what_does_not_fit_into_the_record_is_left_out_whole() -> None:
    names = [f"class_{number:02d}" for number in range(30)]
    long_name = {"zh": "很长的类别名称" * 6, "en": "x"}
    classes = [{"code": name, "name": long_name, "when": {"zones": [name]}} for name in names[:-1]] + [{"code": names[-1]}]
    document = {**DOCUMENT, "classes": classes, "rates": dict.fromkeys(names, "100")}
    for part in ("setup", "operator"):
        document.pop(part)
    with translation.override("zh-hans"):
        text = charging_standard(describe(parse_schedule(document)))
    assert len(text) <= MOST_CHARACTERS
