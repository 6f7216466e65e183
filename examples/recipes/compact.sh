#!/usr/bin/env bash
# All shipped checkpoints, from the 61,060 promoters of GEO GSE104878 (columns sequence and expression), on two cores and
# in an empty folder:
#     .../examples/recipes/compact.sh gpra_train.tsv.gz [--teacher DeepAtt_model.h5] [--challenge FILE] [--sequences FILE]
# Given again there after a stop, it goes on with the step that was broken off.
#
# With a teacher, DeepAtt's published weights (.h5 or .safetensors), the convolutions learn from promoters that it
# labels, fine-tuned on the measurements, and so does the BERT. `--challenge` are measured promoters of the challenge's
# medium, for the teacher to be fine-tuned on last; `--sequences` are more promoters for it to label.
set -euo pipefail
examples=$(dirname "$0")/..
recipes=$examples/recipes
measured=$1 teacher="" sequences="" challenge=()
shift
while (($#)); do
    case $1 in
        --teacher) teacher=$2 ;;
        --challenge) challenge+=("$2") ;;
        --sequences) sequences=$2 ;;
        *) echo "$1 is no option of compact.sh; give --teacher, --challenge or --sequences" >&2; exit 2 ;;
    esac
    shift 2
done

step() { # what is there once the step is done, its command
    if [[ -e $1 ]]; then echo "$1 is there already" >&2; else "${@:2}"; fi
}
fine_tune() { # its folder, its recipe, flags
    step "$1/training_info.json" python "$examples/run_regression.py" "$recipes/$2" --output_dir "$1" "${@:3}"
}

label() { # what, a table's name, flags
    step "$2.tsv.gz" python "$examples/label.py" "$1" "$labelling"-{1,2}.safetensors --data prepared -o "$2.tsv.gz" "${@:3}"
}

step prepared dream-bert prepare "$measured" -o prepared --keep-related
step output/mlm/training_info.json python "$examples/run_mlm.py" "$recipes/compact_mlm.yaml"

if [[ $teacher ]]; then
    # The teacher, fine-tuned, labels promoters, from which the convolutions learn.
    for seed in 1 2; do
        step deepatt-$seed.safetensors python "$examples/fine_tune_deepatt.py" "$teacher" --data prepared --epochs 1 \
            --seed $seed -o deepatt-$seed.safetensors
    done
    labelling=deepatt
    if ((${#challenge[@]})); then
        labelling=deepatt-challenge
        step challenge dream-bert prepare "${challenge[@]}" -o challenge --stage regression
        for seed in 1 2; do
            step $labelling-$seed.safetensors python "$examples/fine_tune_deepatt.py" deepatt-$seed.safetensors \
                --data challenge --units prepared --epochs 5 --seed $seed -o $labelling-$seed.safetensors
        done
    fi
    label measured labelled-0
    label evolved labelled-1 -n 144000
    for seed in 2 3 4 5; do label invented labelled-$seed -n 200000 --seed $seed; done
    if [[ $sequences ]]; then label "$sequences" labelled-6; fi
    step taught dream-bert prepare labelled-*.tsv.gz -o taught --stage regression
    fine_tune output/conv conv_labelled.yaml
else
    fine_tune output/conv conv.yaml
    step taught.tsv.gz python "$examples/pseudo_label.py" --data prepared --model output/conv -n 704512 -o taught.tsv.gz
    step taught dream-bert prepare taught.tsv.gz -o taught --stage regression
fi

# The convolutions teach the BERT,
fine_tune output/regression compact_regression.yaml

# which goes on with the measurements, and with promoters that it labels itself.
step mixed.tsv.gz python "$examples/pseudo_label.py" --data prepared --model output/regression -n 58984 --seed 1 -o mixed.tsv.gz
step mixed dream-bert prepare mixed.tsv.gz -o mixed --stage regression
for seed in 1 2; do
    fine_tune output/measured-$seed compact_measured.yaml --seed $seed
done
fine_tune output/mixed compact_measured.yaml --data mixed --num_train_epochs 1
step output/bert python "$examples/average.py" output/measured-{1,2} output/mixed --data prepared -o output/bert
