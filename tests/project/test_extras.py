"""A plain `pip install .`: everything works without the extras, or names the one to install in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dream_bert

TRAINING = sorted(path.stem for path in (Path(dream_bert.__file__).parent / "training").glob("[a-z]*.py"))

WITHOUT_EXTRAS = """
import importlib, importlib.util, json, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

MISSING = {"accelerate", "datasets", "evaluate", "logomaker", "matplotlib", "onnx", "onnxruntime", "tensorboard"}
MISSING |= {"Bio", "pyBigWig", "pysam", "tensorboardX"}


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *package: None if name in MISSING else find_spec(name, *package)
sys.meta_path.insert(0, Missing())


def attempt(what):
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = what()
        except SystemExit as leaving:
            status, message = 1, str(leaving)
            err.write(message)
        except ImportError as error:
            status = "ImportError"
            err.write(str(error))
    return [status if isinstance(status, int | str) else 0, err.getvalue()]


import dream_bert
from dream_bert.cli import main as cli

modules, verbs, scripts = json.load(sys.stdin)
results = {name: attempt(lambda: getattr(dream_bert, name) and None) for name in dream_bert.__all__}
results |= {name: attempt(lambda: importlib.import_module(f"dream_bert.{name}")) for name in modules}
results |= {name: attempt(lambda: cli.main(arguments)) for name, arguments in verbs.items()}
from dream_bert.metrics import dream_score
results["score()"] = attempt(lambda: dream_score.score([1, 2, 4], [1, 3, 2]) and None)
results["DreamScore"] = attempt(lambda: dream_score.DreamScore)
from dream_bert.training.run import run_script
for name, arguments in scripts.items():
    module = importlib.import_module(f"dream_bert.training.{name}")
    results["run " + name] = attempt(lambda: run_script(lambda: module.main(arguments)))
print(json.dumps(results))
"""

NEEDS = {
    "export_folder": "onnx",
    "export_onnx": "onnx",
    "export": "onnx",
    "predict by onnx": "onnx",
    "publish": "onnx",
    "mutagenesis with a picture": "plot",
    "plot": "plot",
    "plot_logo": "plot",
    "plot_mutagenesis": "plot",
    "plot_predictions": "plot",
    "plot_windows": "plot",
    "variants of BCF": "genome",
    "windows as bigWig": "genome",
    "windows with a picture": "plot",
    "design without an enzyme's site": "design",
    "prepare of the Hub": "train",
    "DreamScore": "metrics",
    "finetune verb": "train",
    "run run_mlm": "train",
    "run run_regression": "train",
}
"""What does not work without an extra."""


@pytest.fixture(scope="module")
def results(prepared, tmp_path_factory) -> dict[str, tuple[int | str, str]]:
    """Exit status or kind of error, and what was printed on stderr, of each attempt in one process without extras."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "in.tsv").write_text("".join(f"{'ACGT'[i % 4] * (i + 8)}\t{i}\n" for i in range(60)))
    (folder / "sequences.txt").write_text("ACGTTGCA\n")
    (folder / "predictions.json").write_text('{"0": 1, "1": 3, "2": 2}')
    (folder / "labels.tsv").write_text("row\texpression\n0\t1\n1\t2\n2\t4\n")
    (folder / "genome.fa").write_text(f">I\n{'ACGT' * 30}\n")
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    (folder / "in.vcf").write_text(f"##fileformat=VCFv4.2\n{columns}\nI\t50\t.\tC\tA\t.\t.\t.\n")
    (folder / "in.bcf").write_bytes(b"BCF\2\2")
    verbs = {
        "predict": ["predict", "sequences.txt", "-o", "out.tsv"],
        "predict by onnx": ["predict", "sequences.txt", "-o", "out.tsv", "--backend", "onnx"],
        "mutagenesis": ["mutagenesis", "sequences.txt", "-o", "out.tsv", "--summary", "summary.tsv"],
        "mutagenesis with a picture": ["mutagenesis", "sequences.txt", "-o", "out.tsv", "--plot", "out.svg"],
        "plot": ["plot", "in.tsv", "-o", "out.svg"],
        "variants": ["variants", "in.vcf", "--genome", "genome.fa", "-o", "out.vcf"],
        "variants of BCF": ["variants", "in.bcf", "--genome", "genome.fa", "-o", "out.vcf"],
        "windows": ["windows", "--genome", "genome.fa", "-o", "out.bedgraph"],
        "windows as bigWig": ["windows", "--genome", "genome.fa", "-o", "out.bw"],
        "windows with a picture": ["windows", "--genome", "genome.fa", "-o", "out.tsv", "--plot", "out.svg"],
        "finetune verb": ["finetune", "in.tsv", "-o", "mine"],
        "score": ["score", "predictions.json", "--labels", "labels.tsv"],
        "prepare": ["prepare", "in.tsv", "-o", "prepared"],
        "prepare of the Hub": ["prepare", "hub:user/data", "-o", "hub"],
        "design": ["design", "sequences.txt", "--maximise", "--edits", "1", "-o", "designs.fa"],
        "design without an enzyme's site": ["design", "sequences.txt", "--maximise", "--forbid", "BsaI"],
        "calibrate": ["calibrate", "in.tsv", "--model", "model"],
        "simulate": ["simulate", "-n", "5", "-o", "simulated.txt"],
        "export": ["export", "-o", "exported"],
        "publish": ["publish", "conv", "--repo", "user/name", "--dry-run"],
    }
    scripts = {name: ["--data", str(prepared), "--output_dir", "run"] for name in ("run_mlm", "run_regression")}
    conv = Path(dream_bert.__file__).parent / "checkpoints" / "dream-promoter-conv"
    (folder / "model").mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / "model" / name).write_bytes((conv / name).read_bytes())
    others = ["metrics.files", "metrics.dream_score", "hub.card", "hub.publish"]
    modules = [*(f"training.{name}" for name in TRAINING), *others]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS],
        input=json.dumps([modules, verbs, scripts]),
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_all_works_but_what_an_extra_is_for(results):
    assert {name for name, (status, _) in results.items() if status != 0} == set(NEEDS)
    assert set(dream_bert.__all__) < results.keys() and len(TRAINING) > 10


@pytest.mark.parametrize("name", NEEDS)
def test_what_is_missing_is_named_with_its_extra(name, results):
    _, message = results[name]
    (line,) = message.splitlines()
    assert line.endswith(f"pip install 'dream-promoter-bert[{NEEDS[name]}]'")
    assert line.count("pip install") == 1
