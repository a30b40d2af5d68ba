import csv
import glob
import json

counts = {}
for name in sorted(glob.glob("/opt/ml/processing/counts/part-*")):
    with open(name) as file:
        counts.update((word, int(number)) for word, number in csv.reader(file))
with open("/opt/ml/processing/summary/summary.csv") as file:
    summary = {name: int(number) for name, number in csv.reader(file)}
with open("/opt/ml/processing/summary/joined.csv") as file:
    joined = list(csv.DictReader(file))
letters = "".join(open(name).read() for name in glob.glob("/opt/ml/processing/summary/letters/part-*")).split()
with open("/opt/ml/processing/collected/words.json", "w") as file:
    json.dump({"counts": counts, "summary": summary, "joined": joined, "letters": letters}, file)
