"""The command line of steps/make_folds.py for a configuration: the same in the pipeline and in ``make fold``."""

from __future__ import annotations

import json

from pipeline.config import Config


def fold_arguments(config: Config) -> list[str]:
    """Everything but where the input is and where the output goes."""
    dataset, folds = config.dataset, config.folds
    arguments = [
        *("--header", _flag(dataset.header)),
        *("--delimiter", dataset.delimiter),
        *("--encoding", dataset.encoding),
        *("--label", dataset.label),
    ]
    for column in dataset.numeric:
        arguments += ["--numeric", column]
    for column, values in dataset.categorical.items():
        arguments += ["--categorical", f"{column}={json.dumps(values, ensure_ascii=False)}"]
    if dataset.groups is not None:
        arguments += ["--groups", dataset.groups]
    if folds.stratify is not None:
        arguments += ["--stratify", str(folds.stratify)]
    return [
        *arguments,
        *("--folds", str(folds.count)),
        *("--shuffle", _flag(folds.shuffle)),
        *("--seed", str(folds.seed)),
        *("--layout", folds.layout),
        *("--on-bad-rows", folds.on_bad_rows),
        *("--max-bad-share", str(folds.max_bad_share)),
        *("--target-file-megabytes", str(folds.target_file_megabytes)),
    ]


def _flag(value: bool) -> str:
    return "true" if value else "false"
