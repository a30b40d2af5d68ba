import argparse
import json
import logging
import os
import pathlib

import tabulate
from lib.quantiles import quartiles

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

parser = argparse.ArgumentParser()
parser.add_argument("--column", type=int)
parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("/opt/ml/processing/output"))
args = parser.parse_args()

with open("/opt/ml/config/processingjobconfig.json") as file:
    config = json.load(file)
logger.info("arguments %s", config["AppSpecification"]["ContainerArguments"])
values = []
for path in sorted(pathlib.Path("/opt/ml/processing/input/raw").rglob("*.tsv")):
    values += [float(line.split("\t")[args.column]) for line in path.read_text().splitlines()]
args.out.mkdir(parents=True, exist_ok=True)
(args.out / "summary.json").write_text(json.dumps({"rows": len(values), "quartiles": quartiles(values)}))
(args.out / "summary.txt").write_text(tabulate.tabulate([["rows", len(values)], ["mode", os.environ["MODE"]]]))
