// From any input sequence to the insert: what dream_bert/sequence/construct.py does, for the page.

import { SPACE } from "./text.js";

export const OLIGO_START = "TGCATTTTTTTCACATC";
export const OLIGO_END = "GGTTACGGCTGTT";

const START = new RegExp(`^([^ACGT]{0,2})${OLIGO_START}`);
const NOT_IUPAC = /[^ACGTURYSWKMBDHVNacgturyswkmbdhvn]/u;

/** The insert of an upper-case sequence: each oligo constant is taken off where it stands exactly. */
export function toInsert(sequence) {
  const insert = sequence.replace(START, "$1");
  return insert.endsWith(OLIGO_END) ? insert.slice(0, -OLIGO_END.length) : insert;
}

/** The oligo of an insert. The tokenizer takes its ends off again, and nothing else. */
export function toOligo(insert) {
  return OLIGO_START + insert + OLIGO_END;
}

/** The bases of a sequence as read, in upper case and T for U; throws an Error that says what is wrong. */
export function checkBases(sequence) {
  const bases = sequence.replace(SPACE, "");
  const wrong = NOT_IUPAC.exec(bases);
  if (wrong) {
    const where = `character '${wrong[0]}' at base ${wrong.index + 1}`;
    throw new Error(`${where} is not an IUPAC nucleotide code; remove or replace it`);
  }
  if (!bases) throw new Error("the sequence is empty; give at least 1 bp of insert");
  return bases.toUpperCase().replaceAll("U", "T");
}

/** The insert; throws an Error if it is empty or longer than the model reads. */
export function checkLength(insert, longest) {
  if (!insert) throw new Error("nothing is left between the oligo's constants; give at least 1 bp of insert");
  if (insert.length > longest) {
    const what = `the insert is ${insert.length} bp and the model reads at most ${longest} bp`;
    throw new Error(`${what}; score windows of it`);
  }
  return insert;
}
