"""make init DATA=file.csv LABEL=column CONFIG=new.yaml: draft a configuration for a CSV file."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click

from pipeline.algorithms.table import ALGORITHMS, DEFAULT
from pipeline.config.draft import draft
from pipeline.config.draft_names import pipeline_name
from pipeline.config.loading import load_config
from pipeline.config.profile import names_of, profile
from pipeline.config.target import target_of
from pipeline.errors import UserError
from pipeline.text import some_of
from scripts.command_line import command, option
from scripts.console import console, run

_SCHEMA = Path(__file__).resolve().parents[1] / "config.schema.json"


class _Label(click.Option):
    """The option for the column to predict. If it is missing, the error lists the columns of the file."""

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value.

        Raises:
            click.MissingParameter: there is none.
        """
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            raise click.MissingParameter(_columns_of(ctx.params.get("data")), ctx, self) from None


def _columns_of(data: Path | None) -> str:
    """Return a sentence with the columns of a file, or nothing if they cannot be read."""
    try:
        return "" if data is None else f"{data} has the columns {some_of(names_of(data))}"
    except UserError:
        return ""


@command("init")
@option(
    "--data",
    variable="DATA",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="file.csv",
    required=True,
    help="The CSV file, with a header.",
)
@option("--label", variable="LABEL", cls=_Label, metavar="column", required=True, help="The column to predict.")
@option(
    "--config",
    variable="CONFIG",
    type=click.Path(path_type=Path),
    metavar="new.yaml",
    help="The configuration to write, by default named after the CSV file.",
)
@option(
    "--algorithm",
    variable="ALGORITHM",
    type=click.Choice(list(ALGORITHMS)),
    metavar="name",
    default=DEFAULT,
    show_default=True,
    help="The algorithm that learns.",
)
def main(data: Path, label: str, config: Path | None, algorithm: str) -> int:
    """Draft a configuration for a CSV file. An existing file is never overwritten."""
    target = config or Path(f"{pipeline_name(data.stem)}.yaml")
    if target.exists():
        raise UserError(f"{target} exists already: give another CONFIG, or remove it")
    found = profile(data)
    known = target_of(found, label)
    text = _schema_line(target) + draft(found, known, algorithm, target.parent)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        unfinished.write_text(text, "utf-8")
        load_config(unfinished)
        # A link is refused if the name has been taken meanwhile; a rename would overwrite.
        os.link(unfinished, target)
    except FileExistsError:
        raise UserError(f"{target} exists already: give another CONFIG, or remove it") from None
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    for sentence in known.remarks:
        console.print(sentence, markup=False)
    console.print(
        f"Wrote {target}: look at its comments, then: make run CONFIG={shlex.quote(str(target))}", markup=False
    )
    return 0


def _schema_line(target: Path) -> str:
    """Return the comment by which editors find the schema, or nothing if the path has a space, which would end it.

    Source: https://github.com/redhat-developer/yaml-language-server#using-inlined-schema ; the path starts at the file.
    """
    path = os.path.relpath(_SCHEMA, target.parent)
    return "" if " " in path else f"# yaml-language-server: $schema={path}\n"


if __name__ == "__main__":
    run(main)
