"""Memory is bounded, whatever sizes a stranger's configuration, weights or zipped file claim."""

import gzip
import os
import shutil
import subprocess
import sys

import pytest
from hostile_files import HUGE, WEIGHTS, change, header

LIMITED = """
import resource, sys
from pathlib import Path
from dream_bert.inference.loading import load_model
from dream_bert.inference.prediction import predict
from dream_bert.inference.files import predict_file
warm, *cases = sys.argv[1:]
predict(["ACGT"], warm)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)
for case in cases:
    try:
        print(predict_file(case, "/dev/null", warm) if Path(case).is_file() else load_model(case) is not None)
    except (ValueError, OSError) as error:
        print(str(error).replace(chr(10), " "))
"""


@pytest.fixture(scope="module")
def refusals(tiny_model, tmp_path_factory):
    """The error on each input in a process with 300 MiB left."""
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("memory is limited on Linux alone")
    root = tmp_path_factory.mktemp("memory")
    tiny_model(stride=1, context=0).save_pretrained(root / "model")
    for name, fields in HUGE_CONFIGS.items():
        shutil.copytree(root / "model", root / name)
        change(root / name / "config.json", **fields)
    for name, (fields, tensors) in LACKING.items():
        shutil.copytree(root / "model", root / name)
        change(root / name / "config.json", **fields)
        (root / name / WEIGHTS).write_bytes(header(tensors) + bytes(4 * len(tensors)))
    shutil.copytree(root / "model", root / "hole")
    place = {"dtype": "F32", "shape": [1, 2**34], "data_offsets": [0, 2**36]}
    with open(root / "hole" / WEIGHTS, "wb") as file:
        file.write(header({"classifier.weight": place}))
        file.truncate(file.tell() + 2**36)
    for name, head in BOMBS.items():
        with gzip.open(root / name, "wb", compresslevel=1) as file:
            file.write(head)
            for _ in range(400):
                file.write(b"A" * 2**20)
    cases = [*HUGE_CONFIGS, *LACKING, "hole", *BOMBS]
    command = [sys.executable, "-c", LIMITED, *(str(root / name) for name in ("model", *cases))]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-500:]
    return dict(zip(cases, done.stdout.splitlines(), strict=True))


HUGE_CONFIGS = {"wide": {"hidden_size": HUGE}, "deep": {"num_hidden_layers": HUGE}, "labels": {"num_labels": HUGE}}
ONE = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
LARGE = {"hidden_size": 1920, "num_attention_heads": 16, "num_hidden_layers": 30, "intermediate_size": 7000}
LACKING = {
    "empty": (LARGE, {}),
    "a bias": (LARGE, {"classifier.bias": ONE}),
    "another name": (LARGE, {"x": ONE}),
    "another shape": (LARGE, {"bert.embeddings.word_embeddings.weight": ONE}),
    "claimed": (LARGE, {"bert.embeddings.word_embeddings.weight": ONE | {"shape": [2**31, 1920]}}),
}
BOMBS = {"bomb.fa.gz": b">one\n", "bomb.txt.gz": b""}


@pytest.mark.slow
@pytest.mark.parametrize("name, fields", HUGE_CONFIGS.items())
def test_a_huge_configuration_takes_no_memory(refusals, name, fields):
    assert next(iter(fields)) in refusals[name]


@pytest.mark.parametrize("name", LACKING)
def test_a_file_of_few_weights_takes_no_memory(refusals, name):
    """Two billion numbers are in the configuration; the file has at most one."""
    assert (
        "has no fitting weights for" in refusals[name]
        or name == "claimed"
        and "no whole safetensors" in refusals[name]
    )


def test_a_tensor_of_gigabytes_takes_no_memory(refusals):
    """The file has a hole of 64 GiB where the output layer should be."""
    assert "is far larger than config.json says" in refusals["hole"]


@pytest.mark.parametrize("name", BOMBS)
def test_a_zipped_line_without_end_takes_no_memory(refusals, name):
    assert f"{name}:" in refusals[name]
