"""In which encoding a registry file is written: declared, certain by its bytes, or the most likely one with how sure we are."""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass

from charset_normalizer import from_bytes

from config.kernel.errors import Refusal

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CANDIDATES = ("gb18030", "cp932", "big5", "euc_kr", "cp1252", "mac_roman", "cp1250")
_HAN_OF = {"gb18030": "gb2312", "cp932": "shift_jis", "big5": "big5", "euc_kr": "euc_kr"}
_SAMPLE = 200_000
_SURE, _LIKELY = 0.98, 0.85


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text; ``sureness`` is declared, certain, likely or guess; ``others`` would decode as well."""

    text: str
    encoding: str
    sureness: str
    others: tuple[str, ...] = ()
    odd_bytes: int = 0


def decode(content: bytes, declared: str = "") -> Decoded:
    """The text of a file. Raises Refusal ``import.encoding_unknown``, ``import.encoding_wrong`` or ``import.encoding_none``.

    Without a declaration: a byte order mark and valid UTF-8 are certain. Else each candidate that decodes at all is judged by
    what it yields (see ``_plausibility``), and the best one is taken.
    """
    if declared:
        return _declared(content, declared)
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return Decoded(_strict(content, encoding), encoding, "certain")
    try:
        return Decoded(content.decode("utf-8"), "utf-8", "certain")
    except UnicodeDecodeError:
        pass
    guess = from_bytes(content[:_SAMPLE]).best()
    names = dict.fromkeys([*_CANDIDATES, *([guess.encoding] if guess is not None else [])])
    judged = []
    for order, name in enumerate(names):
        try:
            text = content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        judged.append((_plausibility(text[:_SAMPLE], name), -order, name))
    if not judged:
        raise Refusal.of("import.encoding_none", "encoding")
    judged.sort(reverse=True)
    score, _, name = judged[0]
    odd = sum(byte > 127 for byte in content)
    sureness = "guess" if odd < 50 or score < _LIKELY else "likely" if score < _SURE else "certain"
    return Decoded(content.decode(name), name, sureness, tuple(other for _, _, other in judged[1:4]), odd)


def _declared(content: bytes, declared: str) -> Decoded:
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        raise Refusal.of("import.encoding_unknown", "encoding", name=declared[:40]) from None
    if name == "utf-8":
        name = "utf-8-sig"
    return Decoded(_strict(content, name), declared, "declared")


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refusal.of("import.encoding_wrong", "encoding", name=encoding, line=line, position=error.start) from None
    except (LookupError, UnicodeError):
        raise Refusal.of("import.encoding_unknown", "encoding", name=encoding) from None


def _plausibility(text: str, encoding: str) -> float:
    """The share of non-ASCII characters that make sense where they stand, 0 to 1.

    In the East Asian encodings a character of the everyday set (or kana, hangul, full-width forms) makes sense. In the
    one-byte encodings a letter makes sense inside a word in its own case, a blank or a sign beside one.
    """
    good = total = 0
    everyday = _HAN_OF.get(encoding)
    for position, character in enumerate(text):
        if character.isascii():
            continue
        total += 1
        if everyday is not None:
            good += _is_everyday(character, everyday)
        else:
            good += _fits(text, position)
    return good / total if total else 0.0


def _is_everyday(character: str, encoding: str) -> bool:
    try:
        code = character.encode(encoding)
    except UnicodeEncodeError:
        return False
    if "\uff61" <= character <= "\uff9f":  # half-width kana: any byte is one in the Japanese encoding
        return False
    if encoding == "gb2312":
        return 0xA1 <= code[0] <= 0xA3 or 0xB0 <= code[0] <= 0xD7
    if encoding == "shift_jis":
        return 0x81 <= code[0] <= 0x98
    if encoding == "big5":
        return 0xA1 <= code[0] <= 0xC6
    return "\uac00" <= character <= "\ud7af"


def _fits(text: str, position: int) -> bool:
    character, before, after = text[position], text[position - 1 : position], text[position + 1 : position + 2]
    category = unicodedata.category(character)
    if category in {"Zs", "Po", "Pd", "Pi", "Pf"} or character in "\u00b0\u00b5\u00b1\u00d7\u00ae\u2122\u00a9\u00b2\u00b3":
        return True
    if category == "Ll":
        return before.isalpha() or after.isalpha()
    if category == "Lu":
        return not before.islower() and after.isalpha()
    return False
