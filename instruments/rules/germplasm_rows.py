"""Germplasm files: which column means what, and what each row says.

MCPD v2.1 with its own headers, extracts of genebanks with headers of theirs (``mcpd.ALIASES``), and Darwin Core for livestock and
strains; the number's column tells which it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_file import Progress, Row, Table, followed, header_key, silent
from instruments.rules.resource_rows import ResourceRow, kept_columns, row_hash
from instruments.rules.resource_values import clean_core, clean_part, germplasm_name, germplasm_number
from instruments.rules.standards import darwin_core, mcpd

_LONGEST_KEY = 190


@dataclass(frozen=True, slots=True)
class GermplasmColumns:
    """The standard of a file and the descriptor that each header means."""

    standard: str
    meanings: Mapping[str, str]


#: The descriptors of both standards.
FIELDS = tuple(dict.fromkeys((*mcpd.DESCRIPTORS, *darwin_core.TERMS)))


def known_headers() -> frozenset[str]:
    """The keys of all headers that mean something in a germplasm file."""
    return frozenset(header_key(name) for name in (*mcpd.DESCRIPTORS, *mcpd.ALIASES, *darwin_core.TERMS))


def columns_of(headers: tuple[str, ...]) -> GermplasmColumns:
    """Raises Refusal ``import.number_column_missing`` when no column holds the accession's number."""
    if "catalogNumber" in headers:
        return GermplasmColumns("dwc", {header: header for header in headers if header in darwin_core.TERMS})
    meanings = mcpd.columns_of(headers)
    if "ACCENUMB" not in meanings.values():
        raise Refusal.of("import.number_column_missing", "file", known="ACCENUMB, IG, catalogNumber")
    return GermplasmColumns("mcpd", meanings)


def together(fields: Collection[str]) -> str:
    """The standard whose descriptors a mapping fills.

    Raises Refusal ``import.number_column_missing``, ``import.descriptor_of_another`` for descriptors of the two standards side by side.
    """
    if "catalogNumber" not in fields and "ACCENUMB" not in fields:
        raise Refusal.of("import.number_column_missing", "file", known="ACCENUMB, catalogNumber")
    standard, known = ("dwc", darwin_core.TERMS) if "catalogNumber" in fields else ("mcpd", mcpd.DESCRIPTORS)
    foreign = sorted(name for name in fields if name not in known)
    Refusal.raise_any([Reason("import.descriptor_of_another", {"name": name}, name) for name in foreign])
    return standard


def mapped(columns: Mapping[str, str]) -> GermplasmColumns:
    """The columns that a mapping gives (heading by descriptor). Raises as ``together``."""
    return GermplasmColumns(together(columns), {header: name for name, header in columns.items()})


def guess(headers: Sequence[str], choices: Collection[str]) -> dict[str, str]:
    """The descriptor that each heading means, as far as headings are known."""
    if "catalogNumber" in headers:
        return {header: header for header in headers if header in darwin_core.TERMS and header in choices}
    return {header: name for header, name in mcpd.columns_of(tuple(headers)).items() if name in choices}


def read_rows(
    table: Table, columns: GermplasmColumns, constants: Mapping[str, str], progress: Progress = silent
) -> list[ResourceRow]:
    """Every row; of rows with the same number the first counts. ``constants`` are descriptors for rows whose own cell is empty.

    Raises Refusal ``import.constant_unknown`` for a constant that is no descriptor.
    """
    known = mcpd.DESCRIPTORS if columns.standard == "mcpd" else darwin_core.TERMS
    unknown = [name for name in constants if name not in known]
    Refusal.raise_any([Reason("import.constant_unknown", {"text": name[:60], "known": list(known)}, "set") for name in unknown])
    counting: dict[str, ResourceRow] = {}
    rows = []
    for record in followed(table.rows, progress):
        row = _read(record, columns, constants)
        if row.counts:
            first = counting.setdefault(row.key, row)
            if first is not row:
                row = replace(row, same_as_line=first.line, left_out=_repeated(first, row))
        rows.append(row)
    return rows


def _read(record: Row, columns: GermplasmColumns, constants: Mapping[str, str]) -> ResourceRow:
    given = {meaning: record.cells[header] for header, meaning in columns.meanings.items()}
    given |= {name: text for name, text in constants.items() if not given.get(name, "").strip()}
    part = clean_part("germplasm", {"standard": columns.standard, "descriptors": given})
    descriptors = part.values["descriptors"]
    number = germplasm_number(columns.standard, descriptors)
    core = clean_core({"name": germplasm_name(columns.standard, descriptors), "inner_id": number})
    return ResourceRow(
        line=record.line,
        key=_key(columns.standard, descriptors, number),
        name=core.values.get("name", ""),
        number=number,
        core=core.values,
        part=part.values,
        extra=kept_columns(record.cells, columns.meanings),
        reasons=(*part.reasons, *(core.reasons if number else ())),
    )


def _key(standard: str, descriptors: Mapping[str, str], number: str) -> str:
    """Holding institute, number and genus name an accession (MCPD); a key that is too long becomes its fingerprint."""
    names = ("INSTCODE", "GENUS") if standard == "mcpd" else ("institutionCode", "collectionCode")
    key = f"no:{number}:" + ":".join(descriptors.get(name, "") for name in names)
    return key if len(key) <= _LONGEST_KEY else f"no:{row_hash([key])}"


def _repeated(first: ResourceRow, row: ResourceRow) -> Reason:
    """What to say of a second row with the number of the first."""
    one, other = first.part["descriptors"], row.part["descriptors"]
    differs = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    code = "import.repeated_differs" if differs else "import.repeated_same"
    return Reason(code, {"counting_line": first.line, "fields": differs}, "inner_id")
