"""Whether a job's scripts need the packages of their image."""

from __future__ import annotations

import ast
import os
import re
import sys
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePath

_COMMON = frozenset({"boto3", "botocore", "numpy", "scipy"})
"""Packages that the service's own environment and all images have. Scripts use what all versions share."""
_STANDARD = frozenset(name for name in sys.stdlib_module_names if not name.startswith("_") or name == "__future__")
_IMPORTS_OTHERS = frozenset(
    {
        *("importlib", "imp", "pkgutil", "runpy", "zipimport", "site", "pydoc", "unittest"),
        *("code", "bdb", "pdb", "doctest", "timeit", "trace", "profile", "cProfile"),
        *("subprocess", "pty", "pipes", "distutils", "venv", "ensurepip"),
        *("pickle", "shelve"),
    }
)
"""Modules by which a script imports what its import statements do not show. By line: they import by name, run text as
code, start programs, or read pickles, which import what they are made of."""
_NAMES_THAT_IMPORT = frozenset(
    {
        *("__import__", "eval", "exec"),
        *(name for name in dir(os) if name.startswith(("exec", "popen", "posix_spawn", "spawn", "system"))),
        *("create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell"),
        *("dictConfig", "fileConfig"),
        "allow_pickle",
    }
)
"""Names by which a script does so without these modules: of builtins, os, asyncio's loops, logging.config and numpy."""
_MAY_IMPORT = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES_THAT_IMPORT))})\b".encode())
"""Finds files that may have such a name. Few have: searching the text costs every job less than walking its tree."""
_ARCHIVE = ".pyz"
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where statements have statements, or handlers and cases that have some. No expression has an import statement."""


def need_no_packages(files: Sequence[Path], has: Collection[str] = ()) -> bool:
    """Return whether files import only each other and what any environment has.

    Files are Python files, or archives of them (``.pyz``). Of no files and of others nothing is known, so they need
    packages. So do files that may import more than their import statements show, such as those with ``exec``.

    Args:
        files: The files.
        has: More modules that the service's own environment has as the image has them.
    """
    if not files or any(file.suffix not in (".py", _ARCHIVE) for file in files):
        return False
    root = min((file.parent for file in files), key=lambda folder: len(folder.parts))
    try:
        sources = [source for file in files for source in _sources(file, root)]
        imported = {name for _, content in sources for name in _modules(content)}
    except (OSError, SyntaxError, ValueError, zipfile.BadZipFile):
        return False
    own = {place.parts[0].removesuffix(".py") for place, _ in sources}
    return imported <= (_STANDARD - _IMPORTS_OTHERS | _COMMON | own | {*has})


def _sources(file: Path, root: Path) -> Iterator[tuple[PurePath, bytes]]:
    """Yield the Python files in a file, each with its place in the folder or archive from which it is imported."""
    if file.suffix != _ARCHIVE:
        yield file.relative_to(root) if file.is_relative_to(root) else PurePath(file.name), file.read_bytes()
        return
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                yield PurePath(name), archive.read(name)


def _modules(content: bytes) -> Iterator[str]:
    """Yield the top-level names of the modules that a file imports; "" if it may import others."""
    tree = ast.parse(content)
    yield from _imports(tree)
    if _MAY_IMPORT.search(content) and not _NAMES_THAT_IMPORT.isdisjoint(_names(tree)):
        yield ""


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


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the names of variables, attributes, imported objects and arguments of calls in a file."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) | ast.keyword(arg=str(name)):
                yield name
