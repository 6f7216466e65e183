// Text to promoters: FASTA, or one sequence a line.

import { checkInsert, SPACE } from "./construct.js";

const ENDS = new RegExp(`^${SPACE.source}|${SPACE.source}$`, "g");
const strip = (text) => text.replace(ENDS, "");

/**
 * The promoters of a text, and what is wrong with the others.
 *
 * A record's id is the first word of its header, or its number from 0. Returns promoters, `{id, insert}`, and
 * problems, `{line, message}`, with the line, from 1, where the record begins.
 */
export function readPromoters(text, longest) {
  const promoters = [];
  const problems = [];
  for (const { id, sequence, line } of records(text)) {
    try {
      promoters.push({ id, insert: checkInsert(sequence, longest) });
    } catch (error) {
      problems.push({ line, message: `record '${id}': ${error.message}` });
    }
  }
  return { promoters, problems };
}

function records(text) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  const numbered = lines.map((line, index) => [index + 1, line]);
  const first = lines.findIndex((line) => strip(line));
  if (first < 0) return [];
  const fromFirst = numbered.slice(first);
  return strip(lines[first]).startsWith(">") ? fastaRecords(fromFirst) : plainRecords(fromFirst);
}

function* fastaRecords(numbered) {
  let record = null;
  let count = 0;
  for (const [line, text] of numbered) {
    const part = strip(text);
    if (!part.startsWith(">")) {
      record.sequence += part;
      continue;
    }
    if (record) yield record;
    const name = strip(part.slice(1)).split(SPACE)[0];
    record = { id: name || String(count), sequence: "", line };
    count += 1;
  }
  yield record;
}

/** One sequence a line; what follows a tab, a label perhaps, is not looked at. */
function* plainRecords(numbered) {
  let count = 0;
  for (const [line, text] of numbered) {
    const [sequence, label] = text.split("\t", 2);
    if (!strip(sequence) && label === undefined) continue;
    yield { id: String(count), sequence, line };
    count += 1;
  }
}
