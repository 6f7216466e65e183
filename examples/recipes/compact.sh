#!/usr/bin/env bash
# All shipped checkpoints, from the 61,060 promoters of GEO GSE104878 (columns sequence and expression), on two cores and
# in an empty folder:
#     .../examples/recipes/compact.sh gpra_train.tsv.gz [--teacher DeepAtt_model.h5] [--challenge FILE] [--sequences FILE]
# Given again there after a stop, it goes on with the step that was broken off.
#
# With a teacher, DeepAtt's published weights (.h5 or .safetensors), the BERT and the convolutions learn on, from
# promoters that it labels together with the BERT, and from what it computes on the way. It is fine-tuned before: on the
# measurements, and on `--challenge`, measured promoters of the challenge's medium. `--sequences` are more promoters to
# label.
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

step prepared dream-bert prepare "$measured" -o prepared --keep-related
step output/mlm/training_info.json python "$examples/run_mlm.py" "$recipes/compact_mlm.yaml"

fine_tune output/conv conv.yaml
step taught.tsv.gz python "$examples/pseudo_label.py" --data prepared --model output/conv -n 704512 -o taught.tsv.gz
step taught dream-bert prepare taught.tsv.gz -o taught --stage regression

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

if [[ ! $teacher ]]; then exit; fi

tune() { # its name, the files of weights to start from, flags
    step "$1.safetensors" python "$examples/fine_tune_deepatt.py" "${@:2}" -o "$1.safetensors"
}
label() { # a table's name, what, flags
    step "$1.tsv.gz" python "$examples/label.py" "$2" deepatt.safetensors --model output/bert --data prepared \
        -o "$1.tsv.gz" "${@:3}"
}
for seed in 1 2; do tune deepatt-measured-$seed "$teacher" --data prepared --epochs 1 --seed $seed; done
tuned=deepatt-measured
if ((${#challenge[@]})); then
    tuned=deepatt-challenge
    step challenge dream-bert prepare "${challenge[@]}" -o challenge --stage regression
    for seed in 1 2; do
        tune $tuned-$seed deepatt-measured-{1,2}.safetensors --data challenge --units prepared --epochs 5 --seed $seed
    done
fi
tune deepatt $tuned-{1,2}.safetensors --data prepared --epochs 0

label labelled-measured measured
label labelled-invented invented -n 380000
label labelled-evolved evolved -n 120000
if [[ $sequences ]]; then label labelled-sequences "$sequences"; fi
step labelled dream-bert prepare labelled-*.tsv.gz -o labelled --stage regression
fine_tune output/bert-labelled bert_labelled.yaml
fine_tune output/conv-labelled conv_labelled.yaml
