"""The dataset: found, examined, and turned into the rows that the folds hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fold_columns import FileColumns, fields_of, from_header, shortened, without_header
from fold_errors import FoldError
from fold_grammar import DESCRIPTIONS, ROWS, Grammar, Verdict
from fold_lines import Lines, by_partition, read_lines, read_quoted, row_in_partition, sample
from fold_options import Options
from fold_survey import Survey, first_offenders, rejected_lines, take_survey, verdict_of
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

_OFFENDERS = 10


@dataclass(frozen=True)
class Table:
    """An examined dataset.

    Attributes:
        lines: its lines.
        columns: what they hold.
        header: the line that begins each file, if one does.
        blanks: what may stand around fields.
        verdict: on a line, for frames of ``lines.located()``.
        survey: how many lines there are of each verdict.
    """

    lines: Lines
    columns: FileColumns
    header: str | None
    blanks: str
    verdict: Column
    survey: Survey

    def rows(self) -> DataFrame:
        """Rows as the folds hold them.

        Returns:
            ``number`` of the row in the input, from 0, whatever the partitions are; ``line``, the label first; also
            ``label``, a number, and ``group``, a text, if groups are declared.
        """
        numbered = self._usable().select(
            "value",
            (by_partition(self.survey.first_rows(), f.spark_partition_id()) + row_in_partition()).alias("number"),
        )
        split = f.split("value", re.escape(self.lines.delimiter), -1)
        fields = numbered.select("number", "value", split.alias("fields"))
        as_read = self.columns.written_as_read and self.lines.delimiter == ","
        line = f.col("value") if as_read and not self.survey.counts[Verdict.PADDED_ROW] else self._encoded()
        declared = self.columns.declared
        group = [self._field(declared.groups).alias("group")] if declared.groups else []
        label = self._field(declared.label).cast("double").alias("label")
        return fields.select("number", line.alias("line"), label, *group)

    def rejected(self) -> DataFrame:
        """Lines that cannot be used: ``file``, ``line``, ``reason`` and ``text``."""
        return rejected_lines(self.lines, self.verdict, self.survey).drop("partition")

    def refusal(self) -> str:
        """What is wrong with the dataset: counts by fault, and the first lines that have one."""
        rejected = self.survey.rejected
        bad = sum(rejected.values())
        counts = ", ".join(f"{count} {DESCRIPTIONS[fault]}" for fault, count in rejected.items())
        first = first_offenders(self.lines, self.verdict, self.survey, self.columns, _OFFENDERS)
        return "\n  ".join([f"{bad} of {bad + self.survey.rows} rows cannot be used: {counts}. The first:", *first])

    def _usable(self) -> DataFrame:
        if self.survey.rejected:
            return self.lines.located().where(self.verdict.isin(*map(int, ROWS)))
        frame = self.lines.frame
        # Without rejected lines, it costs far less to tell the headers and blank lines than to judge lines again.
        if self.survey.counts[Verdict.HEADER]:
            frame = frame.where(f.col("value") != self.header)
        if self.survey.counts[Verdict.BLANK]:
            frame = frame.where(f.trim("value") != "")
        return frame

    def _encoded(self) -> Column:
        declared = self.columns.declared
        numbers = [self._field(name) for name in declared.numbers]
        return f.concat_ws(",", *numbers, *(self._one_hot(name) for name in declared.categorical))

    def _one_hot(self, name: str) -> Column:
        values = self.columns.declared.categorical[name]
        codes = [",".join("1" if value == other else "0" for other in values) for value in values]
        encoded = f
        for value, code in zip(values, codes, strict=True):
            encoded = encoded.when(self._field(name) == value, code)
        return encoded

    def _field(self, name: str) -> Column:
        return f.btrim(f.col("fields")[self.columns.position(name)], f.lit(self.blanks))


def examine(spark: SparkSession, path: str, sizes: Mapping[str, int], options: Options, tasks: int | None) -> Table:
    """Read the dataset once, or twice if fields are quoted, to judge and count its lines.

    Args:
        spark: the session.
        path: the files.
        sizes: their sizes in bytes, by URI.
        options: what is to be made of them.
        tasks: how many tasks should read them, or None.

    Raises:
        FoldError: the dataset is empty, or its headers are not as declared.
    """
    form, declared = options.form, options.columns
    lines = read_lines(spark, path, form, tasks)
    first = sample(lines)
    if not first:
        raise FoldError(f"{options.input} holds no rows: its {len(sizes)} files are empty")
    header = first[0] if form.header else None
    columns = from_header(declared, first[0], form.delimiter) if form.header else without_header(declared)
    table = _judged(lines, columns, header, first, sizes)
    _check_headers(table)
    counts = table.survey.counts
    if counts[Verdict.QUOTED] or counts[Verdict.QUOTED_ACROSS_LINES]:
        across = counts[Verdict.QUOTED_ACROSS_LINES] > 0
        lines = read_quoted(spark, path, form, columns.names, tasks, across_lines=across)
        table = _judged(lines, columns, None, sample(lines), sizes)
    return table


def check(table: Table, options: Options) -> None:
    """Refuse a dataset with more rejected lines than the options allow.

    Raises:
        FoldError: with counts by fault and the first lines that have one.
    """
    rows, bad = table.survey.rows, sum(table.survey.rejected.values())
    if bad and not options.quarantine:
        remedy = "Mend or remove them, or set folds.on_bad_rows to quarantine"
        raise FoldError(f"{table.refusal()}\n  {_hint(table, options) or remedy}")
    if bad > options.max_bad_share * (rows + bad):
        share = f"That is {bad / (rows + bad):.3%} of the rows, and {options.max_bad_share:.3%} may be set aside"
        raise FoldError(f"{table.refusal()}\n  {share}: folds.max_bad_share")


def _judged(
    lines: Lines, columns: FileColumns, header: str | None, first: Sequence[str], sizes: Mapping[str, int]
) -> Table:
    grammar = Grammar(columns, lines.delimiter, quotes=lines.parsed)
    rows = [line for line in first if line != header]
    verdict = verdict_of(lines, grammar, rows, header)
    survey = take_survey(lines, verdict, sizes, rows)
    return Table(lines, columns, header, grammar.blanks, verdict, survey)


def _check_headers(table: Table) -> None:
    if table.header is None:
        return
    for piece in table.survey.pieces:
        if piece.start == 0 and not piece.counts[Verdict.HEADER]:
            raise FoldError(
                f"{piece.file}: its first line is not {shortened(table.header)}, the header of another file. "
                "Every file must begin with the same header, or none with any"
            )


def _hint(table: Table, options: Options) -> str | None:
    """What the faults have in common, if it is how the files are declared."""
    if table.header is None and not options.form.header:
        frame = table.lines.frame.limit(1).collect()
        names = fields_of(frame[0]["value"], table.lines.delimiter) if frame else []
        if set(map(str.strip, names)) & set(options.columns.needed):
            return "The first line names columns: set dataset.header to true"
    return None
