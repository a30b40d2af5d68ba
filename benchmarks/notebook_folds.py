"""The notebook's method of making folds, which make_folds.py replaces, for comparison.

Rows are numbered by a window over the whole dataset, which is one partition; each of the ten datasets that are
written reads the input and numbers its rows again. As in the notebook, folds follow the order of the input, and
the first has a row less than the others while the last rows may be in none.

Run: ``python -m benchmarks.notebook_folds <input> <output>``, URIs.
"""

from __future__ import annotations

import sys
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as f

FOLDS = 5
_CSV: dict[str, Any] = {"header": "false", "delimiter": ",", "encoding": "ISO-8859-1"}


def main(source: str, target: str) -> None:
    """Write ``vc1`` to ``vc5``."""
    spark = SparkSession.builder.appName("notebook").getOrCreate()
    rows = spark.read.format("csv").options(**_CSV).load(source)
    rows = rows.withColumn("order", f.monotonically_increasing_id())
    rows = rows.withColumn("index", f.row_number().over(Window.orderBy("order")))
    size = int(rows.count() / FOLDS)
    tests = [_between(rows, fold * size, (fold + 1) * size, last=fold == FOLDS - 1) for fold in range(FOLDS)]
    for fold, test in enumerate(tests):
        train = reduce(DataFrame.union, [other for other in tests if other is not test])
        _write(train, f"{target}/vc{fold + 1}/train")
        _write(test, f"{target}/vc{fold + 1}/test")
    spark.stop()


def _between(rows: DataFrame, start: int, end: int, *, last: bool) -> DataFrame:
    index = f.col("index")
    return rows.filter((index >= start) & (index <= end if last else index < end)).drop("order", "index")


def _write(rows: DataFrame, folder: str) -> None:
    rows.write.format("csv").options(**_CSV).mode("overwrite").save(folder)
    spark = rows.sparkSession.sparkContext
    marker = spark._jvm.org.apache.hadoop.fs.Path(f"{folder}/_SUCCESS")
    marker.getFileSystem(spark._jsc.hadoopConfiguration()).delete(marker, False)


if __name__ == "__main__":
    main(*sys.argv[1:])
