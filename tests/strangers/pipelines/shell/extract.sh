#!/bin/bash
set -euo pipefail
# Unpack beside the working directory, as many scripts do, and leave files in it.
cd "$(dirname "$0")"
tar -xzf /opt/ml/processing/input/data/rows.tar.gz -C ..
wc -l < ../rows/all.csv > lines.txt
cut -d, -f2 ../rows/all.csv | sort -n | tail -1 > /opt/ml/processing/output/largest.txt
cp lines.txt /opt/ml/processing/output/
echo "$# arguments: $*" | tee /opt/ml/processing/output/arguments.txt
