// Text to promoters: FASTA, or one sequence a line.

import { checkInsert, SPACE } from "./construct.js";

const START = new RegExp(`^${SPACE.source}`);
const COLUMNS = ["id", "name", "expression", "activity"];

/** A text without white space at its ends. (A regular expression for the end would look on from every space.) */
function strip(text) {
  const rest = text.replace(START, "");
  let end = rest.length;
  while (START.test(rest.slice(end - 1, end))) end -= 1;
  return rest.slice(0, end);
}

/**
 * The promoters of a text, and what is wrong with the others.
 *
 * A record's id is the first word of its header, or its number from 0. Returns promoters, `{id, insert}`, and
 * problems, `{line, message}`, with the line, from 1, where the record begins.
 */
export function readPromoters(text, longest) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  const first = lines.findIndex((line) => strip(line));
  if (first >= 0 && isHeader(lines[first])) {
    const message = "is the header of a table; paste its sequences alone";
    return { promoters: [], problems: [{ line: first + 1, message }] };
  }
  const promoters = [];
  const problems = [];
  for (const { id, sequence, line } of records(lines, first)) {
    try {
      promoters.push({ id, insert: checkInsert(sequence, longest) });
    } catch (error) {
      problems.push({ line, message: `record '${shortened(id)}': ${error.message}` });
    }
  }
  return { promoters, problems };
}

function shortened(name) {
  const characters = [...name];
  return characters.length <= 60 ? name : `${characters.slice(0, 60).join("")}…`;
}

/** Whether a first line names columns, by the rule of dream_bert/reading.py, which reads tables. */
function isHeader(line) {
  if (strip(line).startsWith(">")) return false;
  const cells = line.split(line.includes("\t") ? "\t" : ",");
  const names = cells.map((cell) => strip(cell).replace(/^"(.*)"$/, "$1").toLowerCase());
  if (names.length > 1 && COLUMNS.some((column) => names.includes(column))) return true;
  return names.includes("sequence") || ["dna", "rna"].includes(names[0]);
}

function records(lines, first) {
  if (first < 0) return [];
  const fromFirst = lines.map((line, index) => [index + 1, line]).slice(first);
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
