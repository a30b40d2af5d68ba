"""The options of make_folds.py: its command line, and the JSON document that it names."""

from __future__ import annotations

import argparse
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from folds.columns import Declared, Format
from folds.errors import FoldError
from folds.preparation import DROP, LOG1P, MEDIAN, MISSING_VALUES, MOST_FREQUENT, Dates, Limits, Preparation
from folds.text import number_of, shortened

REGRESSION, BINARY, MULTICLASS = "regression", "binary", "multiclass"
FEWEST_FOLDS, MOST_FOLDS = 2, 20
_MOST_CLASSES = 1000
_AUTO = "auto"
"""Instead of a category's values: they are found in the data."""


@dataclass(frozen=True)
class Options:
    """The options of the job.

    Attributes:
        input: the URI of the files.
        output: the URI of the folder for the folds.
        data_version: the user's name of the data's version; it is only recorded.
        form: the format of the files.
        columns: the declared columns.
        folds: the number of folds.
        shuffle: whether rows go to random folds; otherwise folds follow the order of the input.
        seed: the seed of the shuffle.
        layout: ``folders`` or ``manifest``.
        all_rows: whether to make a training set of all rows too, for refitting a model.
        stratify: the number of quantiles of the label whose rows are spread evenly over the folds.
        quarantine: whether bad rows are set aside; otherwise they fail the job.
        max_bad_share: the largest share of bad rows that may be set aside, from 0 to 1.
        target_bytes: the intended size of the written files, in bytes.
        kms_key: the ARN of the key that encrypts the output in S3; None for the bucket's default.
        problem: ``regression``, ``binary`` or ``multiclass``.
    """

    input: str
    output: str
    data_version: str
    form: Format
    columns: Declared
    folds: int
    shuffle: bool
    seed: int
    layout: str
    all_rows: bool
    stratify: int | None
    quarantine: bool
    max_bad_share: float
    target_bytes: int
    kms_key: str | None
    problem: str = REGRESSION

    def __post_init__(self) -> None:
        if self.stratify is not None and self.columns.groups is not None:
            raise FoldError("groups and stratify cannot be combined: choose one of them")
        if self.stratify is not None and not self.shuffle:
            raise FoldError("stratify needs shuffled folds: set folds.shuffle to true")
        if self.stratify is not None and self.problem != REGRESSION:
            raise FoldError("folds.stratify is for regression: folds of classes are stratified by class without it")
        if not FEWEST_FOLDS <= self.folds <= MOST_FOLDS:
            raise FoldError(
                f"{number_of(self.folds, 'fold')} cannot be made: set folds.count from {FEWEST_FOLDS} to {MOST_FOLDS}"
            )
        if not 0 <= self.seed < 2**31:
            raise FoldError(f"the seed {self.seed} is not between 0 and {2**31 - 1}")
        if not 0 <= self.max_bad_share <= 1:
            raise FoldError(f"the share of bad rows {self.max_bad_share} is not between 0 and 1")


def for_fewer_folds(folds: int, otherwise: str) -> str:
    """Return the advice to lower the number of folds, or other advice if it is the lowest possible."""
    return "lower folds.count" if folds > FEWEST_FOLDS else otherwise


def read_options(arguments: list[str]) -> Options:
    """Return the options of a command line and of the document that it names.

    Raises:
        FoldError: an option is missing, is unknown or has a wrong value.
    """
    given = _parser().parse_args(arguments)
    document = _read_document(given.options)
    dataset, folds = document["dataset"], document["folds"]
    return Options(
        input=given.input,
        output=given.output or _output_of_job(given.job_config, given.output_name),
        data_version="" if given.data_version is None else given.data_version,
        form=Format(dataset["header"], dataset["delimiter"], dataset["encoding"]),
        columns=_declared(dataset, document["training"]["problem"]),
        folds=folds["count"],
        shuffle=folds["shuffle"],
        seed=folds["seed"],
        layout=folds["layout"],
        all_rows=folds["all_rows"],
        stratify=folds["stratify"],
        quarantine=folds["on_bad_rows"] == "quarantine",
        max_bad_share=folds["max_bad_share"],
        target_bytes=folds["target_file_megabytes"] * 1024**2,
        kms_key=document["aws"]["kms_key_arn"],
        problem=document["training"]["problem"],
    )


def _declared(dataset: Mapping[str, Any], problem: str) -> Declared:
    _check_classes(dataset, problem)
    listed: Mapping[str, Any] = dataset["categorical"]
    categories: dict[str, dict[str, Any]] = {
        name: {"values": each, "other": False} if isinstance(each, list) else each for name, each in listed.items()
    }
    found = {name: each for name, each in categories.items() if each["values"] == _AUTO}
    preparation = Preparation(
        decimal=dataset["decimal"],
        label_transform=dataset["label_transform"],
        dates={name: Dates(each["parts"], each["format"]) for name, each in dataset["dates"].items()},
        missing=dataset["missing"],
        missing_values=dataset["missing_values"],
        indicators=dataset["missing_indicators"],
        other=[name for name, each in categories.items() if each["other"]],
        found={name: Limits(each["min_frequency"], each["max_categories"]) for name, each in found.items()},
        classes=dataset["classes"] or (),
    )
    return Declared(
        dataset["label"],
        dataset["numeric"],
        {name: [] if name in found else each["values"] for name, each in categories.items()},
        dataset["groups"],
        preparation,
        dataset["ignored"],
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FoldError(f"{message}. See --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="make_folds", description="Split a CSV dataset into cross-validation folds.", allow_abbrev=False
    )
    add = parser.add_argument
    add("--input", required=True, help="URI of a file, folder or S3 prefix: s3://, s3a:// or file://")
    output = parser.add_mutually_exclusive_group(required=True)
    output.add_argument("--output", help="URI of the folder for the folds")
    output.add_argument("--job-config", type=Path, help="processingjobconfig.json of a SageMaker job, to write where")
    add("--output-name", default="folds", help="its output of this name goes")
    add(
        "--data-version",
        type=_version,
        help="recorded in folds.json, and with the model that is learned from the folds",
    )
    add(
        "--options",
        required=True,
        type=Path,
        help="JSON document: keys of aws, dataset, training and folds of config.yaml",
    )
    return parser


@dataclass(frozen=True)
class _Key:
    """A key of the document: the expected value as text and as a check, and the default."""

    expected: str
    fits: Callable[[Any], bool]
    default: Any = None


def _version(text: str) -> str:
    """Return a text if it is valid model metadata, so that a wrong one fails now and not after all training.

    Source: CustomerMetadataValue of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
    """
    good = all(unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@" for character in text)
    if not good or not 1 <= len(text) <= 256:
        raise argparse.ArgumentTypeError(
            f"{text!r} cannot be recorded with a model: DataVersion takes 1 to 256 letters, digits, spaces and _.:/=+-@"
        )
    return text


def _choice(*choices: str) -> _Key:
    return _Key(f"one of {', '.join(choices)}", lambda value: value in choices, choices[0])


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _has(value: Any, *keys: str) -> bool:
    """Return whether a value has these keys. pipeline/config/models.py checks what they hold."""
    return isinstance(value, dict) and value.keys() == {*keys}


def _is_category(value: Any) -> bool:
    return _are_texts(value) or _has(value, "values", "other", "min_frequency", "max_categories")


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _flag(*, default: bool) -> _Key:
    return _Key("true or false", lambda value: isinstance(value, bool), default)


_DOCUMENT = {
    "aws": {"kms_key_arn": _Key("the ARN of a key", lambda value: value is None or _is_text(value))},
    "dataset": {
        "header": _flag(default=True),
        "delimiter": _Key("text", _is_text, ","),
        "encoding": _Key("text", _is_text, "UTF-8"),
        "label": _Key("the name of a column", _is_text),
        "numeric": _Key("a list of names", _are_texts, []),
        "categorical": _Key(
            "names, each with a list of values, or with values, other, min_frequency and max_categories",
            lambda value: isinstance(value, dict) and all(map(_is_category, value.values())),
            {},
        ),
        "dates": _Key(
            "names, each with parts and format",
            lambda value: isinstance(value, dict) and all(_has(each, "parts", "format") for each in value.values()),
            {},
        ),
        "groups": _Key("the name of a column", lambda value: value is None or _is_text(value)),
        "ignored": _Key("a list of names", lambda value: value is None or _are_texts(value)),
        "decimal": _choice(".", ","),
        "classes": _Key("a list of texts", lambda value: value is None or _are_texts(value)),
        "label_transform": _Key(LOG1P, lambda value: value in (None, LOG1P)),
        "missing": _Key(
            f"names, each with {DROP}, {MEDIAN} or {MOST_FREQUENT}",
            lambda value: isinstance(value, dict) and {*value.values()} <= {DROP, MEDIAN, MOST_FREQUENT},
            {},
        ),
        "missing_values": _Key("a list of texts", _are_texts, list(MISSING_VALUES)),
        "missing_indicators": _Key("a list of names", _are_texts, []),
    },
    "training": {"problem": _choice(REGRESSION, BINARY, MULTICLASS)},
    "folds": {
        "count": _Key("a positive whole number", _is_count, 5),
        "shuffle": _flag(default=True),
        "seed": _Key("a whole number", lambda value: type(value) is int, 42),
        "layout": _choice("folders", "manifest"),
        "all_rows": _flag(default=False),
        "stratify": _Key("a positive whole number", lambda value: value is None or _is_count(value)),
        "on_bad_rows": _choice("fail", "quarantine"),
        # Read only if bad rows are set aside.
        "max_bad_share": _Key("a number", lambda value: type(value) in (int, float), 0.05),
        "target_file_megabytes": _Key("a positive whole number", _is_count, 128),
    },
}


def _read_document(file: Path) -> dict[str, dict[str, Any]]:
    """Return the document, with defaults for missing keys."""
    try:
        given = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise FoldError(f"--options {file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise FoldError(f"--options {file} is not JSON: {error}") from None
    document: dict[str, dict[str, Any]] = {name: {} for name in _DOCUMENT}
    sections: dict[str, Any] = given if isinstance(given, dict) else {"document": None}
    for section, values in sections.items():
        if section not in _DOCUMENT or not isinstance(values, dict):
            raise FoldError(f"--options {file}: {section}: the sections {', '.join(_DOCUMENT)} are expected")
        for key in values.keys() - _DOCUMENT[section].keys():
            raise FoldError(f"--options {file}: {section}.{key}: unknown key")
    for section, keys in _DOCUMENT.items():
        for name, key in keys.items():
            value = sections.get(section, {}).get(name, key.default)
            if not key.fits(value):
                raise FoldError(f"--options {file}: {section}.{name}: {shortened(value)} is not {key.expected}")
            document[section][name] = value
    _check_categories(document["dataset"]["categorical"])
    return document


def _check_classes(dataset: Mapping[str, Any], problem: str) -> None:
    """Refuse classes that do not fit the problem."""
    classes = dataset["classes"]
    if problem == REGRESSION:
        if classes is not None:
            raise FoldError("dataset.classes is for classification: set training.problem to binary or multiclass")
        return
    fits = classes is not None and (len(classes) == 2 if problem == BINARY else 2 < len(classes) <= _MOST_CLASSES)
    if not fits:
        wanted = "two values" if problem == BINARY else f"3 to {_MOST_CLASSES} values"
        raise FoldError(
            f"dataset.classes has {number_of(len(classes or ()), 'value')}: training.problem {problem} needs "
            f"{wanted} of the label, "
            "as the files have them"
        )
    if dataset["label_transform"] is not None:
        raise FoldError("dataset.label_transform is for regression: set it to null")
    _check_values("dataset.classes", classes)


def _check_categories(categories: Mapping[str, Any]) -> None:
    for name, each in categories.items():
        values = each if isinstance(each, list) else each["values"]
        if values == _AUTO:
            continue
        if not values:
            raise FoldError(f"dataset.categorical.{name}: it has no values")
        _check_values(f"dataset.categorical.{name}", values)


def _check_values(key: str, values: Sequence[str]) -> None:
    """Refuse a list of a column's values if a value is listed twice or matches no field."""
    if len(set(values)) < len(values):
        twice = next(value for value, times in Counter(values).items() if times > 1)
        raise FoldError(f"{key}: the value {twice!r} is listed twice")
    if any(value.strip() != value or not value for value in values):
        raise FoldError(f"{key}: a value is empty or has blanks around it, so no field can match it")


def _output_of_job(file: Path, name: str) -> str:
    """Return the S3 URI of an output, from the job's own configuration.

    So the place, another one in each execution, is not among the arguments, from which SageMaker Pipelines derives
    the key of the step's cache. The file holds the request of CreateProcessingJob:
    https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
    """
    try:
        config: Any = json.loads(file.read_text("utf-8"))
        outputs = {output["OutputName"]: output for output in config["ProcessingOutputConfig"]["Outputs"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FoldError(f"--job-config {file} is no configuration of a processing job: {error!r}") from None
    if name not in outputs:
        raise FoldError(f"--output-name {name!r} is no output of the job; it has {', '.join(outputs) or 'none'}")
    uri = outputs[name].get("S3Output", {}).get("S3Uri")
    if not uri:
        raise FoldError(f"the job's output {name!r} has no S3Output.S3Uri, so that there is no place to write to")
    return str(uri)
