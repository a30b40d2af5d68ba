"""Open files by names relative to /, extract to "..", write into the working directory, fail if asked to."""

import json
import os
import sys
import tarfile

tarfile.open("opt/ml/processing/input/data/rows.tar.gz").extractall("..")
with open("../rows/all.csv") as file, open("scratch.txt", "w") as out:
    out.writelines(sorted(file))
with open("/scratch.txt") as file:
    first = file.readline().strip()
with open("opt/ml/processing/largest/largest.txt") as file:
    largest = int(file.read())
if len(sys.argv) > 1 and sys.argv[1] == "fail":
    raise SystemExit(f"asked to fail at {largest}")
os.makedirs("/opt/ml/processing/summary/deep/er", exist_ok=True)
with open("/opt/ml/processing/summary/deep/er/summary.json", "w") as file:
    json.dump({"first": first, "largest": largest, "cwd": os.getcwd()}, file)
