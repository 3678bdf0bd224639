"""Walks the code: which functions write to the database, who calls whom, and which events they name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("portal", "audit", "orgs", "contacts")
WRITING = {
    "save",
    "create",
    "update",
    "bulk_create",
    "insert_many",
    "point_many",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "delete",
}
WRITING |= {f"a{name}" for name in WRITING}
SQL = {"execute", "executemany", "callproc"}
COPY = "copy"  # of a cursor, which takes a statement; that of a dictionary takes nothing
ON_RELATIONS = {"set", "add", "remove", "clear", "aset", "aadd", "aremove", "aclear"}
FILES = {"StreamingHttpResponse", "FileResponse"}
MODULE = "<module>"
READING = "audit/models.py"  # it names events to tell them apart, and leaves none


@dataclass
class Code:
    """Functions by “path:name”: what they refer to, which events they name, what they do."""

    refers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    actions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    writes: set[str] = field(default_factory=set)
    sends_files: set[str] = field(default_factory=set)

    def reach(self, start: str) -> set[str]:
        """The function with everything it may come to."""
        seen, todo = set(), [start]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.refers[name]
        return seen

    def callers(self) -> dict[str, set[str]]:
        """Who refers to each function."""
        found = defaultdict(set)
        for name, others in self.refers.items():
            for other in others - {name}:
                found[other].add(name)
        return found


def walk(relations: set[str], root: Path = ROOT) -> Code:
    """All modules of the product; relations are the names under which models hold many of another."""
    sources = {
        path.relative_to(root).as_posix(): path.read_text()
        for room in ROOMS
        for path in sorted((root / room).rglob("*.py"))
        if not {"migrations", "__pycache__"} & set(path.parts)
    }
    return read(sources, relations)


def read(sources: dict[str, str], relations: set[str]) -> Code:
    """The same for texts by their paths."""
    code, trees = Code(), {path: ast.parse(text) for path, text in sources.items()}
    known = {path: dict(_parts(tree)) for path, tree in trees.items()}
    for path, tree in trees.items():
        names = _names(path, tree, known)
        for name, node in known[path].items():
            _note(code, f"{path}:{name}", node, names, relations)
    return code


def _parts(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The functions, methods and tables of a module, and what it runs when it is imported."""
    rest: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield (
                node.name,
                ast.Module([part for part in node.body if not isinstance(part, ast.FunctionDef)], []),
            )
            yield from (
                (f"{node.name}.{part.name}", part) for part in node.body if isinstance(part, ast.FunctionDef)
            )
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            rest.append(node)
    yield MODULE, ast.Module(rest, [])


def _names(path: str, tree: ast.Module, known: dict[str, dict[str, ast.AST]]) -> dict[str, set[str]]:
    """What a name in this module stands for: our functions, as “path:name”, or a module's, after a dot."""
    names = defaultdict(set)
    for own in known[path]:
        _add(names, own, path, own)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                _import(names, node.module.replace(".", "/"), alias, known)
    return names


def _import(
    names: dict[str, set[str]], package: str, alias: ast.alias, known: dict[str, dict[str, ast.AST]]
) -> None:
    here = alias.asname or alias.name
    for path in (f"{package}.py", f"{package}/__init__.py"):
        for name in known.get(path, {}):
            if name.split(".")[0] == alias.name:
                names[here].add(f"{path}:{name}")
    for path in (f"{package}/{alias.name}.py", f"{package}/{alias.name}/__init__.py"):
        for name in known.get(path, {}):
            names[f"{here}.{name.split('.')[0]}"].add(f"{path}:{name}")


def _add(names: dict[str, set[str]], here: str, path: str, name: str) -> None:
    """A class stands for all that it can do; a method is also what self has under its name."""
    names[here.split(".")[0]].add(f"{path}:{name}")
    if "." in here:
        names[f"self.{here.split('.')[1]}"].add(f"{path}:{name}")


def _note(code: Code, name: str, node: ast.AST, names: dict[str, set[str]], relations: set[str]) -> None:
    asked = {id(part) for test in ast.walk(node) if isinstance(test, ast.Compare) for part in ast.walk(test)}
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and _is_write(part, relations):
            code.writes.add(name)
        text = ast.unparse(part) if isinstance(part, ast.Attribute | ast.Name) else ""
        if text in FILES:
            code.sends_files.add(name)
        if text.startswith("Action.") and id(part) not in asked and not name.startswith(READING):
            code.actions[name].add(text.removeprefix("Action."))
        code.refers[name] |= names.get(text, set())


def _is_write(call: ast.Call, relations: set[str]) -> bool:
    """Whether this is how rows are written. A dictionary's update() and a cache's delete() take a value."""
    if not isinstance(call.func, ast.Attribute):
        return False
    method, owner = call.func.attr, call.func.value
    if method in SQL:
        text = call.args[0] if call.args else None
        return not (isinstance(text, ast.Constant) and str(text.value).startswith("SELECT"))
    if method == COPY:
        return bool(call.args)
    if method in ON_RELATIONS:
        return isinstance(owner, ast.Attribute) and owner.attr in relations
    if method not in WRITING:
        return False
    takes_values = method.endswith(("create", "bulk_update", "_many"))
    return takes_values or not call.args
