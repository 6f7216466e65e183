"""Folders of a tokenizer: loaded with the package or without, the same again, and refused where made elsewhere."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import transformers
from hub_server import HubServer
from tokenizer_layouts import LAYOUTS, WAYS, ids_of
from transformers import AutoTokenizer

from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, to_oligo
from dream_bert.sequence.tokenizer import KmerTokenizer, write_tokenizer

COMMITTED = Path(__file__).parents[2] / "tokenizer"

BY_HAND = [
    "ACGTACGT",
    "acgtu ryk\nNNN",
    to_oligo("ACGTACGTAC").lower(),
    OLIGO_START + "ACGT",
    "S" + OLIGO_START + "ACGT",
    "nR" + OLIGO_START + "ACGT",
    "RNY" + OLIGO_START + "ACGT",
    "ACGT" + OLIGO_END,
    "A",
    "AC",
    "",
    "N" + to_oligo("ACGTA"),
    "NN" + to_oligo("ACGTA"),
    "ACG[MASK]TTTA",
]


def test_a_fresh_process_needs_none_of_the_package(folders, tokenizers, tmp_path):
    script = """if True:
        import json, sys
        from transformers import AutoTokenizer
        job = json.load(sys.stdin)
        ids = {}
        for key, folder in job["folders"].items():
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code="trusted" in key)
            ids[key] = [tokenizer(text)["input_ids"] for text in job["texts"]]
        print(json.dumps({"ids": ids, "dream_bert": "dream_bert" in sys.modules}))
    """
    names = {f"{stride} {context} {way}": str(at) for (stride, context, way), at in folders.items()}
    job = json.dumps({"folders": names, "texts": BY_HAND})
    done = subprocess.run([sys.executable, "-c", script], input=job, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert not answer["dream_bert"]
    for stride, context, way in folders:
        expected = [ids_of(tokenizers[stride, context, "built"], text) for text in BY_HAND]
        assert answer["ids"][f"{stride} {context} {way}"] == expected


@pytest.mark.parametrize("layout", LAYOUTS)
def test_saving_names_no_class_of_the_package(folders, layout):
    for way in WAYS[1:]:
        config = json.loads((folders[(*layout, way)] / "tokenizer_config.json").read_text())
        assert hasattr(transformers, config["tokenizer_class"])
        assert "auto_map" not in config


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", WAYS[1:])
def test_the_own_loader_gives_what_was_built(folders, tokenizers, layout, way):
    loaded, built = KmerTokenizer.from_pretrained(folders[(*layout, way)]), tokenizers[(*layout, "built")]
    assert type(loaded) is KmerTokenizer
    assert loaded.backend_tokenizer.to_str() == built.backend_tokenizer.to_str()
    assert (loaded.name_or_path, loaded.model_max_length) == (str(folders[(*layout, way)]), 512)


def test_the_own_loader_leaves_out_what_was_set_in_use(tmp_path):
    tokenizer = KmerTokenizer.build(1, 0, positions=20)
    tokenizer(["ACGT" * 10, "ACG"], padding=True, truncation=True)
    tokenizer.save_pretrained(tmp_path)
    rules = json.loads((tmp_path / "tokenizer.json").read_text())
    assert rules["truncation"]["max_length"] == 20 and rules["padding"] is not None
    (tmp_path / "tokenizer.json").write_text(json.dumps(rules | {"version": "1.1"}))
    loaded = KmerTokenizer.from_pretrained(tmp_path)
    assert loaded.backend_tokenizer.to_str() == KmerTokenizer.build(1, 0).backend_tokenizer.to_str()
    assert loaded.model_max_length == 20


@pytest.mark.parametrize("positions", [{}, {"model_max_length": None}, {"model_max_length": "20"}])
def test_the_own_loader_names_the_file_without_a_length(tmp_path, positions):
    KmerTokenizer.build().save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["model_max_length"]
    path.write_text(json.dumps(config | positions))
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: model_max_length is "):
        KmerTokenizer.from_pretrained(tmp_path)


def test_a_push_names_no_class_of_the_package_either(tmp_path):
    with HubServer() as server, server.client():
        KmerTokenizer.build().save_pretrained(tmp_path / "kmers", push_to_hub=True, repo_id="user/kmers")
        config = json.loads(server.files("user/kmers")["tokenizer_config.json"])
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"


def test_the_own_loader_takes_a_revision(folders, monkeypatch):
    asked = []

    def find(name, file, **hub):
        asked.append((file, hub))
        return str(Path(name, file))

    monkeypatch.setattr("dream_bert.sequence.tokenizer.cached_file", find)
    KmerTokenizer.from_pretrained(folders[3, 0, "loaded"], revision="v2")
    assert asked == [("tokenizer.json", {"revision": "v2"}), ("tokenizer_config.json", {"revision": "v2"})]


@pytest.mark.parametrize(
    "change",
    [
        lambda rules: rules["normalizer"]["normalizers"].pop(),
        lambda rules: rules["model"]["vocab"].update(AAA=6, AAC=5),
        lambda rules: rules["post_processor"]["single"].clear(),
        lambda rules: rules["post_processor"]["single"].pop(0),
        lambda rules: rules["post_processor"]["single"].insert(1, rules["post_processor"]["single"][1]),
        lambda rules: rules["post_processor"].update(single=rules["post_processor"]["single"][:1] * 200),
        lambda rules: rules["post_processor"].update(single=rules["post_processor"]["single"][:2] * 200),
        lambda rules: rules["post_processor"].update(single=[0]),
        lambda rules: rules.update(post_processor=None),
        lambda rules: rules.pop("post_processor"),
    ],
)
@pytest.mark.parametrize("stride, context", [(1, 0), (3, 150)])
def test_the_own_loader_refuses_rules_made_elsewhere(tmp_path, change, stride, context):
    write_tokenizer(tmp_path, stride, context)
    rules = json.loads((tmp_path / "tokenizer.json").read_text())
    change(rules)
    (tmp_path / "tokenizer.json").write_text(json.dumps(rules))
    message = re.escape(f"{tmp_path / 'tokenizer.json'}: is no tokenizer of this package; load it with AutoTokenizer")
    with pytest.raises(ValueError, match=f"^{message}$"):
        KmerTokenizer.from_pretrained(tmp_path)


def test_saved_again_is_the_same_file(folders):
    first, again = (folders[1, 0, way] / "tokenizer.json" for way in ("loaded", "saved again"))
    assert first.read_text() == again.read_text()


def test_the_committed_tokenizer_is_what_the_builder_writes(tmp_path):
    write_tokenizer(tmp_path)
    names = {"tokenizer.json", "tokenizer_config.json"}
    assert {path.name for path in COMMITTED.iterdir()} == {path.name for path in tmp_path.iterdir()} == names
    for name in names:
        assert json.loads((COMMITTED / name).read_text()) == json.loads((tmp_path / name).read_text())
    assert (COMMITTED / "tokenizer_config.json").read_bytes() == (tmp_path / "tokenizer_config.json").read_bytes()


def test_the_committed_tokenizer_loads(reference_ids):
    tokenizer = AutoTokenizer.from_pretrained(COMMITTED)
    assert ids_of(tokenizer, to_oligo("ACGTACGT")) == reference_ids("ACGTACGT", stride=3, context=150)
