"""Notes on inserts outside of what a model was trained on, and how often a warning counts them."""

import pytest
from plasmid import PLASMID_AROUND_INSERT

from dream_bert.errors import InputWarning
from dream_bert.inference.notes import InsertReader
from dream_bert.inference.prediction import predict
from dream_bert.io.records import Record
from dream_bert.sequence.construct import SequenceError
from dream_bert.sequence.orientation import reverse_complement

START, END = PLASMID_AROUND_INSERT[0][-17:], PLASMID_AROUND_INSERT[1][:13]
INSERT = "GATTACAT" * 10


def read(reader, sequence, id="p"):
    return reader(Record(id, sequence, None, ""))


@pytest.mark.parametrize(
    ("lengths", "length", "note"),
    [
        ([80, 80], 71, "shorter than 72 bp"),
        ([80, 80], 72, ""),
        ([80, 80], 88, ""),
        ([80, 80], 89, "longer than 88 bp"),
        ([75, 105], 67, "shorter than 68 bp"),
        ([75, 105], 68, ""),
        ([75, 105], 115, ""),
        ([75, 105], 116, "longer than 115 bp"),
        ([1, 1], 1, ""),
        (None, 1, ""),
        (None, 200, ""),
    ],
)
def test_a_tenth_beyond_the_lengths_trained_on_needs_no_note(lengths, length, note):
    assert read(InsertReader(200, lengths), "C" * length) == ("C" * length, note)


@pytest.mark.parametrize(("insert", "noted"), [("ACGTACGTAN", 0), ("ACGTACGTNR", 1), ("N", 1), ("acguacgu", 0)])
def test_more_than_a_tenth_of_what_reads_as_n_is_noted(insert, noted):
    assert read(InsertReader(99), insert)[1] == noted * "more than 10 % N"


CHANGED = "C" + START[1:] + INSERT + END
FLANKED = "CAT" + START + INSERT + END + "CC"
REVERSED = reverse_complement(START + INSERT + END)
BOTH = reverse_complement("CAT" + CHANGED[3:])


@pytest.mark.parametrize(
    ("sequence", "note", "oriented"),
    [
        (INSERT, "", ""),
        (START + INSERT + END, "", ""),
        (CHANGED, "changed oligo constant", "changed oligo constant cut off"),
        (FLANKED, "bases outside of the oligo", "bases outside of the oligo cut off"),
        (REVERSED, "oligo on the other strand", "read on the other strand"),
        (
            reverse_complement(CHANGED),
            "oligo on the other strand; changed oligo constant",
            "read on the other strand; changed oligo constant cut off",
        ),
    ],
)
def test_an_oligo_that_is_not_exact_is_noted_and_read_when_asked(sequence, note, oriented):
    insert, found = read(InsertReader(128), sequence)
    assert found == note
    assert note or insert == INSERT
    assert read(InsertReader(128, orient=True), sequence) == (INSERT, oriented)


def test_without_orient_the_tokenizer_s_reading_stays():
    assert read(InsertReader(128), CHANGED)[0] == CHANGED.removesuffix(END)
    assert read(InsertReader(128), REVERSED)[0] == REVERSED
    assert read(InsertReader(128), FLANKED)[0] == FLANKED


def test_the_length_is_that_of_what_is_read():
    sequence = REVERSED + "A" * 40
    with pytest.raises(SequenceError, match="the insert is 150 bp and the model reads at most 128 bp"):
        read(InsertReader(128), sequence)
    assert read(InsertReader(128, orient=True), sequence)[0] == INSERT
    with pytest.raises(SequenceError, match="nothing is left"):
        read(InsertReader(128, orient=True), CHANGED.replace(INSERT, ""))


def test_one_warning_a_kind_counts_and_names_the_first():
    reader = InsertReader(128, [80, 80])
    for number in range(30):
        read(reader, INSERT, f"good{number}")
    for id, sequence in (("s\x1b[1", "ACGT"), ("t", "ACGN"), ("r", REVERSED), ("u", "N" * 80)):
        read(reader, sequence, id)
    with pytest.warns(InputWarning) as caught:
        reader.warn()
    messages = sorted(str(warning.message) for warning in caught)
    assert [message.split(";")[0] for message in messages] == [
        "1 of 34 sequences are longer than 88 bp (first: 'r')",
        "1 of 34 sequences are oligos on the other strand, and were scored as they stand (first: 'r')",
        "2 of 34 sequences are shorter than 72 bp (first: 's\\x1b[1')",
        "2 of 34 sequences hold more than 10 % N (first: 't')",
    ]
    assert messages[0].endswith("; the model was trained on 80 bp")
    assert "--orient" in messages[1]


def test_nothing_noted_warns_of_nothing(recwarn):
    reader = InsertReader(128, [80, 80])
    read(reader, INSERT)
    reader.warn()
    assert not recwarn


def test_predict_warns_where_it_is_called_and_reads_oligos_when_asked(tiny_model):
    model = tiny_model(stride=1, context=0, max_position_embeddings=128, insert_lengths=[60, 80])
    with pytest.warns(InputWarning) as caught:
        values = predict([INSERT, CHANGED, "ACGT"], model)
    assert len(caught) == 3 and {warning.filename for warning in caught} == {__file__}
    assert any("1 of 3 sequences are shorter than 54 bp (first: '2'); the model was trained on 60 to 80 bp" in
               str(warning.message) for warning in caught)  # fmt: skip
    with pytest.warns(InputWarning, match="changed bases"):
        oriented = predict([INSERT, CHANGED, REVERSED], model, orient=True)
    assert abs(values[0] - values[1]) > 1e-3
    assert oriented.tolist() == [values[0]] * 3
