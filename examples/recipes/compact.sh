#!/usr/bin/env bash
# All shipped checkpoints, from the 61,060 promoters of GEO GSE104878 (columns sequence and expression) on two cores:
#     examples/recipes/compact.sh gpra_train.tsv.gz
set -euo pipefail
examples=$(dirname "$0")/..

dream-bert prepare "$1" -o prepared --keep-related
python "$examples/run_mlm.py" "$examples/recipes/compact_mlm.yaml"
python "$examples/run_regression.py" "$examples/recipes/conv.yaml"
python "$examples/teach.py" --data prepared --model output/conv -n 704512 -o taught.tsv.gz
dream-bert prepare taught.tsv.gz -o taught --stage regression
python "$examples/run_regression.py" "$examples/recipes/compact_regression.yaml"
