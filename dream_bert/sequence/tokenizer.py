"""Build the 3-mer tokenizer. All its rules are in `tokenizer.json`, so loading it needs none of this code."""

import json
from itertools import product
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase, Normalizer, Replace, Sequence
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast
from transformers.utils import cached_file

from ..models.config_checks import read_json
from ..models.configuration_dream_bert import DreamBertConfig
from .construct import OLIGO_END, OLIGO_START, UPSTREAM
from .encoding import BASES, SPECIAL_TOKENS, VOCABULARY, K, context_ids

_PRIVATE_USE = 0xE000


class KmerTokenizer(PreTrainedTokenizerFast):
    """3-mers of DNA over A C G T N; 130 tokens; stride 3 or 1.

    Lower case and U are accepted, white space is removed, other characters read as N. The oligo's exact constants (17
    and 13 bp) are removed, so insert and oligo have the same ids. With stride 3, N or NN before a sequence chooses
    reading frame 1 or 2. `[MASK]` in the text is one token.

    Offsets (`return_offsets_mapping`) cover whole 3-mers with stride 3. With stride 1 this class refuses them:
    `tokenizer.json` can express the first base of each 3-mer only, which is what stock tokenizers return.

    >>> tokenizer = KmerTokenizer.build(stride=3, context=0)
    >>> tokenizer.tokenize("acgtn ryg")
    ['ACG', 'TNN', 'NGN']
    >>> KmerTokenizer.build(stride=1, context=0).tokenize("ACGTA")
    ['ACG', 'CGT', 'GTA']
    """

    model_input_names = ["input_ids", "attention_mask"]
    # No __init__: with one, a reloaded tokenizer would lose the rules of tokenizer.json.

    def __call__(self, *args, return_offsets_mapping: bool = False, **kwargs):
        """Tokenize as stock does.

        Raises:
            NotImplementedError: if `return_offsets_mapping` is true and the stride is 1.
        """
        if return_offsets_mapping and len(self.tokenize("ACGTAC")) > 2:
            raise NotImplementedError(
                "return_offsets_mapping: with stride 1, token i of the sequence covers its bases i to i + 2; "
                "offsets of overlapping tokens cannot be given"
            )
        return super().__call__(*args, return_offsets_mapping=return_offsets_mapping, **kwargs)

    def _save_pretrained(self, save_directory: str | Path, *args, **kwargs) -> tuple[str, ...]:
        # Name a class of transformers in `tokenizer_config.json`, so that no loader needs this class. It is written
        # already; the call below may upload it.
        path = Path(save_directory, "tokenizer_config.json")
        config = json.loads(path.read_text(encoding="utf-8")) | {"tokenizer_class": "PreTrainedTokenizerFast"}
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        return super()._save_pretrained(save_directory, *args, **kwargs)

    @classmethod
    def from_pretrained(cls, name: str | Path, **hub: Any) -> "KmerTokenizer":
        """Rebuild the tokenizer of a folder or Hub id; the rules in its files are compared, never run.

        Args:
            name: folder or Hub id.
            **hub: arguments of the download, such as `revision`, `token` or `cache_dir`.

        Raises:
            ValueError: if `tokenizer.json` is not what `build` makes, or `model_max_length` is missing.
            OSError: if there is no tokenizer.
        """
        path = cached_file(name, "tokenizer.json", **hub)
        found = _rules(read_json(path))
        config_path = cached_file(name, "tokenizer_config.json", **hub)
        positions = read_json(config_path).get("model_max_length")
        if not isinstance(positions, int):
            raise ValueError(f"{config_path}: model_max_length is {positions!r}; give the model's number of positions")
        for stride, context in _layouts(found):
            built = cls.build(stride, context, positions)
            if _rules(json.loads(built.backend_tokenizer.to_str())) == found:
                built.name_or_path = str(name)
                return built
        raise ValueError(f"{path}: is no tokenizer of this package; load it with AutoTokenizer")

    @classmethod
    def build(cls, stride: int = 3, context: int = 150, positions: int = 512) -> "KmerTokenizer":
        """Build the tokenizer for a stride (1 or 3 bp), a context (bp on each side) and a model's number of positions.

        Raises:
            ValueError: if no `DreamBertConfig` has that stride, context and positions.
        """
        DreamBertConfig(stride=stride, context=context, max_position_embeddings=positions)
        tokenizer = Tokenizer(WordLevel({token: i for i, token in enumerate(VOCABULARY)}, unk_token="[UNK]"))
        tokenizer.normalizer = Sequence(_cleaning() + (_overlaps() if stride == 1 else [Replace(Regex("$"), "NN")]))
        kmer = "[ACGTN]{3}(?= )" if stride == 1 else "[ACGTN]{3}"
        tokenizer.pre_tokenizer = Split(Regex(kmer), "removed", invert=True)
        upstream, downstream = ([VOCABULARY[i] for i in ids] for ids in context_ids(stride, context))
        # The context consists of template pieces, so it is never masked, and surrounds any text once.
        pieces = dict.fromkeys(["[CLS]", *upstream, *downstream, "[SEP]"])
        single = ["[CLS]", *upstream, "$A", *downstream, "[SEP]"]
        tokenizer.post_processor = TemplateProcessing(
            single=single,
            pair=[*single, "$B:1", "[SEP]:1"],
            special_tokens=[(piece, VOCABULARY.index(piece)) for piece in pieces],
        )
        names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
        special = dict(zip(names, SPECIAL_TOKENS, strict=True))
        return cls(tokenizer_object=tokenizer, model_max_length=positions, **special)


def _rules(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Return a `tokenizer.json` without the settings that callers change in use."""
    return {name: value for name, value in tokenizer.items() if name not in ("truncation", "padding", "version")}


def _layouts(rules: dict[str, Any]) -> list[tuple[int, int]]:
    """Return the strides and contexts whose template has as many pieces before the sequence as these rules."""
    try:
        before = [list(piece) for piece in rules["post_processor"]["single"]].index(["Sequence"]) - 1
    except (KeyError, TypeError, ValueError):
        return []
    layouts = [(1, before + K - 1 if before else 0), (3, 3 * before)]
    return [(stride, context) for stride, context in layouts if 0 <= context <= len(UPSTREAM)]


def _cleaning() -> list[Normalizer]:
    """Return rules that reduce any text to A C G T N, without the oligo's constants."""
    upper = [Replace(lower, upper) for lower, upper in ["aA", "cC", "gG", "tT", "uT"]]
    return [
        Replace(Regex(r"[\s\x1c-\x1f]+"), ""),  # the same white space as Python's str.split
        Lowercase(),
        *upper,
        Replace(Regex("[^ACGT]"), "N"),
        # One or two N before the constant choose a reading frame.
        Replace(Regex(f"(?<=^|^N|^NN){OLIGO_START}"), ""),
        Replace(Regex(f"{OLIGO_END}$"), ""),
    ]


def _overlaps() -> list[Normalizer]:
    """Return rules that replace every base by the 3-mer that begins with it and a space: `ACGT` to `ACG CGT GT`.

    The rules run one after the other, so a rule may find the bases on its right already replaced. Each 3-mer therefore
    becomes one private-use character first, which later rules read as its first base; in the end, all these characters
    are replaced by their 3-mers.
    """
    kmers = ["".join(kmer) for kmer in product(BASES, repeat=K)]
    code = {kmer: chr(_PRIVATE_USE + i) for i, kmer in enumerate(kmers)}
    begins = {base: base + "".join(code[kmer] for kmer in kmers if kmer[0] == base) for base in BASES}
    fill = [Replace(Regex("(?<=^[ACGTN])$"), "NN"), Replace(Regex("(?<=^[ACGTN]{2})$"), "N")]
    encode = [Replace(Regex(f"{a}(?=[{begins[b]}][{begins[c]}])"), code[a + b + c]) for a, b, c in kmers]
    return fill + encode + [Replace(code[kmer], f"{kmer} ") for kmer in kmers]


def write_tokenizer(folder: str | Path, stride: int = 3, context: int = 150, positions: int = 512) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` of a tokenizer into a folder."""
    KmerTokenizer.build(stride, context, positions).save_pretrained(folder)
