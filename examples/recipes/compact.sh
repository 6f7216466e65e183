#!/usr/bin/env bash
# All shipped checkpoints, from the 61,060 promoters of GEO GSE104878 (columns sequence and expression) on two cores:
#     examples/recipes/compact.sh gpra_train.tsv.gz
set -euo pipefail
examples=$(dirname "$0")/..
recipes=$examples/recipes

dream-bert prepare "$1" -o prepared --keep-related
python "$examples/run_mlm.py" "$recipes/compact_mlm.yaml"
python "$examples/run_regression.py" "$recipes/conv.yaml"

# The convolutions teach the BERT,
python "$examples/teach.py" --data prepared --model output/conv -n 704512 -o taught.tsv.gz
dream-bert prepare taught.tsv.gz -o taught --stage regression
python "$examples/run_regression.py" "$recipes/compact_regression.yaml"

# which goes on with the measurements, and with promoters that it labels itself.
python "$examples/teach.py" --data prepared --model output/regression -n 58984 --seed 1 -o mixed.tsv.gz
dream-bert prepare mixed.tsv.gz -o mixed --stage regression
for seed in 1 3; do
    python "$examples/run_regression.py" "$recipes/compact_measured.yaml" --seed $seed --output_dir output/measured-$seed
done
for seed in 1 2 3; do
    python "$examples/run_regression.py" "$recipes/compact_measured.yaml" --data mixed --num_train_epochs 1 \
        --seed $seed --output_dir output/mixed-$seed
done
python "$examples/average.py" output/measured-{1,3} output/mixed-{1,2,3} --data prepared -o output/bert
