"""Reports on the folds: folds.json, and the error about too many rejected rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from folds.columns import Declared, fields_of
from folds.counts import FoldCounts
from folds.errors import FoldError, name_under
from folds.judge import Table
from folds.number import Survey
from folds.options import Options
from folds.text import number_of, shortened
from folds.verdicts import DESCRIPTIONS, Verdict

_SMALLEST_BATCH, _LARGEST_BATCH = 16, 1000
_FEWEST_EPOCHS, _MOST_EPOCHS = 15, 100
_BATCHES_PER_EPOCH = 16
_STEPS = 1600
"""The number of optimizer steps to reach in all epochs: 16 mini-batches in each of 100 epochs."""


def check_rejected(survey: Survey, table: Table, options: Options) -> None:
    """Raise an error if more lines are rejected than the options allow.

    Raises:
        FoldError: names the first rejected line, the counts by fault, and further lines.
    """
    bad = sum(survey.rejected.values())
    if bad and not options.quarantine:
        remedy = "Mend or remove them, or set folds.on_bad_rows to quarantine"
        raise _refusal(survey, table, options.input, _hint(survey, table, options) or remedy)
    if bad > options.max_bad_share * (survey.rows + bad):
        share = f"That is {bad / (survey.rows + bad):.3%} of the rows, and {options.max_bad_share:.3%} may be set aside"
        raise _refusal(survey, table, options.input, f"{share}: folds.max_bad_share")


def report_of(  # noqa: PLR0913 - the sources of the report
    survey: Survey, table: Table, options: Options, counts: FoldCounts, *, files: int, warnings: Sequence[str]
) -> dict[str, Any]:
    """Return the content of folds.json.

    Args:
        survey: the results of counting the rows.
        table: the columns of the dataset.
        options: the options of the job.
        counts: the number of rows of each fold.
        files: the number of the input's files.
        warnings: sentences for the user about folds that are made, but may not be what the user expects.
    """
    declared, rejected, dropped = table.columns.declared, survey.rejected, survey.dropped
    return {
        "rows": survey.rows,
        "warnings": list(warnings),
        "folds": counts.report(),
        "problem": options.problem,
        "classes": list(counts.classes) or None,
        "class_rows": counts.of_classes() or None,
        "columns": {"label": declared.label, "features": declared.features},
        "feature_dim": len(declared.features),
        "encoding": {name: list(values) for name, values in declared.categorical.items()},
        "preparation": preparation_of(declared),
        "suggested": suggested_settings(survey.rows - max(counts.rows)),
        "ignored_columns": table.columns.ignored,
        "shuffle": options.shuffle,
        "seed": options.seed,
        "groups": declared.groups,
        "stratify": options.stratify,
        "layout": options.layout,
        "input": options.input,
        "input_files": files,
        "data_version": options.data_version,
        "rejected": {
            "total": sum(rejected.values()),
            "by_reason": {verdict.reason: rejected.get(verdict, 0) for verdict in DESCRIPTIONS},
        },
        "dropped": {"total": sum(dropped.values()), "by_column": dropped},
        "duplicate_rows": survey.duplicates,
        "duplicate_rows_exact": survey.compared_all,
        "blank_lines": survey.blank,
    }


def preparation_of(declared: Declared) -> dict[str, Any]:
    """Return how raw columns become features, for whoever asks the model.

    Args:
        declared: the columns, with what was learned.
    """
    preparation = declared.preparation
    return {
        "numeric": list(declared.numeric),
        "decimal": preparation.decimal,
        "dates": {
            name: {"parts": list(dates.parts), "format": dates.format} for name, dates in preparation.dates.items()
        },
        "missing_values": list(preparation.missing_values),
        "missing": {
            name: {"treatment": how, "fill": preparation.fills.get(name)} for name, how in preparation.missing.items()
        },
        "missing_indicators": list(preparation.indicators),
        "other": sorted(preparation.other),
        "label_transform": preparation.label_transform,
    }


def suggested_settings(train_rows: int) -> dict[str, int]:
    """Return linear-learner's hyperparameters that depend on the number of training rows.

    With few rows, settings for many rows make too few optimizer steps. Errors were measured against least squares:

    | data         | rows | batches of 100, 15 epochs | batches of 16, 100 epochs |
    |--------------|------|---------------------------|---------------------------|
    | penguins     | 342  | +28 %                     | +0.5 %                    |
    | Credit       | 400  | +14 %                     | -1 %                      |
    | tips         | 244  | +3 %                      | -4 %                      |

    From 107 000 rows on, the suggestions are linear-learner's own defaults: 1000 rows and 15 epochs.

    Args:
        train_rows: the smallest number of training rows of any fold, at least 1.

    Returns:
        ``mini_batch_size`` in rows, at most ``train_rows``, and ``epochs``.
    """
    wanted = min(_LARGEST_BATCH, max(_SMALLEST_BATCH, train_rows // _BATCHES_PER_EPOCH))
    mini_batch_size = min(wanted, train_rows)
    steps = train_rows // mini_batch_size
    epochs = min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, math.ceil(_STEPS / steps)))
    return {"mini_batch_size": mini_batch_size, "epochs": epochs}


def _refusal(survey: Survey, table: Table, source: str, remedy: str) -> FoldError:
    bad = sum(survey.rejected.values())
    counts = ", ".join(f"{count} {DESCRIPTIONS[verdict]}" for verdict, count in survey.rejected.items())
    first, *others = [
        f"{name_under(source, file)}, line {line.line}: {DESCRIPTIONS[line.verdict]}: "
        + shortened(table.form.encode(line.text).decode(table.form.encoding, "replace"))
        + (f" ({line.detail})" if line.detail else "")
        for file, line in survey.first_offenders()
    ]
    return FoldError(
        f"{first}. {bad} of {number_of(bad + survey.rows, 'row')} cannot be used: {counts}. {remedy}", others
    )


def _hint(survey: Survey, table: Table, options: Options) -> str | None:
    """Return what the faults have in common, if it is how the files are declared."""
    if table.header is None:
        _, first = next(survey.first_offenders())
        names = fields_of(first.text, options.form.delimiter) if first.line == 1 else []
        if set(map(str.strip, names)) & set(options.columns.needed):
            return "The first line names columns: set dataset.header to true"
    if Verdict.MISSING_VALUE in survey.rejected:
        return (
            "Say with dataset.missing how a column's missing values are treated (drop, median, most_frequent), or set "
            "folds.on_bad_rows to quarantine"
        )
    return None
