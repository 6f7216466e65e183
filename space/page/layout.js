// Find the layout of a table by its first lines, as dream_bert/io/table_layout.py does: delimiter, header and columns.

import { findColumns, isHeader, noColumn } from "./columns.js";
import { splitRows } from "./tables.js";
import { SPACE, strip, TextError } from "./text.js";

const NUMBER = /^[\t-\r\x1c-\x20]*[+-]?(\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|inf(inity)?|nan)[\t-\r\x1c-\x20]*$/i;
const MISSING = ["", "na", "n/a", "nan", "null", "none", ".", "-"];
const MOST = 0.8; // share of a column's values that have to be alike for the column to be of their kind
const SHORTEST_SEQUENCE = 4; // bases of the longest sequence of a column
const LONGEST_WORD = 12; // letters of a header's name that are all codes of bases, as in `mut`

/**
 * The layout of numbered lines, none of them blank, that are no FASTA: `{delimiter, header, line, places}`, with the
 * number of the line before the first row. Null if they are lines of `sequence` or `sequence TAB label`. Throws a
 * TextError if they are a table without a column of sequences.
 */
export function findLayout(numbered) {
  const sep = /^"?sep=(.)"?$/i.exec(numbered[0][1]);
  const lines = sep ? numbered.slice(1) : numbered;
  const [comments, body] = [true, false].map((wanted) => lines.filter(([, text]) => text.startsWith("#") === wanted));
  if (!body.length) return null;
  let delimiter = sep?.[1] ?? findDelimiter(body[0][1]);
  let rows = cellsOf(body, delimiter ?? ",");
  if (!rows.length || (delimiter === "\t" && isChallenge(rows[0]))) return null;
  let { line, header } = findHeader(comments, body, rows, delimiter);
  if (!header) return null;
  if (header === rows[0]) rows = rows.slice(1);
  const below = body.slice(1);
  const beside = ["\t", ";"].find((mark) => below.every(([, text]) => text.includes(mark)));
  if (!delimiter && beside) [delimiter, rows] = [beside, cellsOf(below, beside)]; // row names beside one column
  header = withRowNames(header, rows, line);
  return { delimiter: delimiter ?? ",", header, line, places: findColumns(header, Math.max(line, 1)) };
}

function findHeader(comments, body, rows, delimiter) {
  const [line, text] = body[0];
  if (isHeader(rows[0])) return { line, header: rows[0] };
  for (const [number, comment] of comments.toReversed()) {
    const [cells] = cellsOf([[number, comment.replace(/^#+/, "")]], delimiter ?? ",");
    if (cells?.length === rows[0].length && isHeader(cells)) return { line: number, header: cells };
  }
  refuseOtherDelimiters(text, line);
  if (isUnknownHeader(rows[0], rows.slice(1))) throw noColumn(rows[0], line);
  return { line: line - 1, header: delimiter ? nameColumns(rows, delimiter, line) : null };
}

/** The delimiter of a line: the first that gives a header, or else the first there is. */
function findDelimiter(text) {
  const candidates = ["\t", ";", ","].filter((mark) => text.includes(mark));
  return candidates.find((mark) => cellsOf([[0, text]], mark).some(isHeader)) ?? candidates[0];
}

/** The cells of rows, up to one that cannot be read. */
function cellsOf(numbered, delimiter) {
  const rows = [];
  try {
    for (const { cells } of splitRows(numbered, delimiter)) rows.push(cells);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
  }
  return rows;
}

function refuseOtherDelimiters(text, line) {
  for (const [cells, kind] of [[text.split("|"), "'|'"], [strip(text).split(SPACE), "spaces"]]) {
    if (cells.length > 1 && isHeader(cells.map((cell) => strip(cell).replace(/^["']+|["']+$/g, "")))) {
      throw new TextError(line, `the columns are separated by ${kind}; separate them by tabs or commas`);
    }
  }
}

// --- header -----------------------------------------------------------------------------------------------------

const isChallenge = (cells) => cells.length === 2 && isSequence(cells[0]) && isNumber(cells[1]);

/** Whether the first line is unlike the rows: a word above numbers or sequences. */
function isUnknownHeader(first, below) {
  const rows = below.filter((row) => row.length === first.length);
  if (!rows.length || first.some(isNumber)) return false;
  const isMissing = (text) => MISSING.includes(strip(text).toLowerCase());
  return first.some((cell, column) => {
    const values = rows.map((row) => strip(row[column])).filter((value) => !isMissing(value));
    if (!values.length || isMissing(cell)) return false;
    return areMost(isNumber, values) || (areMost(isSequence, values) && isWord(strip(cell), values));
  });
}

/** Whether a cell above sequences is a word, not one of them: `tag` above 80 bp. */
function isWord(name, values) {
  const sequences = values.filter(isSequence);
  const lengths = sequences.map(({ length }) => length).sort((a, b) => a - b);
  if (!isSequence(name)) {
    const letters = [...name];
    const bases = letters.filter((letter) => "ACGTUNacgtun".includes(letter));
    return 2 * bases.length <= letters.length || 2 * letters.length <= lengths[0];
  }
  if (name.length > LONGEST_WORD || sequences.includes(name)) return false;
  const otherCase = !isUpper(name) && areMost(isUpper, sequences);
  const otherCodes = !hasPlainBases(name) && areMost(hasPlainBases, sequences);
  if (otherCase || otherCodes) return name.length < lengths[Math.floor(lengths.length / 2)];
  return 2 * name.length < lengths[0];
}

/** The header with a first name "" if all rows have one cell more, as R writes row names. */
function withRowNames(header, rows, line) {
  if (!rows.length || rows.some((row) => row.length !== header.length + 1)) return header;
  const { sequence } = findColumns(header, line);
  const areSequences = (column) => areMost(isSequence, rows.map((row) => row[column]));
  return areSequences(sequence + 1) && !areSequences(sequence) ? ["", ...header] : header;
}

/** Names for the columns of a table without a header; null if it is lines of sequences. */
function nameColumns(rows, delimiter, line) {
  const width = Math.min(...rows.map((row) => row.length));
  let kinds = Array.from({ length: width }, (_, column) => kindOf(rows.map((row) => row[column])));
  if (rows.some((row) => row.length !== rows[0].length)) {
    kinds = kinds.map((kind, column) => (column ? "mixed" : kind));
  }
  const sequences = kinds.map((kind) => kind === "sequence");
  if (!sequences.includes(true) || kinds[0] === "missing") return null;
  if (delimiter === "\t" && !sequences.slice(1).includes(true)) return null;
  kinds = kinds.map((kind, column) => (kind === "count" ? (column ? "number" : "text") : kind));
  const header = {
    "text sequence": ["id", "sequence"],
    "text sequence number": ["id", "sequence", "expression"],
    "sequence number": ["sequence", "expression"],
  }[kinds.join(" ")];
  if (header) return header;
  const what = `has ${rows[0].length} columns and no header, and it is unclear which holds the sequences`;
  throw new TextError(line, `${what}; add a header, as id, sequence, expression`);
}

// --- values -----------------------------------------------------------------------------------------------------

function kindOf(values) {
  const given = values.map((value) => strip(value)).filter(Boolean);
  if (!given.length) return "missing";
  const longest = Math.max(...given.map(({ length }) => length));
  if (given.length === values.length && given.every(isSequence) && longest >= SHORTEST_SEQUENCE) return "sequence";
  if (given.every((value) => /^\d+$/.test(value))) return "count";
  return given.every(isNumber) ? "number" : "text";
}

const areMost = (test, values) => values.filter(test).length >= MOST * values.length;
const isSequence = (text) => /^[ACGTURYSWKMBDHVN\t-\r ]+$/i.test(text) && strip(text) !== "";
const hasPlainBases = (text) => /^[ACGTUN]*$/i.test(text);
const isUpper = (text) => text === text.toUpperCase() && text !== text.toLowerCase();
const isNumber = (text) => NUMBER.test(text);
