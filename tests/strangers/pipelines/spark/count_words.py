"""Count and join with RDDs and DataFrames, by s3a:// and s3://, and write a summary into the container."""

import argparse
import csv
import json
import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import avg, col

parser = argparse.ArgumentParser()
parser.add_argument("--s3_input_bucket", type=str)
parser.add_argument("--s3_input_key_prefix", type=str)
parser.add_argument("--s3_output_bucket", type=str)
parser.add_argument("--s3_output_key_prefix", type=str)
args = parser.parse_args()

spark = SparkSession.builder.appName("PySparkApp").getOrCreate()
spark.sparkContext._jsc.hadoopConfiguration().set(
    "mapred.output.committer.class", "org.apache.hadoop.mapred.FileOutputCommitter"
)
source = f"s3a://{args.s3_input_bucket}/{args.s3_input_key_prefix}"
target = f"s3a://{args.s3_output_bucket}/{args.s3_output_key_prefix}"

lines = spark.sparkContext.textFile(f"{source}/texts")
counts = lines.flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).sortByKey()
counts.map(lambda pair: f"{pair[0]},{pair[1]}").saveAsTextFile(f"{target}/counts")

scores = spark.read.csv(f"{source}/scores.csv", header=True, inferSchema=True)
means = scores.filter(col("score").isNotNull()).groupBy("word").agg(avg("score").alias("mean"))
joined = means.join(counts.toDF(["word", "count"]), "word")
joined.repartition(2).write.mode("overwrite").parquet(f"{target}/joined")

joined.toPandas().sort_values("word").to_csv("/opt/ml/processing/summary/joined.csv", index=False)
spark.sparkContext.parallelize(["a", "b"], 1).saveAsTextFile("file:///opt/ml/processing/summary/letters")
with open("/opt/ml/processing/input/config/limits.json") as file:
    limit = json.load(file)["limit"]
with open("/opt/ml/processing/summary/summary.csv", "w", newline="") as file:
    csv.writer(file).writerows([["lines", lines.count()], ["over", counts.filter(lambda c: c[1] > limit).count()]])
print("python", sys.version_info[:2], os.getcwd())
