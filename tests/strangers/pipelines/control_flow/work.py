"""Write down what came in; wait for a file of another step if asked to."""

import argparse
import json
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--name")
parser.add_argument("--value", default="")
args = parser.parse_args()
os.makedirs("/opt/ml/processing/out", exist_ok=True)
begin = time.time()
time.sleep(0.2)
with open("/opt/ml/processing/out/step.json", "w") as file:
    record = {"name": args.name, "value": args.value, "begin": begin, "end": time.time()}
    json.dump({"record": record, "score": len(args.name), "list": [1, {"deep key": "found"}]}, file)
