// Find an oligo on the other strand, with changed constants or within a sequence, as dream_bert/sequence/orientation.py does.

import { OLIGO_END, OLIGO_START } from "./construct.js";

const MOST_MISMATCHES = 3; // of a constant at its place, if the other one is found, too
const MISMATCHES_ALONE = 2; // of the start, without the end
const COMPLEMENTS = Object.fromEntries([..."ACGTRYKMBVDHSWN"].map((base, i) => [base, "TGCAYRMKVBHDSWN"[i]]));

export const reverseComplement = (bases) => Array.from(bases, (base) => COMPLEMENTS[base]).reverse().join("");

const START_REVERSED = reverseComplement(OLIGO_START);
const END_REVERSED = reverseComplement(OLIGO_END);

/**
 * The oligo in upper-case bases, `{insert, reverse, mismatches, flanked}`: whether it is on the other strand, how many
 * bases of its constants are changed, and whether there are bases outside of them. Null if there is none, or if its
 * constants are exactly at the ends.
 */
export function findOligo(bases) {
  if (bases.startsWith(OLIGO_START) && bases.endsWith(OLIGO_END)) return null;
  const found = read(bases, findStart(bases));
  if (found) return found.mismatches || found.flanked ? { ...found, reverse: false } : null;
  if (!mayBeReverse(bases)) return null;
  const other = reverseComplement(bases);
  const start = findStart(other);
  if (!start && other.endsWith(OLIGO_END)) {
    return { insert: other.slice(0, -OLIGO_END.length), reverse: true, mismatches: 0, flanked: false };
  }
  const oligo = read(other, start);
  return oligo && { ...oligo, reverse: true };
}

function mayBeReverse(bases) {
  if (bases.includes(START_REVERSED) || bases.startsWith(END_REVERSED)) return true;
  return countMismatches(bases, START_REVERSED, bases.length - START_REVERSED.length) <= MOST_MISMATCHES;
}

/** Where the insert begins, after an exact start anywhere or a changed one at its place; null if there is none. */
function findStart(bases) {
  const place = bases.indexOf(OLIGO_START);
  if (place >= 0) return { begin: place + OLIGO_START.length, mismatches: 0 };
  const mismatches = countMismatches(bases, OLIGO_START, 0);
  return mismatches <= MOST_MISMATCHES ? { begin: OLIGO_START.length, mismatches } : null;
}

function read(bases, start) {
  if (!start) return null;
  const { begin, mismatches } = start;
  const endsAt = bases.length - OLIGO_END.length;
  const changed = countMismatches(bases, OLIGO_END, endsAt);
  let end = bases.lastIndexOf(OLIGO_END);
  let inEnd = 0;
  if (end < begin) {
    if (endsAt >= begin && changed <= MOST_MISMATCHES) [end, inEnd] = [endsAt, changed];
    else if (mismatches <= MISMATCHES_ALONE) end = bases.length;
    else return null;
  }
  // As the tokenizer has it, N or NN before an oligo choose the reading frame and are no flank.
  const before = bases.slice(0, begin - OLIGO_START.length);
  const frame = /^[^ACGT]{0,2}$/.test(before) ? before : "";
  const flanked = before !== frame || ![endsAt, bases.length].includes(end);
  return { insert: frame + bases.slice(begin, end), mismatches: mismatches + inEnd, flanked };
}

function countMismatches(bases, constant, place) {
  if (place < 0 || place + constant.length > bases.length) return constant.length;
  return [...constant].filter((base, i) => bases[place + i] !== base).length;
}
