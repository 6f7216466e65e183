"""What several test files share: an independent tokeniser, tiny models, a small prepared folder, the real data."""

import os
import random
from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from plasmid import PLASMID_AROUND_INSERT

from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamBertForMaskedLM
from dream_bert.data.prepare import prepare

# A busy machine is no failure; what a person's run may find at random, a gate must not.
settings.register_profile("local", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "local")

MAY_BE_ABSENT = ("needs a GPU", "needs the shared data", "needs transformers 5.18", "needs the extra teacher")
"""What the reason of a skip starts with where a gate may skip."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Fail a test that is skipped in a gate for want of something that the gate should have installed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        _, _, reason = report.longrepr
        if not reason.removeprefix("Skipped: ").startswith(MAY_BE_ABSENT):
            report.outcome, report.longrepr = "failed", f"skipped in CI: {reason}"
    return report


KMER_IDS = {"".join(kmer): 5 + i for i, kmer in enumerate(product("ACGTN", repeat=3))}


@pytest.fixture(scope="session")
def shared():
    """Find a folder of data that may lie beside the checkout; without it the test is skipped."""

    def find(name: str) -> Path:
        folder = Path(__file__).parents[1].parent / "shared" / name
        if not folder.is_dir():
            pytest.skip("needs the shared data")
        return folder

    return find


@pytest.fixture(scope="session")
def shared_data(shared):
    return shared("data")


@pytest.fixture(scope="session")
def reference_ids():
    """The tokenizer's definition in plain Python: ids of one cleaned insert."""

    def kmer_ids(bases, stride):
        return [KMER_IDS[bases[i : i + 3]] for i in range(0, len(bases) - 2, stride)]

    def ids(insert, stride, context, frame=0):
        upstream, downstream = PLASMID_AROUND_INSERT
        bases = "".join(base if base in "ACGT" else "N" for base in "N" * frame + insert)
        full = max(3, len(bases) + (-len(bases) % 3 if stride == 3 else 0))
        return [
            2,
            *kmer_ids(upstream[150 - context :], stride),
            *kmer_ids(bases.ljust(full, "N"), stride),
            *kmer_ids(downstream[:context], stride),
            3,
        ]

    return ids


@pytest.fixture(scope="session")
def tiny_config():
    """A config 16 wide, without dropout, whose weights are large enough that sequences are told apart."""

    def config(**kwargs):
        tiny = dict(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            initializer_range=0.5,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        return DreamBertConfig(**tiny | dict(stride=3, context=30) | kwargs)

    return config


@pytest.fixture(scope="session")
def tiny_model(tiny_config):
    def model(**kwargs):
        torch.manual_seed(0)
        return BertForSequenceRegression(tiny_config(**kwargs)).eval()

    return model


@pytest.fixture(scope="session")
def tiny_masked_lm(tiny_config):
    torch.manual_seed(0)
    return DreamBertForMaskedLM(tiny_config()).eval()


@pytest.fixture(scope="session")
def inserts():
    """Inserts of mixed length, 1 to 100 bp."""
    draw = random.Random(1)
    return ["".join(draw.choices("ACGTN", k=length)) for length in [80, 3, 100, 1, 80, 79, 81, 2]]


@pytest.fixture(scope="session")
def promoters():
    """Insert to expression: three of four inserts 80 bp long, the others 3 to 100 bp."""
    draw = random.Random(2)
    lengths = [80 if row % 4 else draw.randint(3, 100) for row in range(240)]
    return {"".join(draw.choices("ACGT", k=length)): round(draw.uniform(0, 17), 3) for length in lengths}


@pytest.fixture(scope="session")
def prepared(promoters, tmp_path_factory):
    """A prepared folder of `promoters`, all of them in `mlm` too; 20 rows in each held-out split."""
    folder = tmp_path_factory.mktemp("prepared")
    source = folder / "promoters.tsv"
    source.write_text("".join(f"{insert}\t{expression}\n" for insert, expression in promoters.items()))
    prepare([source], folder / "data", top_fraction=1.0, mlm_validation=20, validation=20, test=20)
    return folder / "data"
