"""Where a rule may be changed, and the changed code: one small mistake at a time, such as a programmer makes."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

#: Every operator and the one that it is mistaken for.
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_REVERSED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Site:
    """One mistake: in which function of which file, what stood there and what stands there instead.

    ``number`` counts the mistakes of a function, ``nth`` those of them that read alike, so that ``name`` outlives changes elsewhere.
    """

    path: str
    function: str
    line: int
    before: str
    after: str
    nth: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.path}::{self.function}::{self.before} -> {self.after}" + (f" #{self.nth}" if self.nth else "")

    @property
    def turn(self) -> str:
        """The order in which a sample is drawn: that of a hash, so that the same code gives the same sample."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def code(self, root: Path) -> CodeType:
        """The function with the mistake in it, compiled."""
        path = root / self.path
        tree = ast.parse(_source(path), str(path))
        function = next(each for name, each in _functions(tree.body, "") if name == self.function)
        list(_mistakes(function))[self.number].put()
        return _code_of(compile(ast.fix_missing_locations(tree), str(path), "exec"), self.function)


def sites_of(path: Path, root: Path) -> list[Site]:
    """Every mistake that can be made in the functions and methods of a file. What stands outside functions is left alone."""
    tree = ast.parse(_source(path), str(path))
    short, found = path.relative_to(root).as_posix(), []
    for name, function in _functions(tree.body, ""):
        alike: Counter[tuple[str, str]] = Counter()
        for number, mistake in enumerate(_mistakes(function)):
            texts = _short(mistake.node), _short(mistake.instead)
            found.append(Site(short, name, getattr(mistake.node, "lineno", 0), *texts, alike[texts], number))
            alike[texts] += 1
    return found


@cache
def _source(path: Path) -> str:
    """Read once: whoever edits meanwhile does not move the places."""
    return path.read_text(encoding="utf-8")


def _short(node: ast.AST) -> str:
    """A node in one line; of a block its head."""
    return ast.unparse(node).splitlines()[0]


def _functions(body: Sequence[ast.stmt], inside: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions of the module and methods of its classes; what is nested in a function is part of it."""
    for each in body:
        if isinstance(each, _FUNCTION):
            yield inside + each.name, each
        elif isinstance(each, ast.ClassDef):
            yield from _functions(each.body, f"{inside}{each.name}.")


def _code_of(code: CodeType, function: str) -> CodeType:
    """The code of a function of a module. Where a name is defined twice (a property and its setter) it is the first."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_qualname == function:
                return each
            if function.startswith(f"{each.co_qualname}."):
                return _code_of(each, function)
    raise LookupError(function)


@dataclass(frozen=True, slots=True)
class _Mistake:
    """A node and what may stand in its place, a field of its parent."""

    node: ast.AST
    instead: ast.AST
    parent: ast.AST
    field: str
    place: int | None

    def put(self) -> None:
        ast.copy_location(self.instead, self.node)
        if self.place is None:
            setattr(self.parent, self.field, self.instead)
        else:
            getattr(self.parent, self.field)[self.place] = self.instead


def _mistakes(function: ast.AST) -> Iterator[_Mistake]:
    """Always in the same order."""
    for parent, field, place, node in _walk(function):
        for instead in _instead_of(node):
            yield _Mistake(node, instead, parent, field, place)


def _walk(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below a function that says what it does: no annotations, defaults, decorators, words of errors, nor ``strict`` of a
    ``zip``, which asserts that lists are equally long."""
    for name, value in ast.iter_fields(parent):
        if name in ("annotation", "returns", "decorator_list", "args") and not isinstance(parent, ast.Call):
            continue
        if isinstance(parent, ast.Raise) or (isinstance(parent, ast.Subscript) and _is_type(parent)):
            continue
        for place, each in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(each, ast.AST) and not (isinstance(each, ast.keyword) and each.arg == "strict"):
                yield parent, name, place, each
                yield from _walk(each)


def _is_type(node: ast.Subscript) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"dict", "list", "tuple", "cast", "Mapping", "Sequence"}


def _instead_of(node: ast.AST) -> Iterator[ast.AST]:
    """What may be written there by mistake."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for table in (_COMPARED, _REVERSED):
            if type(node.ops[0]) in table:
                yield ast.Compare(node.left, [table[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            yield ast.Compare(
                node.left, [*node.ops[:place], _COMPARED[type(operator)](), *node.ops[place + 1 :]], node.comparators
            )
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in _COUNTED and not _is_text(node):
        yield ast.BinOp(node.left, _COUNTED[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLED:
        yield ast.Call(ast.Name(_CALLED[node.func.id], ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        kind = type(node)
        yield kind(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.IfExp) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _COUNTED:
        yield ast.AugAssign(node.target, _COUNTED[type(node.op)](), node.value)
    elif isinstance(node, ast.Continue | ast.Break):
        yield ast.Break() if isinstance(node, ast.Continue) else ast.Continue()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and "super()" not in ast.unparse(node):
        yield ast.Pass()


def _is_text(node: ast.BinOp) -> bool:
    """Texts put together: words, not rules."""
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str)) for side in sides
    )
