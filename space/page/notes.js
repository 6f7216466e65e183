// Notes on predictions outside of what the model was trained on, or of oligos read in a doubtful way, as
// dream_bert/inference/notes.py writes them.

const MOST_N = 0.1;

/** The note if an oligo was scored as it is, and if it was read as an oligo. */
const OLIGO = {
  reverse: ["oligo on the other strand", "read on the other strand"],
  mismatches: ["changed oligo constant", "changed oligo constant cut off"],
  flanked: ["bases outside of the oligo", "bases outside of the oligo cut off"],
};

/**
 * The note on an insert, "" for none. `oligo` is what `findOligo` found, `oriented` whether it was read as such;
 * `lengths` are the shortest and the longest insert in bp that the model was trained on, or null.
 */
export function noteOn(insert, oligo, oriented, lengths) {
  const notes = Object.keys(OLIGO)
    .filter((difference) => oligo?.[difference])
    .map((difference) => OLIGO[difference][Number(oriented)]);
  if (lengths) {
    const shortest = Math.ceil((lengths[0] * 9) / 10);
    const longest = Math.floor((lengths[1] * 11) / 10);
    if (insert.length < shortest) notes.push(`shorter than ${shortest} bp`);
    if (insert.length > longest) notes.push(`longer than ${longest} bp`);
  }
  const known = insert.replace(/[^ACGT]/g, "").length;
  if (1 - known / insert.length > MOST_N) notes.push("more than 10 % N");
  return notes.join("; ");
}
