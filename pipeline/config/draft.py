"""Drafts a configuration for a CSV file: which columns to use and how, with the reasons as comments."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

import pandas as pd

from pipeline.config.column_counts import MISSING, MOST_VALUES, Column
from pipeline.config.profile import Profile, read_chunks
from pipeline.config.roles import IGNORED, Role
from pipeline.config.types import LONGEST_PIPELINE_NAME
from pipeline.errors import UserError, some_of

_MOST_MISSING = 0.2
"""The share of missing values above which a column is left out. Rows with fewer are set aside."""

_FEWEST_ROWS_A_VALUE = 5
_FEWEST_ROWS = 20
_COUNTER_NAME = re.compile(r"(^|[ _.-])(id|uuid|index|key|nr|no|number|row)$|^unnamed|^x$", re.I)


@dataclass(frozen=True)
class Choice:
    """The use of a column.

    Attributes:
        column: the column.
        use: ``numeric``, ``categorical`` or ``left out``.
        remark: the reason, or what is uncertain; may be empty.
    """

    column: Column
    use: str
    remark: str = ""


def draft(profile: Profile, label: str) -> str:
    """Return the text of a configuration.

    Args:
        profile: the file.
        label: the column to predict.

    Raises:
        UserError: there are no rows, the label is not a column of numbers, or no column can be used.
    """
    if not profile.rows:
        raise UserError(f"{profile.path}: has a header and no rows")
    target = _label(profile, label)
    choices = [choice_of(column, profile) for column in profile.columns if column is not target]
    used = [choice for choice in choices if choice.use != "left out"]
    if not used:
        raise UserError(f"{profile.path}: no column besides {label} can be used as it is")
    bad = _bad_rows(profile, target, used)
    folds = min(5, (profile.rows - bad) // (_FEWEST_ROWS // 5))
    if profile.rows - bad < _FEWEST_ROWS:
        raise UserError(f"{profile.path}: {profile.rows - bad} usable rows are too few: {_FEWEST_ROWS} are needed")
    return "\n".join(
        [*_head(profile), *_dataset(profile, label, choices), *_folds(profile, bad, folds), *_rest(target)]
    )


def choice_of(column: Column, profile: Profile) -> Choice:
    """Return the use of a column that is not the label."""
    left_out = _reason_to_leave_out(column, profile)
    if left_out:
        return Choice(column, "left out", left_out)
    missing = f"{column.missing} values are missing: their rows are set aside" if column.missing else ""
    if column.numbers == column.known:
        few = f"only {len(column.counts)} values: a category?" if 2 < len(column.counts) <= 6 else ""
        return Choice(column, "numeric", "; ".join(filter(None, [missing, few])))
    return Choice(column, "categorical", missing)


def drafted_roles(profile: Profile, label: str) -> dict[str, Role]:
    """Return the roles that a draft gives the columns.

    Args:
        profile: the file.
        label: the column to predict; empty if there is none yet.

    Raises:
        UserError: the file has no such column.
    """
    uses = {column.name: choice_of(column, profile).use for column in profile.columns}
    roles = {name: IGNORED if use == "left out" else Role(use) for name, use in uses.items()}
    return roles | {_named(profile, label).name: Role("label")} if label else roles


def _reason_to_leave_out(column: Column, profile: Profile) -> str:
    if not column.name:
        return "has no name"
    if column.missing > _MOST_MISSING * column.rows:
        return f"{column.missing / column.rows:.0%} of its values are missing"
    if len(column.counts) == 1 and not column.missing:
        return "constant"
    if column.numbers < column.known:
        return _fault_of_text(column, profile)
    return "a number of the rows" if counts_rows(column) else ""


def counts_rows(column: Column) -> bool:
    """Return whether the numbers grow from row to row, and the steps or the column's name say that they count."""
    return column.is_counter and (has_name_of_identifier(column) or _steps_of_one(column))


def has_name_of_identifier(column: Column) -> bool:
    """Return whether a column's name is usual for identifiers and row numbers."""
    return _COUNTER_NAME.search(column.name) is not None


def _fault_of_text(column: Column, profile: Profile) -> str:
    if column.decimal_commas > column.known / 2:
        return "numbers with a decimal comma: write them with a point to use them"
    if column.dates > column.known / 2:
        return "dates: make numbers of them to use them"
    if len(column.counts) > MOST_VALUES:
        return f"text with more than {MOST_VALUES} values"
    if column.known < _FEWEST_ROWS_A_VALUE * len(column.counts):
        return f"text with {len(column.counts)} values in {profile.rows} rows"
    return ""


def _steps_of_one(column: Column) -> bool:
    """Return whether a strictly increasing column has no gaps: its variance is then that of 1 to n."""
    return math.isclose(column.variance, (column.rows**2 - 1) / 12, rel_tol=1e-6)


def _named(profile: Profile, label: str) -> Column:
    named = {column.name: column for column in profile.columns}
    if label not in named:
        raise UserError(f"LABEL: {profile.path} has no column {label!r}. It has: {some_of(named)}")
    return named[label]


def _label(profile: Profile, label: str) -> Column:
    column = _named(profile, label)
    if column.decimal_commas > column.known / 2:
        raise UserError(f"LABEL: {label} has numbers with a decimal comma: write them with a point")
    if column.numbers < column.known * (1 - _MOST_MISSING):
        raise UserError(
            f"LABEL: {label} holds text ({', '.join(list(column.counts)[:5])} ...): "
            "the pipeline predicts numbers. Choose a column of numbers"
        )
    if column.variance == 0:
        raise UserError(f"LABEL: {label} has the same value in every row: there is nothing to predict")
    return column


def _bad_rows(profile: Profile, target: Column, used: list[Choice]) -> int:
    """Return how many rows MakeFolds would reject: those without a number or a known category."""
    bad = 0
    names = [column.name for column in profile.columns]
    for chunk in read_chunks(profile.path, profile.form, names):
        faulty = _not_numbers(chunk[target.name])
        for choice in used:
            texts = chunk[choice.column.name]
            faulty |= _not_numbers(texts) if choice.use == "numeric" else texts.str.lower().isin(MISSING)
        bad += int(faulty.sum())
    return bad


def _not_numbers(texts: pd.Series[str]) -> pd.Series[bool]:
    return ~pd.to_numeric(texts, errors="coerce").abs().lt(math.inf)


def _head(profile: Profile) -> list[str]:
    name = pipeline_name(profile.path.stem)
    return [
        f"# A draft for {profile.path.name}: {profile.rows} rows, {len(profile.columns)} columns.",
        "# A comment with a question mark is a guess. docs/configuration.md lists every key.",
        "",
        "pipeline:",
        f"  name: {name}",
        "",
    ]


def pipeline_name(stem: str) -> str:
    """Return a valid pipeline name that is made from a file's name."""
    words = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "table"
    return words[:LONGEST_PIPELINE_NAME].rstrip("-")


def _dataset(profile: Profile, label: str, choices: list[Choice]) -> list[str]:
    lines = ["dataset:", f"  input: {_quoted(str(profile.path))}", "  header: true"]
    lines += [f"  delimiter: {_quoted(profile.form.delimiter)}", _encoding(profile)]
    lines += [f"  label: {_quoted(label)}"]
    numeric = [choice for choice in choices if choice.use == "numeric"]
    categorical = [choice for choice in choices if choice.use == "categorical"]
    if numeric:
        lines += ["  numeric:", *(f"    - {_quoted(each.column.name)}{_remark(each)}" for each in numeric)]
    if categorical:
        lines += ["  categorical:"]
    for each in categorical:
        values = ", ".join(_quoted(value) for value in sorted(each.column.counts))
        lines += [f"    {_quoted(each.column.name)}: [{values}]{_remark(each)}"]
    left_out = [choice for choice in choices if choice.use == "left out"]
    lines += [f"  # left out: {_quoted(each.column.name)}: {each.remark}" for each in left_out]
    return [*lines, ""]


def _encoding(profile: Profile) -> str:
    remark = "" if profile.form.encoding == "UTF-8" else "    # right? look at names and values with accents"
    return f"  encoding: {profile.form.encoding}{remark}"


def _folds(profile: Profile, bad: int, folds: int) -> list[str]:
    lines = ["folds:", f"  count: {folds}"]
    if bad:
        share = math.ceil(1000 * bad / profile.rows) / 1000
        lines += [
            f"  # {bad} of {profile.rows} rows have a missing or unreadable value in a column above. They are",
            "  # written to rejected/ and not used. With on_bad_rows: fail, the first would stop the pipeline.",
            "  on_bad_rows: quarantine",
            f"  max_bad_share: {share}",
        ]
    return [*lines, ""]


def _rest(target: Column) -> list[str]:
    limit = f"{target.variance:.4g}"
    return [
        "# All other keys have defaults. A model is registered if it is better than predicting the label's mean, whose",
        f"# error is {limit}. quality.max_mse sets a lower limit.",
        "",
    ]


def _remark(choice: Choice) -> str:
    return f"    # {choice.remark}" if choice.remark else ""


def _quoted(text: str) -> str:
    """Return a text as YAML reads it: JSON's quotes keep numbers, ``no`` and special characters text."""
    return json.dumps(text, ensure_ascii=False)
