"""Names the pipeline of a draft: after its file, and after its label too if another configuration has that name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.types import LONGEST_PIPELINE_NAME

_LONGEST_SUFFIX = 16


def pipeline_name(stem: str) -> str:
    """Return a valid pipeline name that is made from a file's name. Letters lose their accents."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", stem) if not unicodedata.combining(each))
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "table"
    return words[:LONGEST_PIPELINE_NAME].rstrip("-")


def name_beside(folder: Path, data: Path, label: str) -> tuple[str, str]:
    """Return the name of a new pipeline, and a sentence with the reason if it is not simply the file's.

    Configurations of the same file and label may share a name, as those of two algorithms do: the better one is served.

    Args:
        folder: the folder of the new configuration.
        data: the input.
        label: the column to predict.
    """
    usual = pipeline_name(data.stem)
    taken = {
        name: path
        for path, name, dataset in _configurations(folder)
        if (dataset.get("input"), dataset.get("label")) != (str(data), label)
    }
    if usual not in taken:
        return usual, ""
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    name = next(name for suffix in suffixes if (name := _joined(usual, label, suffix)) not in taken)
    return name, (
        f"Not {usual}, the name of {taken[usual].name}'s pipeline: the runs of one would replace the other's endpoint."
    )


def _joined(name: str, label: str, number: str) -> str:
    end = pipeline_name(label)[:_LONGEST_SUFFIX].rstrip("-") + number
    return f"{name[: LONGEST_PIPELINE_NAME - len(end) - 1].rstrip('-')}-{end}"


def _configurations(folder: Path) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Yield the configurations in a folder, each with its pipeline's name and its section ``dataset``."""
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            document = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, yaml.YAMLError, ValueError):
            continue
        sections = document if isinstance(document, dict) else {}
        pipeline, dataset = sections.get("pipeline"), sections.get("dataset")
        if isinstance(pipeline, dict) and isinstance(dataset, dict):
            yield path, str(pipeline.get("name")), dataset
