"""Whether a job's scripts need the packages of their image."""

from __future__ import annotations

import ast
import sys
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePath

_COMMON = frozenset({"boto3", "botocore", "numpy", "scipy"})
"""Packages that the service's own environment and all images have. Scripts use what all versions share."""
_IMPORTS_OTHERS = frozenset({"importlib", "pickle", "runpy", "shelve", "subprocess"})
"""Modules by which a script imports what its import statements do not show. Pickles import what they are made of."""
_ARCHIVE = ".pyz"
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where statements have statements, or handlers and cases that have some. Expressions import nothing."""


def need_no_packages(files: Sequence[Path], has: Collection[str] = ()) -> bool:
    """Return whether files import only each other and what any environment has.

    Files are Python files, or archives of them (``.pyz``). Of no files and of others nothing is known, so they need
    packages.

    Args:
        files: The files.
        has: More modules that the service's own environment has as the image has them.
    """
    if not files or any(file.suffix not in (".py", _ARCHIVE) for file in files):
        return False
    root = min((file.parent for file in files), key=lambda folder: len(folder.parts))
    try:
        sources = [source for file in files for source in _sources(file, root)]
        imported = {name for _, content in sources for name in _imports(ast.parse(content))}
    except (OSError, SyntaxError, ValueError, zipfile.BadZipFile):
        return False
    own = {place.parts[0].removesuffix(".py") for place, _ in sources}
    return imported <= (sys.stdlib_module_names - _IMPORTS_OTHERS | _COMMON | own | {*has})


def _sources(file: Path, root: Path) -> Iterator[tuple[PurePath, bytes]]:
    """Yield the Python files in a file, each with its place in the folder or archive from which it is imported."""
    if file.suffix != _ARCHIVE:
        yield file.relative_to(root) if file.is_relative_to(root) else PurePath(file.name), file.read_bytes()
        return
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                yield PurePath(name), archive.read(name)


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the top-level names of the modules that a file imports, wherever in the file, but not for types only."""
    if isinstance(tree, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom) and tree.level == 0:
        yield (tree.module or "").partition(".")[0]
    types_only = isinstance(tree, ast.If) and ast.unparse(tree.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    for block in _BLOCKS[types_only:]:
        for statement in getattr(tree, block, ()):
            yield from _imports(statement)
