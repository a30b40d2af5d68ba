"""Compares a local input with the configuration, in less than a second, before anything else is started."""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Iterator
from pathlib import Path

from definition_language.hyperparameters import text_of
from pipeline.config.class_preflight import class_faults
from pipeline.config.columns import DatasetSection
from pipeline.config.delimited import DELIMITERS, are_numbers, first_fields_of, line_break_in, line_for_excel_in
from pipeline.config.input_file import EMPTY, UNREADABLE, UTF16, is_utf16, opened, reason
from pipeline.config.models import FEWEST_FOLDS, Config
from pipeline.errors import ConfigError
from pipeline.text import number_of, some_of

Fault = tuple[str, str]
"""The path of a key, and what is wrong with its value."""

_START = 1 << 20
_SHOWN = 12
_MOST_MISSING = 3
"""The missing columns of a key up to which each has a sentence of its own."""


def check_input(config: Config) -> None:
    """Check a local input's first megabyte. An input in S3 is not looked at.

    Raises:
        ConfigError: the file cannot be read, or is not what the configuration says.
    """
    if config.dataset.input.startswith("s3://"):
        return
    faults = [f"{key}: {sentence}" for key, sentence in _faults(Path(config.dataset.input), config)]
    if faults:
        raise ConfigError(faults)


def _faults(path: Path, config: Config) -> Iterator[Fault]:
    dataset = config.dataset
    try:
        with opened(path) as file:
            start = file.read(_START)
    except FileNotFoundError:
        yield "dataset.input", f"there is no file {str(path)!r}: give the path of a local file or an s3:// URI"
        return
    except UNREADABLE as error:
        yield "dataset.input", f"{path} cannot be read: {reason(error)}"
        return
    if (fault := _of_start(path, dataset, start)) is not None:
        yield fault
        return
    text = _decoded(start, dataset)
    form_faults = list(_form_faults(path, dataset, text))
    yield from form_faults
    if dataset.classes is not None and not form_faults:
        yield from class_faults(str(path), text, config, is_whole=len(start) < _START)
    # A row may have several lines, so there are at most as many rows as lines.
    if len(start) < _START:
        lines = sum(1 for line in text.splitlines() if line.strip()) - dataset.header
        yield from _row_faults(path, config, max(0, lines))


def _of_start(path: Path, dataset: DatasetSection, start: bytes) -> Fault | None:
    """Return why a file cannot be compared with the configuration."""
    if not start.strip():
        return "dataset.input", f"{path} {EMPTY}"
    if is_utf16(start):
        return "dataset.input", f"{path} {UTF16}"
    try:
        text = _decoded(start, dataset)
    except UnicodeDecodeError as error:
        line = start[: error.start].count(b"\n") + 1
        return "dataset.encoding", f"{path}, line {line}: is not {dataset.encoding}: for example ISO-8859-1 or cp1252?"
    if not text.lstrip("\ufeff").splitlines()[0].strip():
        return "dataset.input", f"the first line of {path} is blank: remove it from the file"
    fault = line_for_excel_in(text)
    return ("dataset.input", f"{path}: {fault}") if fault else None


def _decoded(start: bytes, dataset: DatasetSection) -> str:
    # An error at the end is of a character that is cut there.
    return codecs.getincrementaldecoder(dataset.encoding)().decode(start)


def _form_faults(path: Path, dataset: DatasetSection, text: str) -> Iterator[Fault]:
    start = text.removeprefix("\ufeff")
    raw = first_fields_of(start, dataset.delimiter)
    fields = [field.strip() for field in raw]
    needed = [dataset.label, *dataset.sources]
    found = {delimiter: len(first_fields_of(start, delimiter)) for delimiter in DELIMITERS}
    better = max(found, key=lambda delimiter: found[delimiter])
    if dataset.header and (fault := line_break_in(raw)):
        yield "dataset.input", f"{path}: {fault}"
    elif len(fields) == 1 < len(needed) and found[better] > 1:
        yield "dataset.delimiter", f"the first line of {path} has one field with {dataset.delimiter!r}: {better!r}?"
    elif dataset.header and are_numbers(fields):
        yield "dataset.header", f"the first line of {path} holds numbers and no names: set it to false?"
    elif dataset.header:
        yield from _header_faults(path, dataset, fields)
    elif len(fields) != len(needed):
        yield (
            "dataset.header",
            f"the first line of {path} has {number_of(len(fields), 'field')}, and {len(needed)} columns are "
            "declared; a file "
            "without a header has the label, then the numeric columns, the dates and the categorical columns",
        )


def _header_faults(path: Path, dataset: DatasetSection, names: list[str]) -> Iterator[Fault]:
    columns = {
        "dataset.label": [dataset.label],
        "dataset.numeric": dataset.numeric,
        "dataset.dates": list(dataset.dates),
        "dataset.categorical": list(dataset.categorical),
        "dataset.ignored": dataset.ignored or [],
        "dataset.groups": [dataset.groups] if dataset.groups is not None else [],
    }
    for key, wanted in columns.items():
        for name in wanted:
            if names.count(name) > 1:
                yield key, f"the header of {path} names the column {name!r} twice: rename one of them in the file"
        if missing := [name for name in wanted if name not in names]:
            yield from ((key, sentence) for sentence in _missing_columns(path, missing, names))
    if dataset.ignored is not None:
        used = {name for wanted in columns.values() for name in wanted}
        if unknown := [name for name in names if name not in used]:
            yield "dataset.ignored", f"{path} also has {some_of(unknown, _SHOWN)}: use or ignore each column"


def _missing_columns(path: Path, missing: list[str], names: list[str]) -> Iterator[str]:
    """Yield a sentence for each missing column; one for all if there are many."""
    has = f". It has: {some_of(names, _SHOWN)}"
    if len(missing) > _MOST_MISSING:
        yield f"the header of {path} lacks {len(missing)} columns: {some_of(map(repr, missing), _MOST_MISSING)}{has}"
        return
    folded = {other.casefold(): other for other in names}
    for name in missing:
        close = difflib.get_close_matches(name.casefold(), folded, n=1)
        hint = f"; did you mean {folded[close[0]]!r}?" if close else has
        yield f"the header of {path} has no column {name!r}{hint}"


def _row_faults(path: Path, config: Config, rows: int) -> Iterator[Fault]:
    folds = config.folds.count
    if rows < folds:
        advice = f"add rows, or lower it to {rows}" if rows >= FEWEST_FOLDS else "add rows"
        yield "folds.count", f"{folds} folds need as many rows, and {path} has {rows}: {advice}"
        return
    algorithm = config.algorithm
    name = algorithm.least_rows
    given = None if name is None else config.tuning.static_hyperparameters.get(name)
    if name is None or given is None:  # a value that is not given follows the number of rows
        return
    least, smallest = algorithm.rules(config.training.problem)[name].parse(text_of(given)), rows - -(-rows // folds)
    if least > smallest:
        yield (
            f"tuning.static_hyperparameters.{name}",
            f"{least} is more than the {smallest} rows that a fold of {path} can train on: {algorithm.title} trains on "
            "whole mini-batches only",
        )
