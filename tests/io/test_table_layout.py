"""Tables as spreadsheets, R and people write them: columns, headers, delimiters, comments."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.errors import InputWarning, ReadError
from dream_bert.io.columns import USUAL_NAMES
from dream_bert.io.reader import read_records, scan_records
from dream_bert.io.records import BadRow, Columns

LONG, OTHER, THIRD = "ACGTTGCAAC" * 4, "TTGACCATGA" * 4, "GGCATTACGT" * 4
BASES = st.text("ACGT", min_size=20, max_size=40)


@pytest.fixture
def read(tmp_path):
    """Id, sequence and (if asked for) label of each row of a text."""

    def read(text: str, labelled: bool = False, **kwargs) -> list[tuple]:
        path = tmp_path / "rows"
        path.write_text(text, encoding="utf-8")
        rows = read_records(path, labelled, **kwargs)
        return [(row.id, row.sequence, row.expression)[: 3 if labelled else 2] for row in rows]

    return read


def refusal(read, text: str, **kwargs) -> str:
    with pytest.raises(ReadError) as error:
        read(text, **kwargs)
    message = str(error.value)
    assert message.isprintable() and "; " in message
    return message


# --- columns ----------------------------------------------------------------------------------------------------


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


# --- headers ----------------------------------------------------------------------------------------------------


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


# --- spreadsheets, R --------------------------------------------------------------------------------------------


def test_semicolons_a_bom_and_decimal_commas(read):
    text = f"\ufeffName;Seq;Expression\nx;{LONG};-0,5\ny;{OTHER};12\n"
    assert read(text, labelled=True) == [("x", LONG, -0.5), ("y", OTHER, 12)]
    assert read("sep=;\n" + text.lstrip("\ufeff"), labelled=True) == [("x", LONG, -0.5), ("y", OTHER, 12)]
    assert read(f"sep=,\nseq,id\n{LONG},z\n") == [("z", LONG)]
    assert read(f"seq\texpression\n{LONG}\t1,25\n{OTHER}\t2,5\n", labelled=True)[0][2] == 1.25


@pytest.mark.parametrize(
    "text",
    [
        f"seq\texpression\n{LONG}\t1,250\n{OTHER}\t12,500\n",  # perhaps thousands
        f"seq\texpression\n{LONG}\t1,5\n{OTHER}\t2.5\n",
        f'seq,expression\n{LONG},"1,5"\n',
        f"{LONG}\t1,5\n{OTHER}\t2,5\n",
    ],
)
def test_commas_that_may_not_be_decimal_are_refused(read, text):
    assert "is no number" in refusal(read, text, labelled=True)


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_row_names_of_r(read, quote, delimiter):
    header = delimiter.join(f"{quote}{name}{quote}" for name in ("expression", "sequence"))
    rows = "".join(
        f"{quote}{name}{quote}{delimiter}{label}{delimiter}{quote}{sequence}{quote}\n"
        for name, sequence, label in [("g1", LONG, 3), ("g2", OTHER, 4)]
    )
    expected = [("g1", LONG, 3), ("g2", OTHER, 4)]
    assert read(f"{header}\n{rows}", labelled=True) == expected
    unnamed = quote * 2 + delimiter + header  # as write.csv, or pandas
    assert read(f"{unnamed}\n{rows}", labelled=True) == expected
    assert read(f"{quote}seq{quote}\n{quote}g3{quote}\t{LONG}\n") == [("g3", LONG)]


def test_a_cell_too_many_is_no_row_name(tmp_path):
    path = tmp_path / "rows"
    for row in (f"{LONG},1,5", f"{LONG},1,"):
        path.write_text(f"sequence,expression\n{row}\n{row}\n")
        assert {row.reason for row in scan_records(path, labelled=True)} == {"wrong number of columns"}


@pytest.mark.parametrize(("text", "kind"), [("id|sequence\na|ACGT\n", "'|'"), ('"id" "seq"\n"a" "ACGT"\n', "spaces")])
def test_other_delimiters_are_named(read, text, kind):
    assert f":1: the columns are separated by {kind}; " in refusal(read, text)


# --- comments ---------------------------------------------------------------------------------------------------


def test_comment_lines(read):
    assert read(f"# made by hand\n#\tx\n\nid,seq\na,{LONG}\n# between\nb,{OTHER}\n") == [("a", LONG), ("b", OTHER)]
    assert read(f"# a list\n{LONG}\n# between\n{OTHER}\n") == [("0", LONG), ("1", OTHER)]
    assert read(f"; old\n# new\n>a\n{LONG}\n;between\n{OTHER}\n#end\n>b\n{LONG}\n") == [
        ("a", LONG + OTHER),
        ("b", LONG),
    ]


def test_a_header_that_begins_with_a_hash(read):
    assert read(f"# notes\n#Name\tseq\na\t{LONG}\n#b\t{OTHER}\n") == [("a", LONG), ("#b", OTHER)]
    assert read(f"#id\tsequence\n# more\nc\t{LONG}\n") == [("c", LONG)]


# --- ids of FASTA, wrapped sequences ----------------------------------------------------------------------------


def test_whole_headers_are_ids_where_first_words_are_equal(read):
    assert read(f"> prom 5\n{LONG}\n> prom 6 b\n{OTHER}\n") == [("prom 5", LONG), ("prom 6 b", OTHER)]
    assert read(f">prom 5\n{LONG}\n>prom 6\n{OTHER}\n") == [("prom 5", LONG), ("prom 6", OTHER)]
    assert read(f">prom 5\n{LONG}\n>other 5\n{OTHER}\n") == [("prom", LONG), ("other", OTHER)]
    assert read(f">prom\n{LONG}\n>prom\n{OTHER}\n") == [("prom", LONG), ("prom", OTHER)]
    assert read(f"> prom 5|1.5\n{LONG}\n", labelled=True) == [("prom 5", LONG, 1.5)]
    assert read(f">p|1 x\n{LONG}\n>p|1 y\n{OTHER}\n", labelled=True) == [("p", LONG, 1), ("p", OTHER, 1)]


@pytest.mark.parametrize(("lengths", "warned"), [([70, 70, 12], 1), ([70, 70], 0), ([70, 60, 12], 0), ([20, 8], 0)])
def test_lines_that_may_be_one_wrapped_sequence(read, lengths, warned):
    text = "\n".join(("ACGTTGA" * 20)[:length] for length in lengths)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(read(text)) == len(lengths)
    assert [warning.category for warning in caught] == [InputWarning] * warned
    assert all("; if so, put a FASTA header before it" in str(warning.message) for warning in caught)


# --- rows that cannot be used -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("seq,id\nAC,a\nAC,{}\nGT,c\n".format("x" * 5000), "id too long"),
        (">a\nAC\n>{} b\nAC\n>c\nGT\n".format("x" * 5000), "id too long"),
        (">a\nAC\n>b\nA\udcffC\nGG\n>c\nGT\n", "not text"),
        ("AC\nA\0C\nGT\n", "not text"),
        ("seq,id\nAC,a\nAC,\udce9\nGT,c\n", "not text"),
        ("seq,id\nAC,a\nAC\nGT,c\n", "wrong number of columns"),
        ("AC\n{}\nGT\n".format("A" * (1 << 22)), "line too long"),
        (">a\nAC\n>b\n{}>c\nGT\n".format(("A" * (1 << 20) + "\n") * 5), "sequence too long"),
        ("seq\nAC\n{}\nGT\n".format("A" * (1 << 22)), "line too long"),
    ],
)
def test_reading_goes_on_after_a_bad_row(tmp_path, text, reason):
    path = tmp_path / "rows"
    path.write_bytes(text.encode(errors="surrogateescape"))
    first, bad, last = scan_records(path)
    assert (first.sequence, last.sequence) == ("AC", "GT")
    assert isinstance(bad, BadRow) and bad.reason == reason
    assert str(bad.error()).isprintable()
    with pytest.raises(ReadError):
        list(read_records(path))


def test_other_columns_too_long_make_a_bad_row_only_where_they_are_kept(tmp_path):
    path = tmp_path / "rows"
    path.write_text(f"seq,note\nAC,{'x' * 70_000}\n")
    assert [row.reason for row in scan_records(path, keep=True)] == ["other columns too long"]
    assert [row.sequence for row in read_records(path)] == ["AC"]
