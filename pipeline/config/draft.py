"""Drafts a configuration for a CSV file: which columns to use and how, with the reasons as comments."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.algorithms.table import ALGORITHMS, DEFAULT
from pipeline.config.choices import (
    LEFT_OUT,
    MAX_CATEGORIES,
    MIN_FREQUENCY,
    Choice,
    choice_of,
    drafted_roles,
    log_may_help,
)
from pipeline.config.column_counts import Column
from pipeline.config.columns import MISSING_VALUES
from pipeline.config.draft_names import name_beside
from pipeline.config.models import FEWEST_FOLDS
from pipeline.config.profile import Profile, header_again, profile_again
from pipeline.config.stop_reasons import rounded_up
from pipeline.config.target import Target
from pipeline.errors import UserError
from pipeline.text import number_of, some_of

_FEWEST_ROWS = 20
_MOST_FOLDS = 5


def draft(profile: Profile, target: Target, algorithm: str = DEFAULT, folder: Path | None = None) -> str:
    """Return the text of a configuration.

    Args:
        profile: the file, which has rows.
        target: the column to predict.
        algorithm: the algorithm's name in the configuration.
        folder: the folder of the configuration, in which its pipeline's name must not be taken; by default the file's.

    Raises:
        UserError: no column can be used, or there are too few rows.
    """
    label = target.column
    choices = [choice_of(column, profile) for column in profile.columns if column.name != label.name]
    if all(choice.use == LEFT_OUT for choice in choices):
        raise UserError(f"{profile.path}: no column besides {label.name} can be used as it is")
    bad = _bad_rows(profile, target, choices)
    usable = profile.rows + profile.misfits + len(profile.repeats) - label.missing - bad
    if usable < _FEWEST_ROWS:
        raise UserError(
            f"{profile.path}: {number_of(usable, 'usable row is', 'usable rows are')} too few: "
            f"{_FEWEST_ROWS} are needed"
        )
    folds = min(_MOST_FOLDS, usable // (_FEWEST_ROWS // _MOST_FOLDS), _folds_with_all(target))
    name = name_beside(profile.path.parent if folder is None else folder, profile.path, label.name)
    lines = [*_head(profile, *name), *_training(target, algorithm), *_dataset(profile, target, choices)]
    return "\n".join([*lines, *_folds(profile, target, bad, usable + bad, folds), *_rest(target, algorithm)])


def _folds_with_all(target: Target) -> int:
    """Return the most folds of which each can have a row of every class, without the classes of one or two rows.

    Two folds train on half of the rows: too high a price for a class of which nothing can be learned.
    """
    rows = [count for count in target.classes.values() if count > FEWEST_FOLDS]
    return min(rows, default=_MOST_FOLDS)


def _of_small_classes(target: Target) -> Iterator[str]:
    """Yield a sentence about the classes with fewer rows than the usual number of folds, if there are any."""
    if few := {name: count for name, count in target.classes.items() if count < _MOST_FOLDS}:
        listed = some_of(f"{name!r} ({number_of(count, 'row')})" for name, count in few.items())
        yield f"Too few rows of a class for {_MOST_FOLDS} folds: {listed}. Merge or drop it, or get more rows?"


def _bad_rows(profile: Profile, target: Target, choices: list[Choice]) -> int:
    """Return how many rows MakeFolds would reject: with another number of fields, no valid label, or no date."""
    label = target.column
    are_labels = target.known == label.known if target.classes else label.numbers == label.known
    if are_labels and all(choice.column.is_counted for choice in choices if choice.use == "date"):
        return profile.bad
    # The values were counted before their use was known: they are judged in a second pass.
    usual = replace(target.role, decimal=profile.form.decimal, missing_values=frozenset(label.missing_texts))
    role = replace(usual, may_be_missing=True, drops_missing=True)
    return profile_again(profile, drafted_roles(profile) | {label.name: role}).bad


def _head(profile: Profile, name: str, reason: str) -> list[str]:
    return [
        f"# A draft for {profile.path.name}: {number_of(profile.rows, 'row')}, {len(profile.columns)} columns.",
        "# A comment with a question mark is a guess. docs/configuration-keys.md lists every key.",
        "",
        "pipeline:",
        *_comment([reason] if reason else [], "  "),
        f"  name: {name}",
        "",
    ]


def _training(target: Target, algorithm: str) -> list[str]:
    """Return what learns what; nothing if both are the defaults."""
    lines = [f"  algorithm: {algorithm}"] if algorithm != DEFAULT else []
    lines += [f"  problem: {target.problem}"] if target.classes else []
    return ["training:", *lines, ""] if lines else []


def _dataset(profile: Profile, target: Target, choices: list[Choice]) -> list[str]:
    by_use = {use: [each for each in choices if each.use == use] for use in ("numeric", "date", "categorical")}
    lines = ["dataset:", f"  input: {_quoted(str(profile.path))}", "  header: true"]
    lines += [f"  delimiter: {_quoted(profile.form.delimiter)}", _encoding(profile)]
    if profile.form.decimal != ".":
        lines += [f"  decimal: {_quoted(profile.form.decimal)}"]
    lines += [*_comment(target.remarks, "  "), f"  label: {_quoted(target.column.name)}"]
    if target.classes:
        rows = " and ".join(f"{count}" for count in target.classes.values()) if target.problem == "binary" else ""
        lines += [f"  classes: [{', '.join(map(_quoted, target.classes))}]{rows and f'    # {rows} rows'}"]
    elif log_may_help(target.column):
        lines += [
            "  # label_transform: log1p    # the label has a long tail of large values: try it? Compare the estimates"
        ]
    lines += _section("numeric", [f"- {_quoted(each.column.name)}{_remark(each)}" for each in by_use["numeric"]])
    lines += _section("dates", [f"{_quoted(each.column.name)}: {_dates(each)}" for each in by_use["date"]])
    lines += _section(
        "categorical", [f"{_quoted(each.column.name)}: {_values(each)}" for each in by_use["categorical"]]
    )
    return [*lines, *_missing(target.column, choices), *_left_out(choices), ""]


def _section(key: str, lines: list[str]) -> list[str]:
    return [f"  {key}:", *(f"    {line}" for line in lines)] if lines else []


def _encoding(profile: Profile) -> str:
    remark = "" if profile.form.encoding == "UTF-8" else "    # right? look at names and values with accents"
    return f"  encoding: {profile.form.encoding}{remark}"


def _dates(choice: Choice) -> str:
    parts = ", ".join(choice.parts)
    form = "" if choice.date_format is None else f", format: {_quoted(choice.date_format)}"
    return f"{{parts: [{parts}]{form}}}{_remark(choice)}"


def _values(choice: Choice) -> str:
    if choice.has_rare_values:
        limits = f"min_frequency: {MIN_FREQUENCY}, max_categories: {MAX_CATEGORIES}"
        return f"{{values: auto, other: true, {limits}}}{_remark(choice)}"
    return f"[{', '.join(map(_quoted, sorted(choice.column.counts)))}]{_remark(choice)}"


def _missing(target: Column, choices: list[Choice]) -> list[str]:
    """Return what is done about missing values: rows without a label are dropped, and features are filled."""
    treated = [(each.column, each.treatment) for each in choices if each.treatment is not None]
    if target.missing:
        treated.insert(0, (target, "drop"))
    if not treated:
        return []
    texts = {text for column, _ in treated for text in column.missing_texts}
    lines = _section(
        "missing",
        [f"{_quoted(column.name)}: {how}    # {column.missing} of {column.rows}" for column, how in treated],
    )
    if other := sorted(texts.difference(MISSING_VALUES)):
        lines += [f"  missing_values: [{', '.join(map(_quoted, [*MISSING_VALUES, *other]))}]"]
    indicators = [f"- {_quoted(each.column.name)}" for each in choices if each.has_indicator]
    return [*lines, *_section("missing_indicators", indicators)]


def _left_out(choices: list[Choice]) -> list[str]:
    """Return the columns that are left out; as comments, if one has no name by which it could be ignored."""
    left_out = [each for each in choices if each.use == LEFT_OUT]
    if all(each.column.name for each in left_out):
        return _section("ignored", [f"- {_quoted(each.column.name)}{_remark(each)}" for each in left_out])
    return [f"  # left out: {_quoted(each.column.name)}: {each.remark}" for each in left_out]


def _folds(profile: Profile, target: Target, bad: int, judged: int, folds: int) -> list[str]:
    lines = ["folds:", *_comment(_of_small_classes(target), "  "), f"  count: {folds}"]
    if bad:
        others = bad - len(profile.repeats)
        faults = [f"{header_again(profile)}."] if profile.repeats else []
        if others:
            faults.append(
                f"{number_of(others, 'row has', 'rows have')} another number of fields, a label that is not valid, or "
                "an unreadable date."
            )
        lines += [
            *_comment(
                [
                    f"{' '.join(faults)} MakeFolds writes such rows to rejected/, and does not use them. "
                    "With on_bad_rows: fail, the first would stop the pipeline."
                ],
                "  ",
            ),
            "  on_bad_rows: quarantine",
            f"  max_bad_share: {rounded_up(bad, judged)}",
        ]
    return [*lines, ""]


def _rest(target: Target, algorithm: str) -> list[str]:
    return [
        *_objective(target, algorithm),
        "selection:",
        "  # The hyperparameters with the lowest mean error; a model of all rows is then trained with them. The",
        "  # default, lowest_mse, takes the training job with the lowest error on its own fold: often a worse model.",
        "  rule: lowest_mean_mse",
        "",
        "# All other keys have defaults. A model is registered if it is better than predicting the same for every row,",
        f"# whose {_constant(target)}. quality.limit sets another limit.",
        "",
    ]


def _objective(target: Target, algorithm: str) -> list[str]:
    """Return the objective of a classification, with the others; that of a regression has one default only."""
    if not target.classes:
        return []
    default, *others = ALGORITHMS[algorithm].objectives(target.problem)
    names = [name.partition(":")[2] for name in others]
    return ["tuning:", *_comment([f"Others: {', '.join(names)}."], "  "), f"  objective: {default}", ""]


def _constant(target: Target) -> str:
    """Return the error of predicting the same for every row, in words."""
    if not target.classes:
        return f"mean squared error is {target.column.variance:.4g}"
    return f"log loss is {target.log_loss:.4g}"


def _comment(sentences: Iterable[str], indent: str) -> list[str]:
    """Return comments of at most 120 characters a line."""
    return [f"{indent}# {line}" for sentence in sentences for line in textwrap.wrap(sentence, 118 - len(indent))]


def _remark(choice: Choice) -> str:
    return f"    # {choice.remark}" if choice.remark else ""


def _quoted(text: str) -> str:
    """Return a text as YAML reads it: JSON's quotes keep numbers, ``no`` and special characters text."""
    return json.dumps(text, ensure_ascii=False)
