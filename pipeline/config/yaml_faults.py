"""Says what is wrong in a file that is no YAML, and where, in words for who wrote it; PyYAML's are for programmers."""

from __future__ import annotations

import re

import yaml

_UNFITTING = "a line that does not fit those above: indent the keys of a section alike, and close brackets and quotes"
_IN_WORDS = (
    (r"mapping values are not allowed", "an unexpected colon: put the value in quotes, or indent as the lines around"),
    (r"could not find expected ':'", "a key without a colon: write 'key: value'"),
    (r"found unexpected end of stream", "a quote that is not closed"),
    (r"found character '(.)' that cannot start", r"a value that begins with \1: put it in quotes"),
    (r"(found undefined alias|expected alphabetic)", "a value that begins with * or &: put it in quotes"),
    (r"(found unknown escape|expected escape)", r"a backslash within double quotes: use single quotes, or write \\\\"),
    (r"but found another document", "a second document: remove the line with ---"),
    (r"expected the node content", "a value or a closing bracket is missing, or a bracket is one too many"),
    (r"expected '<document start>'", "a closing bracket that is one too many"),
    (r"expected <block end>", _UNFITTING),
)
"""The beginnings of PyYAML's problems, and other words for them."""

_UNCLOSED = {
    "while parsing a flow sequence": "a list that is not closed: a ']' or a comma is missing",
    "while parsing a flow mapping": "a section that is not closed: a '}' or a comma is missing",
    "while scanning a quoted scalar": "a quote that is not closed",
}
"""By PyYAML's context, what was opened earlier than the place where its end is missed."""


def yaml_fault(error: yaml.YAMLError | ValueError, text: str) -> str:
    """Return the place and the problem: ``line 2: a tab: indent with blanks``.

    Args:
        error: the error of reading or decoding the file.
        text: the file; empty if it could not be decoded.
    """
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        return f"line {line}: a character that is not UTF-8: save the file as UTF-8"
    if isinstance(error, yaml.reader.ReaderError):
        line = text[: error.position].count("\n") + 1
        return f"line {line}: a character that YAML does not allow, U+{error.character:04X}: remove it"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"a value that looks like a date and is none: put it in quotes ({error})"
    mark, problem = error.problem_mark, error.problem or ""
    if r"'\t'" in problem:
        return f"line {mark.line + 1}: a tab: indent with blanks"
    words = next((known.expand(to) for at, to in _IN_WORDS if (known := re.match(at, problem))), problem)
    if error.context in _UNCLOSED and error.context_mark is not None and "escape" not in problem:
        mark, words = error.context_mark, _UNCLOSED[error.context]
    return f"line {mark.line + 1}, column {mark.column + 1}: {words}"
