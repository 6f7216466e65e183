"""A stranger's model, tokenizer, ONNX file, sequences or repository: nothing runs, nothing else is read, memory is
bounded, and the refusal says why."""

import gzip
import hashlib
import json
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from closeness import assert_close
from hub_server import TOKEN, HubServer, Repository
from safetensors.torch import load_file, save_file
from transformers import AutoModel

import dream_bert
from dream_bert import BertForSequenceRegression, DreamBertConfig, KmerTokenizer, predict
from dream_bert.cli.main import main
from dream_bert.errors import ModelError, PublishError
from dream_bert.hub.publish import DEFAULT_MODELS, publish
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import ONNX_FILES
from dream_bert.models.config_checks import MAX_BYTES
from dream_bert.sequence.tokenizer import write_tokenizer

WEIGHTS = "model.safetensors"


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A small model's folder, for a test to spoil."""
    tiny_model(stride=1, context=0).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def change(file, **fields):
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def header(tensors, length=None):
    """The beginning of a safetensors file."""
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


class Payload:
    """A pickle of it makes a file where it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


# --- pickles ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def pickled(folder, tmp_path):
    """A folder with weights in a pickle alone, and the file that shows that it was opened."""
    (folder / WEIGHTS).unlink()
    for name in ("pytorch_model.bin", "model.pt", "optimizer.pt"):
        (folder / name).write_bytes(pickle.dumps(Payload(tmp_path / "opened")))
    return folder, tmp_path / "opened"


@pytest.mark.parametrize(
    "load",
    [
        load_model,
        BertForSequenceRegression.from_pretrained,
        lambda folder: BertForSequenceRegression.from_pretrained(folder, use_safetensors=False),
        lambda folder: AutoModel.from_pretrained(folder, trust_remote_code=True),
    ],
    ids=["predict", "class", "asked for", "remote code"],
)
def test_a_pickle_is_not_opened(pickled, load):
    folder, opened = pickled
    with pytest.raises(ValueError, match="has no model.safetensors; pickles such as pytorch_model.bin are not opened"):
        load(folder)
    assert not opened.exists()


def test_a_pickle_is_refused_in_one_line(pickled, tmp_path, capsys):
    folder, opened = pickled
    (tmp_path / "in.txt").write_text("ACGT\n")
    assert main(["predict", str(tmp_path / "in.txt"), "--model", str(folder), "-o", str(tmp_path / "out.tsv")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "can run code" in error
    assert not opened.exists() and not (tmp_path / "out.tsv").exists()


def test_weights_elsewhere_are_not_read(folder, tmp_path):
    """Neither by another name, in shards, nor as what an adapter goes with."""
    shutil.move(folder / WEIGHTS, tmp_path / WEIGHTS)
    change(folder / "config.json", transformers_weights=f"../{WEIGHTS}")
    names = dict.fromkeys(load_file(tmp_path / WEIGHTS), f"../{WEIGHTS}")
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(tmp_path)}))
    with pytest.raises(ModelError, match="has no model.safetensors"):
        load_model(folder)


# --- config.json -----------------------------------------------------------------------------------------------------

HUGE = 10**12
REFUSED = [
    *({name: value} for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
      "max_position_embeddings", "type_vocab_size", "vocab_size") for value in (HUGE, -1, 0, 1.5, "8", True, [8])),
    {"num_labels": HUGE}, {"num_labels": -1}, {"id2label": [1]}, {"id2label": {"x": "y"}}, {"id2label": {}},
    {"label2id": 1}, {"architectures": 5}, {"architectures": [5]}, {"auto_map": "x"}, {"reading_frames": HUGE},
    {"context": -3}, {"stride": True}, {"k": "3"}, {"label_std": 0}, {"label_std": "1"}, {"label_mean": float("inf")},
    {"hidden_act": "xielu"}, {"hidden_act": {"a": 1}}, {"is_decoder": True}, {"add_cross_attention": True},
    {"position_embedding_type": "relative_key"}, {"model_type": "gpt2"}, {"pad_token_id": 200}, {"dtype": "load"},
    {"dtype": "no_such"}, {"torch_dtype": "int8"}, {"layer_norm_eps": float("nan")}, {"hidden_dropout_prob": 2},
    *({"insert_lengths": value} for value in ([80], [0, 8], [80, 79], [1, 2.5], [True, 3], "8", {"0": 1}, [1, 2, 3])),
    {"tie_word_embeddings": "yes"}, {"initializer_range": -1}, {"problem_type": "single_label_classification"},
]  # fmt: skip
LEFT_OUT = {
    "_attn_implementation": "someone/kernel",
    "attn_implementation": "someone/kernel",
    "_attn_implementation_internal": "someone/kernel",
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "fusion_config": {"all": True},
    "per_layer_config": {"0": {"hidden_size": HUGE}},
    "return_dict": False,
    "pruned_heads": {"0": [0]},
    "chunk_size_feed_forward": "x",
    "transformers_version": 5,
    "forward": "x",
    "to_dict": "x",
    "__class__": "x",
    "_name_or_path": "/etc/passwd",
}


@pytest.mark.parametrize("fields", REFUSED, ids=str)
def test_a_field_out_of_range_is_refused(folder, fields):
    change(folder / "config.json", **fields)
    for load in (DreamBertConfig.from_pretrained, load_model):
        with pytest.raises(ValueError) as error:
            load(folder)
        assert next(iter(fields)).removeprefix("id2").removeprefix("torch_") in str(error.value)
        assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_other_fields_are_left_out(folder, inserts):
    expected = predict(inserts, folder)
    plain = DreamBertConfig.from_pretrained(folder).to_dict()
    change(folder / "config.json", **LEFT_OUT)
    assert DreamBertConfig.from_pretrained(folder).to_dict() == plain | {"_name_or_path": str(folder)} or plain
    model = load_model(folder)
    assert not set(LEFT_OUT) & {"forward", "to_dict"} & set(vars(model.config))
    assert model.config._attn_implementation in ("sdpa", "eager")
    assert_close(predict(inserts, folder), expected)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "is no JSON object"),
        (b"{", "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        (b'{"hidden_size": ' + b"9" * 5000 + b"}", "is no JSON"),
        (b"{}" + b" " * MAX_BYTES, "is larger than 1,048,576 bytes"),
    ],
    ids=["nested", "list", "cut", "encoding", "long number", "large"],
)
def test_a_file_that_is_no_configuration_is_named(folder, content, message):
    (folder / "config.json").write_bytes(content)
    for load in (DreamBertConfig.from_pretrained, load_model):
        with pytest.raises(ValueError, match=f"config.json: {message}"):
            load(folder)


def test_a_device_in_place_of_a_file_is_not_read(folder):
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="has no config.json of a model"):
        load_model(folder)
    (folder / "config.json").unlink()
    with pytest.raises(OSError, match="has no config.json of a model"):
        load_model(folder)


def test_what_the_arguments_change_is_checked(folder):
    with pytest.raises(ValueError, match="stride is 2"):
        DreamBertConfig.from_pretrained(folder, stride=2)
    with pytest.raises(ValueError, match="hidden_size"):
        BertForSequenceRegression.from_pretrained(folder, hidden_size=HUGE)


# --- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "no whole safetensors"),
        (b"\x00" * 8, "no whole safetensors"),
        (header({}, length=2**60), "lists more tensors"),
        (header({}, length=2**20), "no whole safetensors"),
        (header({"classifier.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), "no whole safetensors"),
        (header({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}) + bytes(4), "no whole safetensors"),
        (header({"x": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}}), "no whole safetensors"),
        (pickle.dumps(Payload("/dev/null")), "lists more tensors"),
    ],
    ids=["empty", "zeros", "long list", "cut list", "cut", "negative", "overflow", "pickle"],
)
def test_a_file_that_is_no_safetensors_is_named(folder, content, message):
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_numbers_of_another_type_are_refused(folder, dtype):
    weights = load_file(folder / WEIGHTS)
    save_file(weights | {"classifier.bias": torch.ones(1, dtype=dtype)}, folder / WEIGHTS)
    with pytest.raises(ModelError, match="classifier.bias is of type"):
        load_model(folder)


def test_another_shape_is_never_filled_in(folder):
    weights = load_file(folder / WEIGHTS)
    save_file(weights | {"classifier.bias": torch.ones(2)}, folder / WEIGHTS)
    with pytest.raises(ModelError, match="has no fitting weights for classifier.bias"):
        load_model(folder)
    with pytest.raises(ValueError, match="has no fitting weights for classifier.bias; give it the config.json"):
        BertForSequenceRegression.from_pretrained(folder)


def test_weights_by_other_names_that_bert_has_had_are_found(folder, inserts):
    expected, weights = predict(inserts, folder), load_file(folder / WEIGHTS)
    olds = {"bert.": "", "LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    for new, old in olds.items():
        weights = {name.replace(new, old): weight for name, weight in weights.items()}
    save_file(weights, folder / WEIGHTS)
    assert_close(predict(inserts, folder), expected)


# --- memory ----------------------------------------------------------------------------------------------------------

LIMITED = """
import json, resource, sys
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
    """What is said of each input where 300 MiB are left."""
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


def test_a_name_in_fasta_is_a_name(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = ["../../elsewhere", "$(touch made)", "`touch_made`", "/etc/passwd", "=cmd|'/c'!A1"]
    source = tmp_path / "in.fa"
    source.write_text("".join(f">{name}\nACGT\n" for name in names))
    before = sorted(tmp_path.parent.rglob("*"))
    assert main(["predict", str(source), "--model", str(folder)]) == 0
    ids = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert ids == [name.split()[0] for name in names]
    assert sorted(tmp_path.parent.rglob("*")) == before


# --- the tokenizer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride, context", [(3, 150), (3, 0), (1, 150), (1, 0), (1, 2)])
def test_a_tokenizer_of_this_package_is_loaded(tmp_path, stride, context):
    write_tokenizer(tmp_path, stride, context)
    built, loaded = KmerTokenizer.build(stride, context), KmerTokenizer.from_pretrained(tmp_path)
    assert loaded.backend_tokenizer.to_str() == built.backend_tokenizer.to_str()
    assert (loaded.model_max_length, loaded.mask_token) == (512, "[MASK]")


REGEX_BOMB = {"type": "Replace", "pattern": {"Regex": "(((x{1000}){1000}){1000}){1000}"}, "content": ""}


@pytest.mark.parametrize(
    "fields",
    [
        {"normalizer": REGEX_BOMB},
        {"normalizer": None},
        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}},
        {"model": {"type": "WordLevel", "vocab": {"A": HUGE}, "unk_token": "A"}},
        {"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {}}] * 1000}},
        {"post_processor": 5},
        {"added_tokens": []},
        {"decoder": {"type": "Fuse"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_another_tokenizer_is_refused(tmp_path, fields):
    write_tokenizer(tmp_path)
    change(tmp_path / "tokenizer.json", **fields)
    with pytest.raises(ValueError, match="tokenizer.json: is no tokenizer of this package"):
        KmerTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("length", [HUGE, -1, "512", None, [512]])
def test_a_hostile_length_is_refused(tmp_path, length):
    write_tokenizer(tmp_path)
    change(tmp_path / "tokenizer_config.json", model_max_length=length)
    with pytest.raises(ValueError, match="tokenizer_config.json: model_max_length is |max_position_embeddings"):
        KmerTokenizer.from_pretrained(tmp_path)


# --- the files of a folder -------------------------------------------------------------------------------------------


def put_in_place(path, what):
    """Replace a file by something that is none of this package's."""
    content = path.read_bytes()
    path.unlink()
    if what == "device":
        path.symlink_to("/dev/zero")
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "link elsewhere":
        (path.parents[1] / f"other {path.name}").write_bytes(content)
        path.symlink_to(f"../other {path.name}")
    elif what == "folder":
        path.mkdir()
    elif what == "hole":
        with open(path, "wb") as file:
            file.truncate(2**36)
    elif what == "deep list":
        path.write_bytes(b'{"results": ' + b"[" * 90_000)
    elif what == "deep, whole":
        path.write_bytes(b'{"a":' * 500 + b"1" + b"}" * 500)
    elif what == "no object":
        path.write_bytes(b'"text"')


KINDS = ["device", "fifo", "link elsewhere", "folder", "hole", "deep list", "deep, whole", "no object"]
RECORD = "training_info.json"


@pytest.fixture
def published(tmp_path):
    """A copy of a shipped model's folder, to spoil."""
    shutil.copytree(DEFAULT_MODELS["conv"], tmp_path / "model")
    (tmp_path / "model" / "evaluation.json").write_text("{}")
    return tmp_path / "model"


def refused(argv, file, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("dream-bert: ") and error[:-1].isprintable() and len(error) < 600
    assert file.name in error or "no config.json" in error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["config.json", WEIGHTS])
def test_calibrate_reads_files_of_the_folder_alone(folder, tmp_path, capsys, name, kind):
    (tmp_path / "rows.txt").write_text("ACGT\t1\n")
    put_in_place(folder / name, kind)
    before = sorted(tmp_path.rglob("*"))
    refused(["calibrate", str(tmp_path / "rows.txt"), "--model", str(folder)], folder / name, capsys)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["config.json", RECORD, "evaluation.json", WEIGHTS])
def test_publish_reads_files_of_the_folder_alone(published, capsys, monkeypatch, name, kind):
    monkeypatch.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    put_in_place(published / name, kind)
    refused(["publish", "conv", "--repo", "a/b", "--model", str(published), "--dry-run"], published / name, capsys)


@pytest.mark.parametrize(
    "fields",
    [
        {"results": "x"}, {"results": {"test": 5}}, {"results": {"test": {"test_pearson": "high"}}}, {"data": []},
        {"results": {"test": {"test_pearson": 10**400}}}, {"parameters": "many"}, {"parameters": 10**400},
        {"machine": None},
        {"started_from": 3}, {"started_from": {"model": 1, "training_info": [1]}}, {"mean_of": 5}, {"mean_of": [[]]},
        {"training_arguments": "x"}, {"data": {"fingerprint": 3, "train_rows": "x"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_of_another_form_is_refused(published, capsys, monkeypatch, fields):
    monkeypatch.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    (published / "evaluation.json").unlink()
    change(published / RECORD, **fields)
    refused(["publish", "conv", "--repo", "a/b", "--model", str(published), "--dry-run"], published / RECORD, capsys)


@pytest.mark.parametrize("kind", KINDS[:7])
@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_tokenizers_files_are_files_of_the_folder(tmp_path, name, kind):
    (tmp_path / "tokenizer").mkdir()
    write_tokenizer(tmp_path / "tokenizer")
    put_in_place(tmp_path / "tokenizer" / name, kind)
    with pytest.raises((ValueError, OSError)) as error:
        KmerTokenizer.from_pretrained(tmp_path / "tokenizer")
    assert name in str(error.value)


def test_the_hubs_cache_is_one_folder(folder, tmp_path, inserts):
    """Its snapshots are links to blobs."""
    expected = predict(inserts, folder)
    blobs, snapshot = tmp_path / "models--a--b/blobs", tmp_path / "models--a--b/snapshots/1"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, path in enumerate(folder.iterdir()):
        path.rename(blobs / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    np.testing.assert_array_equal(predict(inserts, snapshot), expected)
    blob = (snapshot / "config.json").resolve()
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="is a link to a file outside of the model's folder; copy that file here"):
        predict(inserts, snapshot)


# --- the layout of an ONNX folder -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{"reading_frames": HUGE}, {"context": -3}, {"stride": None}, {"k": 4}], ids=str)
def test_the_layout_beside_a_graph_is_checked(folder, fields):
    (folder / ONNX_FILES["onnx"]).parent.mkdir()
    (folder / ONNX_FILES["onnx"]).touch()
    change(folder / "config.json", **fields)
    with pytest.raises(ModelError, match=f"{next(iter(fields))}"):
        predict(["ACGT"], folder, backend="onnx")


# --- published code --------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    with HubServer() as server, server.client():
        yield server


@pytest.mark.parametrize("kind", DEFAULT_MODELS)
def test_published_code_is_the_packages(hub, kind):
    publish(kind, "user/model")
    published = {path: hashlib.sha256(content).hexdigest() for path, content in hub.files("user/model").items()}
    code = {path: hash for path, hash in published.items() if path.endswith(".py")}
    assert {"modeling_dna.py", "config_checks.py"} <= code.keys()
    own = {path.name: path.read_bytes() for path in Path(dream_bert.__file__).parent.rglob("*.py")}
    assert code == {path: hashlib.sha256(own[path]).hexdigest() for path in code}
    auto_map = json.loads(hub.files("user/model")["config.json"])["auto_map"]
    assert {f"{name.split('.')[0]}.py" for name in auto_map.values()} <= code.keys()
    assert "--" not in "".join(auto_map.values())  # what would name another repository


def test_code_of_others_in_a_repository_stops_publishing(hub):
    publish("mlm", "user/model")
    repository, before = hub.repositories["user/model"], hub.files("user/model")
    repository.commit("main", before | {"setup/evil.py": b"print()\n"})
    with pytest.raises(PublishError, match="user/model has code of its own, setup/evil.py; delete it there first"):
        publish("mlm", "user/model")
    assert hub.files("user/model") == before | {"setup/evil.py": b"print()\n"}


def test_code_that_changed_on_the_way_is_told(hub, monkeypatch):
    commit, tampered = Repository.commit, {"modeling_dream_bert.py": b"print()\n"}
    monkeypatch.setattr(Repository, "commit", lambda self, branch, files: commit(self, branch, files | tampered))
    with pytest.raises(PublishError, match="holds other code than was sent; load nothing of commit"):
        publish("mlm", "user/model")


def test_the_login_is_not_in_an_error(hub, monkeypatch):
    hub.fault = "commit"
    with pytest.raises(PublishError) as error:
        publish("mlm", "user/model")
    assert TOKEN not in str(error.value) and not re.search(r"hf_\w{8}", str(error.value))


@pytest.mark.parametrize("folder", DEFAULT_MODELS.values(), ids=DEFAULT_MODELS)
def test_a_shipped_model_holds_no_pickle_and_no_code(folder):
    for file in folder.iterdir():
        assert file.suffix in (".json", ".safetensors")
