"""The Rust tokenizer, built and loaded from a folder, against the NumPy encoder and the definition in plain Python."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import transformers
from hub_server import HubServer
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, BertConfig, PreTrainedTokenizerFast

from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, check_insert, to_oligo
from dream_bert.sequence.encoding import VOCABULARY, encode
from dream_bert.sequence.tokenizer import KmerTokenizer, write_tokenizer

COMMITTED = Path(__file__).parents[2] / "tokenizer"
LAYOUTS = [(3, 150), (3, 0), (1, 150), (1, 0), (1, 2)]
WAYS = ["built", "loaded", "trusted", "saved again", "beside a config"]
INSERTS = st.text("ACGTN", min_size=1, max_size=60).filter(
    lambda insert: not insert.lstrip("N").startswith(OLIGO_START) and not insert.endswith(OLIGO_END)
)
SEQUENCES = st.builds(
    "{}{}{}".format,
    st.sampled_from(
        ["", OLIGO_START, OLIGO_START.lower(), " " + OLIGO_START, OLIGO_START[1:], OLIGO_START.replace("T", "U")]
    ),
    st.text("ACGTUacgtunRYSWKMBDHVrywskmbdhv \t\r\n\f\u00a0", min_size=1, max_size=90).filter(str.strip),
    st.sampled_from(["", OLIGO_END, OLIGO_END.lower() + "\n", OLIGO_END[:-1]]),
)
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


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folder of each layout and way to save."""
    root = tmp_path_factory.mktemp("tokenizers")
    made = {}
    for stride, context in LAYOUTS:
        for way in WAYS[1:]:
            made[stride, context, way] = folder = root / f"{stride}-{context}-{way}"
            write_tokenizer(folder, stride, context)
            if way == "saved again":
                AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
            if way == "beside a config":
                BertConfig(vocab_size=130, architectures=["BertForMaskedLM"]).save_pretrained(folder)
    return made


@pytest.fixture(scope="module")
def tokenizers(folders):
    loaded = {
        key: AutoTokenizer.from_pretrained(at, trust_remote_code="trusted" in key) for key, at in folders.items()
    }
    return loaded | {(*layout, "built"): KmerTokenizer.build(*layout) for layout in LAYOUTS}


def ids_of(tokenizer, text):
    return tokenizer(text)["input_ids"]


@given(SEQUENCES, st.sampled_from(LAYOUTS), st.sampled_from(WAYS))
def test_ids_are_those_of_the_encoder_and_the_definition(
    tokenizers, tiny_config, reference_ids, sequence, layout, way
):
    stride, context = layout
    insert = check_insert(sequence, "p")
    ids = ids_of(tokenizers[stride, context, way], sequence)
    assert ids == encode([insert], tiny_config(stride=stride, context=context))["input_ids"][0].tolist()
    assert ids == reference_ids(insert, stride, context)


@given(INSERTS, st.sampled_from(LAYOUTS), st.sampled_from(["built", "loaded"]))
def test_insert_and_oligo_have_the_same_ids(tokenizers, insert, layout, way):
    tokenizer = tokenizers[(*layout, way)]
    expected = ids_of(tokenizer, insert)
    for sequence in (OLIGO_START + insert, insert + OLIGO_END, to_oligo(insert)):
        assert ids_of(tokenizer, sequence) == expected


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "insert",
    [
        "ACG" + OLIGO_END + "TTT",
        "ACG" + OLIGO_START + "TTT",
        OLIGO_END + "ACG",
        "ACG" + OLIGO_START,
        "NNN" + OLIGO_START + "ACG",
        OLIGO_START[:8] + "G" + OLIGO_START[9:] + "ACG",
    ],
)
def test_a_constant_elsewhere_or_changed_is_sequence(tokenizers, reference_ids, insert, layout):
    assert ids_of(tokenizers[(*layout, "loaded")], insert) == reference_ids(insert, *layout)


@given(INSERTS, st.sampled_from([0, 150]), st.integers(0, 2), st.booleans())
def test_leading_n_choose_the_reading_frame(tokenizers, tiny_config, reference_ids, insert, context, frame, oligo):
    ids = ids_of(tokenizers[3, context, "loaded"], "N" * frame + (to_oligo(insert) if oligo else insert))
    assert ids == reference_ids(insert, 3, context, frame)
    frames = encode([insert], tiny_config(stride=3, context=context, reading_frames=3))["input_ids"][0, frame]
    assert ids == frames[frames > 0].tolist()


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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_white_space_is_what_python_takes_for_it(tokenizers, layout):
    blanks = [chr(i) for i in range(sys.maxunicode + 1) if chr(i).isspace()]
    tokenizer = tokenizers[(*layout, "loaded")]
    assert {blank for blank in blanks if ids_of(tokenizer, f"AC{blank}GT") != ids_of(tokenizer, "ACGT")} == set()


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


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", WAYS)
def test_vocabulary_and_special_tokens(tokenizers, layout, way):
    tokenizer = tokenizers[(*layout, way)]
    assert len(tokenizer) == 130
    assert tokenizer.convert_ids_to_tokens(range(130)) == list(VOCABULARY)
    special = tokenizer.pad_token, tokenizer.unk_token, tokenizer.cls_token, tokenizer.sep_token, tokenizer.mask_token
    assert special == VOCABULARY[:5]
    assert isinstance(tokenizer, PreTrainedTokenizerFast)


def test_model_max_length_is_the_number_of_positions():
    assert KmerTokenizer.build(1, 0, positions=77).model_max_length == 77


def test_the_defaults_are_the_entrys_layout(tmp_path):
    default, entry = KmerTokenizer.build(), KmerTokenizer.build(3, 150, 512)
    assert default.backend_tokenizer.to_str() == entry.backend_tokenizer.to_str()
    assert default.model_max_length == 512
    write_tokenizer(tmp_path, 1, 0, 77)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["model_max_length"] == 77


def test_a_context_without_positions_for_it_is_refused():
    with pytest.raises(ValueError, match="max_position_embeddings is 128"):
        KmerTokenizer.build(1, 150, positions=128)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_mask_in_the_text_is_one_token(tokenizers, reference_ids, layout):
    tokenizer = tokenizers[(*layout, "loaded")]
    before = (len(reference_ids("A", *layout)) - 1) // 2
    whole = reference_ids("ACGTTA", *layout)
    left, right = (reference_ids(part, *layout)[before:-before] for part in ("ACG", "TTA"))
    for text in ("ACG[MASK]TTA", "acg [MASK] uua", to_oligo("ACG[MASK]TTA")):
        assert ids_of(tokenizer, text) == [*whole[:before], *left, 4, *right, *whole[-before:]]
    assert ids_of(tokenizer, "[MASK]") == [*whole[:before], 4, *whole[-before:]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_context_counts_as_special_tokens(tokenizers, reference_ids, layout):
    tokenizer = tokenizers[(*layout, "loaded")]
    before = (len(reference_ids("A", *layout)) - 1) // 2
    tokens = len(reference_ids("ACGTAC", *layout)) - 2 * before
    mask = tokenizer("ACGTAC", return_special_tokens_mask=True)["special_tokens_mask"]
    assert mask == [1] * before + [0] * tokens + [1] * before
    assert tokenizer.num_special_tokens_to_add() == 2 * before


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("text", ["", " \n", OLIGO_START + OLIGO_END])
def test_an_empty_sequence_is_context_alone(tokenizers, reference_ids, layout, text):
    ids = reference_ids("A", *layout)
    middle = (len(ids) - 1) // 2
    assert ids_of(tokenizers[(*layout, "loaded")], text) == ids[:middle] + ids[middle + 1 :]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_batches_are_padded_as_the_encoder_pads(tokenizers, tiny_config, inserts, layout):
    batch = tokenizers[(*layout, "loaded")](inserts, padding=True, return_tensors="np")
    expected = encode(inserts, tiny_config(stride=layout[0], context=layout[1]))
    assert batch["input_ids"].tolist() == expected["input_ids"].tolist()
    assert batch["attention_mask"].tolist() == expected["attention_mask"].tolist()
    assert set(batch) == set(expected)


@pytest.mark.parametrize("stride, context", [(3, 150), (1, 150), (1, 0)])
def test_truncation_keeps_the_context(tokenizers, reference_ids, stride, context):
    tokenizer = tokenizers[stride, context, "loaded"]
    ids = tokenizer("ACG" * 600, truncation=True)["input_ids"]
    assert len(ids) == 512
    kept = reference_ids("ACG" * 600, stride, context)
    before = len(reference_ids("A", stride, context)) // 2
    assert ids == kept[: 512 - before] + kept[-before:]


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


@pytest.mark.parametrize("stride, context", [(2, 0), (0, 0), (3, 100), (3, 153), (1, 151), (3, -3)])
def test_a_layout_that_no_model_has_is_refused(stride, context):
    with pytest.raises(ValueError, match="stride|context"):
        KmerTokenizer.build(stride, context)


def test_a_pair_is_not_read_as_a_sequence_without_context(tokenizers):
    tokenizer = tokenizers[3, 150, "loaded"]
    ids = tokenizer("ACG", "TTT")["input_ids"]
    assert ids[: len(ids_of(tokenizer, "ACG"))] == ids_of(tokenizer, "ACG")
