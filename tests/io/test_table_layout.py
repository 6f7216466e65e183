"""Tables as spreadsheets, R and people write them: delimiters, decimal commas, row names, comments."""

import pytest
from made_tables import LONG, OTHER, refusal

from dream_bert.io.reader import scan_records


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
