"""The input as lines that Spark reads, each with its place in the files."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fold_errors import FoldError
from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import ArrayType, LongType

SAMPLE = 1000
"""Lines from which the usual form of a column is learned."""

COMPRESSED = (".gz", ".bz2", ".deflate", ".lz4", ".snappy", ".zst")
"""Ends of names by which Spark knows compressed files."""

PARSED_DELIMITER = "\x01"
"""Separates the fields of a line once CSV has been parsed: no text of a table holds it."""

_ROW_IN_PARTITION = (1 << 33) - 1
_SMALLEST_SPLIT = 16 * 1024**2
_WAVES = 2


@dataclass(frozen=True)
class Format:
    """How the files are written.

    Attributes:
        header: whether the first line of each file names the columns.
        delimiter: the character between fields.
        encoding: a character encoding in which ASCII characters are one byte, as in UTF-8 and ISO-8859-1.
    """

    header: bool
    delimiter: str
    encoding: str

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter.isalnum() or self.delimiter in '".+-_\r\n\\':
            raise FoldError(
                f"the delimiter {self.delimiter!r} cannot be used: give one character that is in no number, "
                "such as ',', ';', '|' or a tab"
            )
        try:
            one_byte = f"0{self.delimiter}".encode(self.encoding) == f"0{self.delimiter}".encode("latin-1")
        except LookupError:
            raise FoldError(f"the encoding {self.encoding!r} is not known: UTF-8 and ISO-8859-1 are usual") from None
        except UnicodeEncodeError:
            one_byte = False
        if not one_byte:
            raise FoldError(
                f"the encoding {self.encoding} is not supported, as its lines cannot be told apart by bytes: "
                f"convert the files, for example with iconv -f {self.encoding} -t UTF-8"
            )

    @property
    def is_utf8(self) -> bool:
        """Whether Spark's own strings, which are UTF-8, are the bytes of the file."""
        return codecs.lookup(self.encoding).name in ("utf-8", "ascii")


@dataclass(frozen=True)
class Lines:
    """Lines of the input.

    Attributes:
        frame: one column, ``value``, in partitions that are each a piece of one file.
        delimiter: what separates the fields of a line.
        parsed: whether the lines come from parsed CSV: the headers are gone and quotes are ordinary characters.
        tasks: how many tasks should read them, when there are many more pieces than that.
    """

    frame: DataFrame
    delimiter: str
    parsed: bool
    tasks: int | None

    def located(self) -> DataFrame:
        """The lines with their ``file``, ``partition``, ``start`` (where it begins in the file) and ``row`` in it."""
        return self.frame.select(
            "value",
            f.input_file_name().alias("file"),
            f.spark_partition_id().alias("partition"),
            f.input_file_block_start().alias("start"),
            row_in_partition().alias("row"),
        )

    def gathered(self, frame: DataFrame) -> DataFrame:
        """A frame made of these lines, read by fewer tasks if the input is many small files.

        Partition numbers and rows keep the values that they had before.
        """
        return frame if self.tasks is None else frame.coalesce(self.tasks)


def row_in_partition() -> Column:
    """The number of a row among those of its partition, from 0."""
    return f.monotonically_increasing_id().bitwiseAND(_ROW_IN_PARTITION)


def by_partition(values: Sequence[int], partition: Column) -> Column:
    """The value of a partition, from a list by number."""
    # JSON, which Spark reads once, when it plans: a list of thousands takes longer in any other form.
    return f.element_at(f.from_json(f.lit(json.dumps(values)), ArrayType(LongType())), partition + 1)


def split_size(total: int, parallelism: int, largest: int) -> int:
    """Bytes of input for one task: at most ``largest``, less if tasks would be too few for the cores."""
    return max(min(largest, math.ceil(total / (_WAVES * parallelism))), min(_SMALLEST_SPLIT, largest))


def configure(spark: SparkSession, sizes: Mapping[str, int], split: int) -> int | None:
    """Make Spark read the files in pieces of ``split`` bytes, none with parts of two files.

    Returns:
        how many tasks should share the pieces, if these are many; else None.
    """
    # An opening cost as large as a piece is what keeps Spark from packing small files together: rows are numbered
    # by their place in a file.
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(split))
    spark.conf.set("spark.sql.files.openCostInBytes", str(split))
    pieces = sum(math.ceil(size / split) for size in sizes.values())
    parallelism = spark.sparkContext.defaultParallelism
    # Only counts are exchanged between tasks, never rows: Spark's two hundred partitions, and planning anew when it
    # has seen them, take longer than the work.
    spark.conf.set("spark.sql.shuffle.partitions", str(max(1, min(pieces, parallelism))))
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    tasks = max(_WAVES * parallelism, math.ceil(2 * sum(sizes.values()) / split))
    return tasks if pieces > 2 * tasks else None


def read_lines(spark: SparkSession, path: str, form: Format, tasks: int | None) -> Lines:
    """The lines of text files, whatever they hold."""
    frame = _reader(spark).text(path)
    if not form.is_utf8:
        frame = frame.select(f.decode(f.col("value").cast("binary"), form.encoding).alias("value"))
    return Lines(frame, form.delimiter, parsed=False, tasks=tasks)


def read_quoted(  # noqa: PLR0913 - the lines' parts, and what the CSV reader needs
    spark: SparkSession, path: str, form: Format, names: Sequence[str], tasks: int | None, *, across_lines: bool
) -> Lines:
    """The records of CSV files with quoted fields, as lines without quotes.

    Args:
        spark: the session.
        path: the files.
        form: how they are written.
        names: the columns of the files.
        tasks: how many tasks should read them.
        across_lines: whether quoted fields hold line breaks. One task then reads each file from end to end.
    """
    schema = ", ".join([*(f"c{number} string" for number in range(len(names))), "malformed string"])
    # Spark would else look at the columns that a query uses only, and not see that a record has too many.
    spark.conf.set("spark.sql.csv.parser.columnPruning.enabled", "false")
    options = {
        "header": form.header,
        "sep": form.delimiter,
        "encoding": form.encoding,
        "escape": '"',
        "multiLine": across_lines,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "malformed",
    }
    records = _reader(spark).csv(path, schema=schema, **options)
    fields = [f.coalesce(f.col(f"c{number}"), f.lit("")) for number in range(len(names))]
    # A malformed record keeps its text, which has no such delimiter, and so the wrong number of fields.
    line = f.coalesce(f.col("malformed"), f.concat_ws(PARSED_DELIMITER, *fields))
    return Lines(records.select(line.alias("value")), PARSED_DELIMITER, parsed=True, tasks=tasks)


def sample(lines: Lines) -> list[str]:
    """The first lines of one of the files."""
    beginnings = lines.frame.where((f.input_file_block_start() == 0) & (f.col("value") != ""))
    return [str(row["value"]) for row in beginnings.take(SAMPLE)]


def _reader(spark: SparkSession) -> DataFrameReader:
    return spark.read.options(recursiveFileLookup=True)
