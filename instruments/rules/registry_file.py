"""From the bytes of a registry file to a table of cells, with every guard against broken and hostile files.

Delimited values as spreadsheets and databases write them (RFC 4180); workbooks have a reader of their own
(``instruments.services.registry_workbook``). Anything else that is packed, binary, too big, cut off or ragged is refused with the
line where it shows.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from config.kernel.errors import Reason, Refusal

#: What may separate the cells of a list.
DELIMITERS = (",", ";", "\t", "|")
_PACKED = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"\xd0\xcf\x11\xe0": "xls", b"%PDF": "pdf"}
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1a")
_MAX_REASONS = 50
_SEPARATORS_PER_COLUMN = 100  # a cell may hold some itself
_PROGRESS_ROWS = 500
#: Is told how many rows are read, and of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still read. ``field_characters`` also bounds what an unclosed quote can swallow, ``cells`` what rows of many columns come to,
    whatever stands in them."""

    file_bytes: int = 50 * 1024 * 1024
    rows: int = 100_000
    columns: int = 500
    cells: int = 6_000_000
    field_characters: int = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the line of the file on which it ends (the header is line 1), and its cells by header."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Headers as written (blanks around them removed) and the rows that hold anything at all."""

    headers: tuple[str, ...]
    rows: tuple[Row, ...]


def silent(done: int, total: int) -> None:
    """Progress that nobody is told."""


def followed(rows: Sequence[Row], progress: Progress) -> Iterator[Row]:
    """The rows one by one, telling now and then how many are done."""
    for done, row in enumerate(rows):
        if done % _PROGRESS_ROWS == 0:
            progress(done, len(rows))
        yield row


def header_key(header: str) -> str:
    """The form under which headers are compared: NFKC, case and repeated blanks ignored."""
    return " ".join(unicodedata.normalize("NFKC", header).casefold().split())


def check_bytes(content: bytes, limits: Limits) -> None:
    """Raise Refusal ``import.file_*`` when the content cannot be a text file that we want to read."""
    if not content.strip():
        raise Refusal.of("import.file_empty", "file")
    if len(content) > limits.file_bytes:
        raise Refusal.of("import.file_too_big", "file", maximum_mb=limits.file_bytes // 1024**2)
    for magic, kind in _PACKED.items():
        if content.startswith(magic):
            raise Refusal.of("import.file_packed", "file", kind=kind)
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        if b"\0" in content:
            raise Refusal.of("import.file_binary", "file", position=content.index(b"\0"))
        head = content[:65536]
        controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head)
        if controls * 50 > len(head):  # a stray control character is mended, a stream of them is no text
            raise Refusal.of("import.file_binary", "file", position=0)


def read_table(text: str, delimiter: str, limits: Limits) -> Table:
    """The table in ``text``. Raises Refusal with every reason found (50 at most).

    Reasons: ``import.header_empty``, ``import.header_twice``, ``import.one_column`` (another separator is used),
    ``import.too_many_columns``, ``import.too_many_rows``, ``import.too_many_cells``, ``import.no_rows``, ``import.broken_quotes``,
    ``import.field_too_long``, ``import.row_length`` (a row is cut off or has a separator too many), ``import.file_binary`` (a NUL, which
    no cell may hold; in UTF-16 only the decoded text shows it).
    """
    if "\0" in text:
        raise Refusal.of("import.file_binary", "file", position=text.index("\0"))
    with closing(_records(text.lstrip("\ufeff"), delimiter, limits)) as records:  # gives the library's global limit back at once
        return _read(records, delimiter, limits)


def _read(records: Iterator[tuple[int, list[str]]], delimiter: str, limits: Limits) -> Table:
    _, header = next(records, (0, []))
    headers = tuple(cell.strip() for cell in header)
    Refusal.raise_any(header_reasons(headers, delimiter))
    rows: list[Row] = []
    reasons: list[Reason] = []
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(headers):
            params = {"line": line, "found": len(cells), "expected": len(headers)}
            reasons.append(Reason("import.row_length", params, "file"))
            if len(reasons) >= _MAX_REASONS:
                break
            continue
        if len(rows) >= limits.rows:
            raise Refusal.of("import.too_many_rows", "file", maximum=limits.rows)
        if (len(rows) + 1) * len(headers) > limits.cells:
            raise Refusal.of("import.too_many_cells", "file", maximum=limits.cells, columns=len(headers))
        rows.append(Row(line, dict(zip(headers, cells, strict=True))))
    Refusal.raise_any(reasons)
    if not rows:
        raise Refusal.of("import.no_rows", "file")
    return Table(headers, tuple(rows))


def _records(text: str, delimiter: str, limits: Limits) -> Generator[tuple[int, list[str]], None, None]:
    """The records with the line on which each ends."""
    before = csv.field_size_limit(limits.field_characters)
    reader = csv.reader(_lines(text, delimiter, limits), delimiter=delimiter, strict=True)
    started = 1
    try:
        while True:
            started = reader.line_num + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            if len(record) > limits.columns:
                raise Refusal.of("import.too_many_columns", "file", found=len(record), maximum=limits.columns)
            yield reader.line_num, record
    except csv.Error as error:
        if "field larger" in str(error):
            raise Refusal.of("import.field_too_long", "file", line=started, maximum=limits.field_characters) from None
        raise Refusal.of("import.broken_quotes", "file", line=started) from None
    finally:
        csv.field_size_limit(before)


def _lines(text: str, delimiter: str, limits: Limits) -> Iterator[str]:
    """The physical lines; one with absurdly many separators is refused before it is taken apart."""
    most = limits.columns * _SEPARATORS_PER_COLUMN
    for line in io.StringIO(text, newline=""):
        if len(line) > most and line.count(delimiter) > most:
            raise Refusal.of("import.too_many_columns", "file", found=line.count(delimiter) + 1, maximum=limits.columns)
        yield line


def header_reasons(headers: tuple[str, ...], delimiter: str) -> list[Reason]:
    """Reasons against a first line: columns without a name or with the same one, or a separator that is not the file's."""
    if len(headers) == 1:
        for other, name in ((";", "semicolon"), ("\t", "tab"), (",", "comma"), ("|", "bar")):
            if other != delimiter and other in headers[0]:
                return [Reason("import.one_column", {"separator": name}, "file")]
    reasons = [
        Reason("import.header_empty", {"column": number}, "file") for number, header in enumerate(headers, start=1) if not header
    ]
    seen: dict[str, int] = {}
    for number, header in enumerate(headers, start=1):
        key = header_key(header)
        if key and key in seen:
            params = {"header": header, "first": seen[key], "second": number}
            reasons.append(Reason("import.header_twice", params, "file"))
        seen.setdefault(key, number)
    return reasons[:_MAX_REASONS]
