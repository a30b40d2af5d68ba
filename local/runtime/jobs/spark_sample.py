"""A small Spark application that loads the classes of typical applications, for the class archive."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f


def main(source: str, target: str) -> None:
    """Read, aggregate, sort, number, join and write a few rows."""
    session = SparkSession.builder.getOrCreate()
    rows = session.read.option("header", "true").option("inferSchema", "true").csv(source)
    text = session.read.text(source).withColumn("file", f.input_file_name())
    numbered = rows.withColumn("number", f.row_number().over(Window.orderBy("age")))
    totals = rows.groupBy("region").agg(f.count("*"), f.avg("charges"))
    joined = numbered.join(totals, "region").withColumn("hash", f.xxhash64("number"))
    joined.repartition(2).write.mode("overwrite").csv(f"{target}/csv")
    joined.write.mode("overwrite").partitionBy("region").csv(f"{target}/parts")
    text.select("value").write.mode("overwrite").text(f"{target}/text")
    session.sparkContext.parallelize(range(4), 2).map(lambda number: number + 1).collect()
    session.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
