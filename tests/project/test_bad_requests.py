"""Bad sequences and requests to the library and to the handler of an endpoint."""

import pytest
import torch
from refusals import assert_one_line, assert_refused, write

from dream_bert import SequenceError, predict


@pytest.mark.parametrize("sequence", [None, 5, float("nan"), b"ACGT", ["ACGT"]])
def test_what_is_no_string_is_no_sequence(sequence, model):
    with pytest.raises(SequenceError, match="record '1': .* is no text; give a string"):
        predict(["ACGT", sequence], model)


REQUESTS = {
    "no object": (None, "the request is no object; "),
    "a list for a request": ([{"inputs": "ACGT"}], "the request is no object; "),
    "no inputs": ({}, "inputs is not a string or a list of strings; "),
    "NaN among sequences": ({"inputs": ["ACGT", float("nan")]}, "inputs is not a string or a list of strings; "),
    "1 Mb": ({"inputs": "A" * 10**6}, "record '0': the insert is 1000000 bp, more than the model's 128 positions; "),
    "over 1 Mb": ({"inputs": "A" * (10**6 + 1)}, "inputs has 1000001 characters; "),
    "NUL": ({"inputs": "AC\0GT"}, r"record '0': character '\x00' at base 3 "),
    "half a character": ({"inputs": "AC\ud800"}, r"record '0': character '\ud800' at base 3 "),
    "lines of old Macs": ({"inputs": "ACGT\rACGT"}, "inputs has several lines and is no FASTA; "),
    "protein": ({"inputs": ">a\nMKTAYIAKQR"}, "record 'a': character 'I' at base 6 "),
    "a header without sequence": ({"inputs": ">a\n>b\nACGT"}, "record 'a': the sequence is empty; "),
    "a name without end": ({"inputs": f">{'a' * 10**5}\nAC-T"}, f"record '{'a' * 60}…': character '-' at base 3 "),
}


@pytest.mark.parametrize(("request_", "message"), REQUESTS.values(), ids=REQUESTS)
def test_handler(handler, request_, message):
    with pytest.raises(ValueError) as error:
        handler(request_)
    assert_one_line(str(error.value), message)


@pytest.mark.parametrize("text", ["\ufeff>a\nAC\nGT\n>b\nTT", ">a\r\nACGT\r\n>b\r\nTT\r\n", ">a\rAC\rGT\r >b\rTT"])
def test_handler_reads_fasta_of_any_system(handler, text):
    assert handler({"inputs": text}) == handler({"inputs": ">a\nACGT\n>b\nTT\n"})


def test_a_model_that_gives_no_number(model, working_folder, handler, monkeypatch, capsys):
    from dream_bert import BertForSequenceRegression

    broken = BertForSequenceRegression.from_pretrained(model)
    with torch.no_grad():
        broken.classifier.bias.fill_(torch.nan)
    broken.save_pretrained("broken")
    capsys.readouterr()  # transformers' progress bars, if no test before has silenced them
    write("ACGT\n")
    message = "input:1: record '0': the model predicts no finite number; "
    assert_refused(["predict", "input", "--model", "broken", "-o", "out.tsv"], message, capsys)
    monkeypatch.setattr(handler, "model", broken)
    with pytest.raises(ValueError, match="record '0': the model predicts no finite number"):
        handler({"inputs": "ACGT"})
