#!/usr/bin/env bash
# Both shipped checkpoints, from the 61,060 promoters of GEO GSE104878 (columns sequence and expression) on two cores:
#     examples/recipes/compact.sh gpra_train.tsv.gz
set -euo pipefail
examples=$(dirname "$0")/..

dream-bert prepare "$1" -o prepared
python "$examples/run_mlm.py" "$examples/recipes/compact_mlm.yaml"
python "$examples/run_regression.py" "$examples/recipes/compact_regression.yaml"
