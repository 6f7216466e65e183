// From any input sequence to the insert: what dream_bert/construct.py does, for the page.

export const OLIGO_START = "TGCATTTTTTTCACATC";
export const OLIGO_END = "GGTTACGGCTGTT";

/** White space as Python has it; JavaScript's own `\s` differs in a few characters. */
export const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

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

/** The insert of a sequence as read; throws an Error that says what is wrong and what to do. */
export function checkInsert(sequence, longest) {
  const bases = sequence.replace(SPACE, "");
  const wrong = NOT_IUPAC.exec(bases);
  if (wrong) {
    const where = `character '${wrong[0]}' at base ${wrong.index + 1}`;
    throw new Error(`${where} is not an IUPAC nucleotide code; remove or replace it`);
  }
  const insert = toInsert(bases.toUpperCase().replaceAll("U", "T"));
  if (!insert) {
    const what = bases ? "nothing is left between the oligo's constants" : "the sequence is empty";
    throw new Error(`${what}; give at least 1 bp of insert`);
  }
  if (insert.length > longest) {
    const what = `the insert is ${insert.length} bp and the model reads at most ${longest} bp`;
    throw new Error(`${what}; score a window of it`);
  }
  return insert;
}
