// Find a table's columns by their usual names, as dream_bert/io/columns.py does.

import { shortened, strip, TextError } from "./text.js";

const SEQUENCE = [
  ..."sequence seq dna_sequence dna_seq oligo_sequence oligo_seq insert_sequence insert_seq".split(" "),
  ..."promoter_sequence promoter_seq dna rna insert oligo promoter".split(" "),
];
const ID = [
  ..."id name sequence_id seq_id oligo_id insert_id promoter_id record_id".split(" "),
  ..."sequence_name seq_name oligo_name insert_name promoter_name".split(" "),
];
const LABEL = "expression activity mean_expression mean_expr expr label".split(" ");

const plainName = (name) => strip(strip(name).replace(/^#/, "")).replace(/[\s.-]+/g, "_").toLowerCase();

/** Whether cells are a header by their names; it may lack the column of sequences. */
export function isHeader(cells) {
  const names = cells.map(plainName);
  const has = (usual) => names.some((name) => usual.includes(name));
  return has(SEQUENCE) || (cells.length > 1 && (has(ID) || has(LABEL)));
}

/** The places of sequence and id (undefined if there is none) among a header's names; throws a TextError. */
export function findColumns(header, line) {
  const names = header.map(plainName);
  const find = (usual) => {
    const name = usual.find((name) => names.includes(name));
    const found = header.filter((_, place) => names[place] === name);
    if (found.length > 1) throw new TextError(line, `has ${found.length} columns '${strip(found[0])}'; keep one`);
    return name && names.indexOf(name);
  };
  const sequence = find(SEQUENCE);
  if (sequence === undefined) throw noColumn(header, line);
  const rowNames = names[0] === "" && names.length > 1 ? 0 : undefined; // as R's write.csv and pandas have them
  return { sequence, id: find(ID) ?? rowNames };
}

export function noColumn(header, line) {
  const names = shortened(header.map(strip).join(", "));
  return new TextError(line, `has no column 'sequence' but ${names}; rename the column`);
}
