"""Documents that carry rules of money as data: their faults, their canonical text and their fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from config.kernel.json_text import json_text

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a document: where (``$.caps[1].limit``) and what, in English for the document's author."""

    path: str
    message: str


class DocumentError(ValueError):
    """Raised when a document cannot be used; carries *every* fault found, in the order of their paths."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in self.faults))


def _is_whole_number(_checker: object, instance: object) -> bool:
    """1.0 is a float, and floats are not money: stricter than JSON Schema's own integer."""
    return isinstance(instance, int) and not isinstance(instance, bool)


_STRICT = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole_number),
)


@cache
def load_schema(path: Path) -> Validator:
    """A validator for the JSON Schema in the file ``path``, made once. Raises jsonschema.SchemaError when the schema is wrong."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator: Validator = _STRICT(schema)
    return validator


def schema_faults(validator: Validator, document: Any) -> list[Fault]:
    """Every place in ``document`` that the schema does not allow."""
    return [Fault(error.json_path, error.message) for error in validator.iter_errors(document)]


def canonical_json(value: object) -> str:
    """The one text of a JSON value: keys sorted, no spaces. Raises TypeError for floats, which have no place in it."""
    _refuse_floats(value)
    return json_text(value, sort_keys=True)


def sha256_of(value: object) -> str:
    """The SHA-256 of the canonical text of a JSON value, in hexadecimal."""
    return sha256_of_text(canonical_json(value))


def sha256_of_text(canonical: str) -> str:
    """``sha256_of`` the value with this canonical text."""
    return hashlib.sha256(canonical.encode()).hexdigest()


#: Most of what a document holds: told by its type, which is quicker than to ask what it is an instance of.
_PLAIN = frozenset({str, int, bool, type(None)})


def _refuse_floats(value: object) -> None:
    waiting = [value]
    for each in waiting:  # it grows while it is gone through
        if type(each) is dict:
            if not _PLAIN.issuperset(map(type, each.values())):
                waiting += [item for item in each.values() if type(item) not in _PLAIN]
        elif isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, float):
            raise TypeError("a float cannot be part of a document of money")
