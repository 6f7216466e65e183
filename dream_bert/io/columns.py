"""Find the columns of a table that hold sequences, ids and labels, by given names or by the usual ones."""

import re
from collections.abc import Sequence

from ..errors import ReadError
from .records import USUAL, Columns
from .streams import shown

USUAL_NAMES = Columns(
    sequence=(
        *("sequence", "seq", "dna_sequence", "dna_seq", "oligo_sequence", "oligo_seq", "insert_sequence"),
        *("insert_seq", "promoter_sequence", "promoter_seq", "dna", "rna", "insert", "oligo", "promoter"),
    ),
    id=(
        *("id", "name", "sequence_id", "seq_id", "oligo_id", "insert_id", "promoter_id", "record_id"),
        *("sequence_name", "seq_name", "oligo_name", "insert_name", "promoter_name"),
    ),
    label=("expression", "activity", "mean_expression", "mean_expr", "expr", "label"),
)
"""Usual names of columns, as `plain_name` writes them. Where a table has several, the first of the list is taken."""


def plain_name(name: str) -> str:
    """Return a column's name in lower case, with `_` between words and without a leading `#`.

    >>> plain_name("#Oligo ID"), plain_name(" Promoter.Sequence")
    ('oligo_id', 'promoter_sequence')
    """
    return re.sub(r"[\s.\-]+", "_", name.strip().removeprefix("#").strip()).lower()


def is_usual_sequence(name: str) -> bool:
    """Return whether a column of this name holds the sequences."""
    return plain_name(name) in USUAL_NAMES.sequence


def is_header(cells: Sequence[str], columns: Columns = USUAL) -> bool:
    """Return whether cells are a header, judged by their names. A header may lack the column of sequences."""
    if any(_find(cells, wanted) for wanted in named_columns(columns)):
        return True
    names = {plain_name(cell) for cell in cells}
    if not names.isdisjoint(USUAL_NAMES.sequence):
        return True
    return len(cells) > 1 and not names.isdisjoint((*USUAL_NAMES.id, *USUAL_NAMES.label))


def named_columns(columns: Columns) -> list[str]:
    """Return the names that are given, one by one.

    >>> named_columns(Columns(id="clone", label=("rep1", "rep2")))
    ['clone', 'rep1', 'rep2']
    """
    labels = columns.label if isinstance(columns.label, tuple) else (columns.label,)
    return [name for name in (columns.sequence, columns.id, *labels) if name is not None]


def find_columns(
    header: Sequence[str], where: str, labelled: bool, columns: Columns = USUAL
) -> tuple[int, tuple[int, ...], int | None]:
    """Return the places of the sequence, the labels and the id among the columns' names.

    Args:
        header: the names as the input has them.
        where: file and line, for messages.
        labelled: whether a column of labels is needed.
        columns: the names to look for, exactly and then in any case. Default: the usual names.

    Returns:
        The place of the sequence, those of the labels (none unless `labelled`), and that of the id, or None.

    Raises:
        ReadError: if a named column, the sequences or (if `labelled`) the labels are missing, or two columns have the
            same name.
    """
    sequence = _place(header, "sequence", columns.sequence, where)
    id = _place(header, "id", columns.id, where)
    wanted = columns.label if isinstance(columns.label, tuple) else (columns.label,)
    labels = [_place(header, "label", name, where, labelled) for name in wanted]
    if sequence is None:
        raise ReadError(
            f"{where}: has no column 'sequence' but {_listed(header)}; rename the column, or name it with "
            "--sequence-column"
        )
    if not labelled:
        return sequence, (), id
    if None in labels:
        raise ReadError(
            f"{where}: has no column 'expression' or 'activity' but {_listed(header)}; rename the column of labels, "
            "or name it with --label-column"
        )
    if len({*labels}) < len(labels):
        raise ReadError(f"{where}: the columns of labels {', '.join(wanted)!r:.200} name one twice; name each once")
    return sequence, tuple(labels), id


def _place(header: Sequence[str], kind: str, wanted: str | None, where: str, needed: bool = True) -> int | None:
    """Return the place of one column; None if it is not named and not there."""
    if wanted is not None:
        found = _find(header, wanted)
        if not found:
            raise ReadError(f"{where}: has no column {wanted!r:.80} but {_listed(header)}; name one of these")
    else:
        usual = getattr(USUAL_NAMES, kind)
        names = [plain_name(name) for name in header]
        if kind == "id" and names[0] == "" and len(names) > 1:  # row names, as of R's write.csv and pandas
            names[0] = usual[-1] if set(names).isdisjoint(usual) else ""
        found = next(([i for i, name in enumerate(names) if name == known] for known in usual if known in names), [])
    if len(found) > 1 and needed:
        raise ReadError(f"{where}: has {len(found)} columns {header[found[0]].strip()!r:.80}; keep one")
    return found[0] if found else None


def other_columns(header: Sequence[str], places: Sequence[int | None], where: str) -> dict[str, int]:
    """Return the names and places of the columns that are not among `places`.

    Raises:
        ReadError: if two of them have the same name.
    """
    others = {}
    for place, name in enumerate(header):
        if place in places:
            continue
        if (name := name.strip()) in others:
            raise ReadError(f"{where}: has 2 columns {name!r:.80}; rename one to keep both")
        others[name] = place
    return others


def _find(header: Sequence[str], wanted: str) -> list[int]:
    """Return the places of a name: of exact matches, or else of those in any case and without a leading `#`."""
    exact = [place for place, name in enumerate(header) if name.strip() == wanted]
    return exact or [place for place, name in enumerate(header) if plain_name(name) == plain_name(wanted)]


def _listed(header: Sequence[str]) -> str:
    return shown(", ".join(name.strip() for name in header))
