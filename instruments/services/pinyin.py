"""How Chinese is read, in Latin letters without tones.

pypinyin is loaded when somebody asks: it holds the phrases of the whole language and takes half a second, more than most commands need it.
The serving processes share what ``config.wsgi`` loaded before they were forked.
"""

from __future__ import annotations

from functools import lru_cache


def pinyin(text: str) -> str:
    """The syllables of a text, one after the other; everything that is not Chinese as it is."""
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(text))


@lru_cache(maxsize=20_000)
def syllable(character: str) -> str:
    """The commonest reading of one character in plain letters, or nothing when it has none."""
    from pypinyin import Style, lazy_pinyin, pinyin_dict

    if ord(character) not in pinyin_dict.pinyin_dict:
        return ""
    return str(lazy_pinyin(character, style=Style.NORMAL, v_to_u=False)[0])
