"""Whether a job's scripts need the packages of their image."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_COMMON = frozenset({"boto3", "botocore", "numpy", "scipy"})
"""Packages that the service's own environment and all images have. Scripts use what all versions share."""
_STARTS_OTHERS = frozenset({"importlib", "runpy", "subprocess"})
"""Modules by which a script runs code that its import statements do not show."""


def need_no_packages(files: Sequence[Path]) -> bool:
    """Return whether all files are Python files that import only each other and what any environment has.

    Of no files, nothing is known. So they need packages.
    """
    if not files:
        return False
    root = min((file.parent for file in files), key=lambda folder: len(folder.parts))
    own = {Path(file.relative_to(root).parts[0]).stem for file in files if file.is_relative_to(root)}
    fit = sys.stdlib_module_names - _STARTS_OTHERS | _COMMON | own
    return all(file.suffix == ".py" and _imports_only(file, fit) for file in files)


def _imports_only(file: Path, fit: frozenset[str]) -> bool:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    return all(name in fit for name in _imports(tree))


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the top-level names of the modules that a file imports, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]
