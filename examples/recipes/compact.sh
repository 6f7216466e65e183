#!/usr/bin/env bash
# All shipped checkpoints, from the 61,060 promoters of GEO GSE104878 (columns sequence and expression), on two cores and
# in an empty folder:
#     .../examples/recipes/compact.sh gpra_train.tsv.gz
# Given again there after a stop, it goes on with the step that was broken off.
set -euo pipefail
examples=$(dirname "$0")/..
recipes=$examples/recipes

step() { # what is there once the step is done, its command
    if [[ -e $1 ]]; then echo "$1 is there already" >&2; else "${@:2}"; fi
}
fine_tune() { # its folder, its recipe, flags
    step "$1/training_info.json" python "$examples/run_regression.py" "$recipes/$2" --output_dir "$1" "${@:3}"
}

step prepared dream-bert prepare "$1" -o prepared --keep-related
step output/mlm/training_info.json python "$examples/run_mlm.py" "$recipes/compact_mlm.yaml"
fine_tune output/conv conv.yaml

# The convolutions teach the BERT,
step taught.tsv.gz python "$examples/teach.py" --data prepared --model output/conv -n 704512 -o taught.tsv.gz
step taught dream-bert prepare taught.tsv.gz -o taught --stage regression
fine_tune output/regression compact_regression.yaml

# which goes on with the measurements, and with promoters that it labels itself.
step mixed.tsv.gz python "$examples/teach.py" --data prepared --model output/regression -n 58984 --seed 1 -o mixed.tsv.gz
step mixed dream-bert prepare mixed.tsv.gz -o mixed --stage regression
for seed in 1 2; do
    fine_tune output/measured-$seed compact_measured.yaml --seed $seed
done
fine_tune output/mixed compact_measured.yaml --data mixed --num_train_epochs 1
step output/bert python "$examples/average.py" output/measured-{1,2} output/mixed --data prepared -o output/bert
