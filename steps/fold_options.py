"""The command line of make_folds.py."""

from __future__ import annotations

import argparse
import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from fold_columns import Declared
from fold_errors import FoldError
from fold_lines import Format


@dataclass(frozen=True)
class Options:
    """What to make of what.

    Attributes:
        input: URI of the files.
        output: URI of the folder for the folds.
        kms_key: the key that encrypts what is written there in S3; without one, the bucket's default does.
        data_version: the user's name for the state of the data, only recorded.
        form: how the files are written.
        columns: what they hold.
        folds: how many folds.
        shuffle: whether rows go to random folds; else folds follow the order of the input.
        seed: of the shuffle.
        layout: ``folders`` or ``manifest``.
        stratify: into how many quantiles of the label to divide the rows, each spread evenly over the folds.
        quarantine: whether rows that cannot be used are set aside; else they end the job.
        max_bad_share: the largest share of such rows that may be set aside, from 0 to 1.
        target_bytes: the size of written files to aim at.
    """

    input: str
    output: str
    kms_key: str | None
    data_version: str
    form: Format
    columns: Declared
    folds: int
    shuffle: bool
    seed: int
    layout: str
    stratify: int | None
    quarantine: bool
    max_bad_share: float
    target_bytes: int

    def __post_init__(self) -> None:
        if self.stratify is not None and self.columns.groups is not None:
            raise FoldError("groups and stratify cannot be combined: choose one of them")
        if self.stratify is not None and not self.shuffle:
            raise FoldError("stratify needs shuffled folds: set folds.shuffle (--shuffle) to true")
        if not 2 <= self.folds <= 20:
            raise FoldError(f"{self.folds} folds cannot be made: 2 to 20 can")
        if not 0 <= self.seed < 2**31:
            raise FoldError(f"the seed {self.seed} is not between 0 and {2**31 - 1}")
        if not 0 <= self.max_bad_share <= 1:
            raise FoldError(f"the share of bad rows {self.max_bad_share} is not between 0 and 1")


def read_options(arguments: list[str]) -> Options:
    """The options that a command line gives.

    Raises:
        FoldError: an option is missing, unknown or has a value that cannot be used.
    """
    given = _parser().parse_args(arguments)
    output, kms_key = (given.output, None) if given.output else _output_of_job(given.job_config, given.output_name)
    return Options(
        input=given.input,
        output=output,
        kms_key=kms_key,
        data_version="" if given.data_version is None else given.data_version,
        form=Format(given.header, "\t" if given.delimiter == "\\t" else given.delimiter, given.encoding),
        columns=Declared(given.label, given.numeric, _categories(given.categorical), given.groups),
        folds=given.folds,
        shuffle=given.shuffle,
        seed=given.seed,
        layout=given.layout,
        stratify=given.stratify,
        quarantine=given.on_bad_rows == "quarantine",
        max_bad_share=given.max_bad_share,
        target_bytes=given.target_file_megabytes * 1024**2,
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
    add("--header", type=_flag, default=True, help="whether the first line of each file names the columns")
    add("--delimiter", default=",")
    add("--encoding", default="UTF-8")
    add("--label", required=True, help="the column to predict, which is written first")
    add("--numeric", action="append", default=[], metavar="NAME", help="a column of numbers; repeat for more")
    add(
        "--categorical",
        action="append",
        default=[],
        metavar='NAME=["V1","V2"]',
        help="a column to one-hot encode and its values in order; repeat for more columns, or more values of one",
    )
    add("--groups", metavar="NAME", help="a column whose equal values must stay in one fold")
    add("--stratify", type=_count, metavar="BINS", help="spread this many quantiles of the label evenly over folds")
    add("--folds", type=int, default=5)
    add("--shuffle", type=_flag, default=True, help="false: folds follow the order of the input")
    add("--seed", type=int, default=42)
    add("--layout", choices=("folders", "manifest"), default="folders")
    add("--on-bad-rows", choices=("fail", "quarantine"), default="fail")
    add("--max-bad-share", type=float, default=0.0, help="the largest share of rows that may be set aside")
    add("--target-file-megabytes", type=_count, default=128)
    return parser


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text == "true"


def _version(text: str) -> str:
    """A text that a model package can have among its metadata: refused now, and not after all models are trained.

    Source: CustomerMetadataValue of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
    """
    good = all(unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@" for character in text)
    if not good or not 1 <= len(text) <= 256:
        raise argparse.ArgumentTypeError(
            f"{text!r} cannot be recorded with a model: DataVersion takes 1 to 256 letters, digits, spaces and _.:/=+-@"
        )
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def _categories(given: list[str]) -> dict[str, list[str]]:
    categories: dict[str, list[str]] = {}
    for argument in given:
        name, _, text = argument.partition("=[")
        try:
            values = json.loads(f"[{text}")
        except ValueError:
            values = []
        if not values or not all(isinstance(value, str) for value in values):
            raise FoldError(f'--categorical {argument}: NAME=["value","value"] is expected')
        categories.setdefault(name, []).extend(values)
    for name, values in categories.items():
        if len(set(values)) < len(values):
            raise FoldError(f"--categorical {name}: a value stands twice among {', '.join(values)}")
        if any(value.strip() != value or not value for value in values):
            raise FoldError(f"--categorical {name}: a value is empty or has blanks around it, which are never read")
    return categories


def _output_of_job(file: Path, name: str) -> tuple[str, str | None]:
    """Where SageMaker is to upload an output, and under which key: the job reads both from its own configuration.

    So the place, another one in each execution, is not among the arguments, from which SageMaker Pipelines derives
    the key of the step's cache. The file holds the request of CreateProcessingJob:
    https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
    """
    try:
        config: Any = json.loads(file.read_text("utf-8"))["ProcessingOutputConfig"]
        outputs = {output["OutputName"]: output for output in config["Outputs"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FoldError(f"--job-config {file} is no configuration of a processing job: {error!r}") from None
    if name not in outputs:
        raise FoldError(f"--output-name {name!r} is no output of the job; it has {', '.join(outputs) or 'none'}")
    uri = outputs[name].get("S3Output", {}).get("S3Uri")
    if not uri:
        raise FoldError(f"the job's output {name!r} has no S3Output.S3Uri, so that there is no place to write to")
    return str(uri), config.get("KmsKeyId") or None
