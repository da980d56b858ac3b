"""The project's own Python files, parsed once, for the tests beside this file."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Bottom first: an entry may use what stands before it.
LAYERS = (
    "trading",
    "common",
    "events",
    "tenants",
    "accounts",
    "approvals",
    "brokers",
    "marketdata",
    "portfolio",
    "risk",
    "oms",
    "portal",
    "config",
)
APPS = LAYERS[2:-1]


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def sources(*packages: str, migrations: bool = False) -> list[Path]:
    """The files of the packages (all layers where none is named), without tests."""
    found = [path for package in packages or LAYERS for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in found if migrations or "migrations" not in path.parts)


def where(path: Path, node: ast.AST) -> str:
    """``file:line`` as editors and people read it."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def walk(*packages: str) -> Iterator[tuple[Path, ast.AST]]:
    """Every node of every file of the packages."""
    for path in sources(*packages):
        for node in ast.walk(tree_of(path)):
            yield path, node


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a chain of attributes that begins with a name, else an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def package_of(path: Path) -> str:
    """The layer a file belongs to."""
    return path.relative_to(ROOT).parts[0]
