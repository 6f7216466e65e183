"""Tables as people write them: which column holds what, and whether the first line is a header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import LONG, OTHER, THIRD, refusal

from dream_bert.errors import ReadError
from dream_bert.io.columns import USUAL_NAMES
from dream_bert.io.reader import read_records
from dream_bert.io.records import Columns

BASES = st.text("ACGT", min_size=20, max_size=40)


@pytest.mark.parametrize("name", [*USUAL_NAMES.sequence, "Sequence", "SEQ", "Oligo Sequence", "Promoter.Seq", "#seq"])
def test_usual_names_of_sequences(read, name):
    assert read(f"{name}\n{LONG}\n{OTHER}\n") == [("0", LONG), ("1", OTHER)]
    assert read(f"x\t{name}\n1\t{LONG}\n2\t{OTHER}\n") == [("0", LONG), ("1", OTHER)]


def test_the_preferred_of_several_usual_names_is_taken(read):
    text = f"oligo,name,seq,id,activity,expression\no,n1,{LONG},i1,2,1\no,n2,{OTHER},i2,4,3\n"
    assert read(text, labelled=True) == [("i1", LONG, 1), ("i2", OTHER, 3)]


@pytest.mark.parametrize("asked", ["Bases", "BASES", "bases"])
def test_columns_by_given_names(read, asked):
    text = f"sequence\tBases\tLog2 Ratio\tclone\n{THIRD}\t{LONG}\t-1\tc1\n{THIRD}\t{OTHER}\t2\tc2\n"
    columns = Columns(asked, "clone", "log2 ratio")
    assert read(text, labelled=True, columns=columns) == [("c1", LONG, -1), ("c2", OTHER, 2)]


def test_an_exact_name_is_preferred_to_one_in_another_case(read):
    text = f"DNA,dna\n{LONG},{OTHER}\n"
    assert read(text, columns=Columns("dna")) == [("0", OTHER)]
    assert read(text, columns=Columns("DNA")) == [("0", LONG)]
    assert "has 2 columns" in refusal(read, text, columns=Columns("Dna"))
    assert "has 2 columns" in refusal(read, text)


def test_a_column_that_is_not_there_is_refused_with_those_that_are(read):
    message = refusal(read, f"id\tbases\tmean\na\t{LONG}\t1\n")
    assert ":1: has no column 'sequence' but id, bases, mean; " in message and "--sequence-column" in message
    message = refusal(read, f"sequence,mean\n{LONG},1\n", columns=Columns(label="median"), labelled=True)
    assert ":1: has no column 'median' but sequence, mean; " in message
    message = refusal(read, f"{LONG}\n{OTHER}\n", columns=Columns("dna"))
    assert ":1: has no column 'dna' but ACGT" in message and "add a header" in message
    assert "is FASTA, which has no columns" in refusal(read, f">a\n{LONG}\n", columns=Columns("dna"))


def test_other_columns_are_kept_in_order(tmp_path):
    path = tmp_path / "rows"
    path.write_text(f"clone\tseq\tid\tnote\n7\t{LONG}\ta\t x\n8\t{OTHER}\tb\t\n")
    assert [row.others for row in read_records(path, keep=True)] == [
        {"clone": "7", "note": " x"},
        {"clone": "8", "note": ""},
    ]
    assert all(row.others is None for row in read_records(path))
    path.write_text(f">a first\tone\nAC\n>b\nGT\n{LONG}\n")
    assert [row.others for row in read_records(path, keep=True)] == [
        {"description": "first\tone"},
        {"description": ""},
    ]
    path.write_text(f"note,seq,note\n1,{LONG},2\n")
    with pytest.raises(ReadError, match="has 2 columns 'note'; rename one to keep both"):
        list(read_records(path, keep=True))
    assert len(list(read_records(path))) == 1


@pytest.mark.parametrize("words", ["cat", "tag", "mut\twt", "Chr\tname2", "bar\tmean", "DNAs", "TAG", "promoter_a"])
@pytest.mark.parametrize("labelled", [False, True])
def test_a_header_is_never_a_sequence(read, words, labelled):
    width = words.count("\t") + 1
    rows = [[LONG, "5"], [OTHER, "6.5"], [THIRD, "-7"]] if width == 2 and words != "mut\twt" else [[LONG, OTHER]] * 3
    text = "".join("\t".join(cells) + "\n" for cells in [words.split("\t"), *(row[:width] for row in rows)])
    message = refusal(read, text, labelled=labelled)
    assert f":1: has no column 'sequence' but {words.replace(chr(9), ', ')}; " in message


@given(st.lists(BASES, min_size=1, max_size=20), st.sampled_from(["tag", "wt", "sum", "chr", "Bar", "mut", "dam"]))
def test_a_word_above_sequences_is_never_read_as_a_sequence(tmp_path_factory, sequences, word):
    path = tmp_path_factory.getbasetemp() / "words"
    path.write_text("\n".join([word, *sequences]))
    with pytest.raises(ReadError, match="put a line 'sequence' before it"):
        list(read_records(path))
    path.write_text("\n".join(["sequence", word, *sequences]))
    assert [row.sequence for row in read_records(path)] == [word, *sequences]


@given(st.lists(BASES, min_size=1, max_size=20))
def test_sequences_are_not_taken_for_headers(tmp_path_factory, sequences):
    path = tmp_path_factory.getbasetemp() / "sequences"
    path.write_text("\n".join(sequences))
    assert [row.sequence for row in read_records(path)] == sequences
    path.write_text("".join(f"{sequence}\t{label}\n" for label, sequence in enumerate(sequences)))
    assert [(row.sequence, row.expression) for row in read_records(path, labelled=True)] == [
        (sequence, label) for label, sequence in enumerate(sequences)
    ]


def test_a_short_first_line_that_is_repeated_below_is_a_sequence(read):
    assert read(f"TATA\n{LONG}\nTATA\n") == [("0", "TATA"), ("1", LONG), ("2", "TATA")]
    assert read(f"TAG\t3\n{LONG}\t4\n", labelled=True) == [("0", "TAG", 3), ("1", LONG, 4)]


def test_a_bad_row_among_the_first_hides_no_header(read):
    rows = [LONG] * 20 + ["AC-GT"] + [OTHER] * 20
    assert "no column 'sequence' but tag" in refusal(read, "\n".join(["tag", *rows]))


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_a_table_without_a_header(read, delimiter):
    rows = [["prom_1", LONG, "1.5"], ["prom_2", OTHER, "2"]]

    def text(*places: int) -> str:
        return "".join(delimiter.join(row[place] for place in places) + "\n" for row in rows)

    assert read(text(0, 1)) == [("prom_1", LONG), ("prom_2", OTHER)]
    assert read(text(0, 1, 2), labelled=True) == [("prom_1", LONG, 1.5), ("prom_2", OTHER, 2)]
    assert read(text(1, 2), labelled=True) == [("0", LONG, 1.5), ("1", OTHER, 2)]
    for places in ((2, 1), (1, 1), (0, 2, 1), (0, 0, 1)):
        message = refusal(read, text(*places))
        assert f":1: has {len(places)} columns and no header" in message and "add a header" in message


def test_ids_of_letters_that_are_codes_of_bases_are_not_scored(read):
    assert read(f"a\t{LONG}\nb\t{OTHER}\n") == [("a", LONG), ("b", OTHER)]
    assert "no header" in refusal(read, f"gata\t{LONG}\ncat\t{OTHER}\n")
