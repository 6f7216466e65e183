// Tables, with or without a header: which column holds the sequences, and which the ids.

import { strip } from "./text.js";

const SEQUENCE = [
  ..."sequence seq dna_sequence dna_seq oligo_sequence oligo_seq insert_sequence insert_seq".split(" "),
  ..."promoter_sequence promoter_seq dna rna insert oligo promoter".split(" "),
];
const ID = [
  ..."id name sequence_id seq_id oligo_id insert_id promoter_id record_id".split(" "),
  ..."sequence_name seq_name oligo_name insert_name promoter_name".split(" "),
];
const LABEL = "expression activity mean_expression mean_expr expr label".split(" ");

const IUPAC = /^[ACGTURYSWKMBDHVN]+$/i;
const LONGEST_WORD = 12; // letters of a header that could be bases, as `wt`, `tag` or `chr`
const SHORTEST_BELOW = 20; // bases of every sequence below it
const LINES_IN_QUOTES = 100;

/** A fault of the whole text: its message, and the line from 1. */
export class TableError extends Error {
  constructor(line, message) {
    super(message);
    this.line = line;
  }
}

/** Records `{id, sequence, line}`, or `{id, fault, line}`, of numbered lines; throws a TableError. */
export function* tableRecords(numbered) {
  const { rows, header } = readRows(numbered);
  const place = header ? placesOf(header, rows) : guessedPlaces(rows);
  let count = 0;
  for (const { line, cells } of rows) {
    const id = strip(cells[place.id] ?? "") || String(count);
    count += 1;
    if (cells.length === place.width || !header) yield { id, sequence: cells[place.sequence] ?? "", line };
    else yield { id, fault: `the row has ${cells.length} columns and the header ${header.cells.length}`, line };
  }
}

/** The rows, `{line, cells}`, and the header or undefined. */
function readRows(numbered) {
  const rest = numbered.filter(([, text]) => strip(text) && !isComment(text));
  if (!rest.length) return { rows: [] };
  const asked = /^"?sep=(.)"?$/i.exec(strip(rest[0][1]));
  if (asked) rest.shift();
  const delimiter = asked?.[1] ?? ["\t", ";", ","].find((mark) => rest[0]?.[1].includes(mark)) ?? "\t";
  const rows = [...splitRows(rest, delimiter)].filter(({ cells }) => cells.some((cell) => strip(cell)));
  return isHeader(rows) ? { header: rows[0], rows: rows.slice(1) } : { rows };
}

/** Whether a line begins with `#` and names no sequences' column. */
const isComment = (text) =>
  strip(text).startsWith("#") && !text.split(/[\t,;]/).some((cell) => SEQUENCE.includes(plainName(cell)));

const plainName = (cell) =>
  strip(strip(cell).replace(/^"(.*)"$/, "$1").replace(/^#/, "")).toLowerCase().replace(/[\s.-]+/g, "_");

/** Whether the first row names columns: by usual names, or because the rows below it are another kind of thing. */
function isHeader([first, ...below]) {
  if (!first) return false;
  const names = first.cells.map(plainName);
  if (names.some((name) => SEQUENCE.includes(name))) return true;
  if (names.length > 1 && names.some((name) => ID.includes(name) || LABEL.includes(name))) return true;
  return first.cells.some((cell, column) => {
    if (strip(cell).length > LONGEST_WORD || !strip(cell) || !below.length) return false;
    return below.every(({ cells }) => {
      const sequence = strip(cells[column] ?? "");
      return sequence.length >= SHORTEST_BELOW && IUPAC.test(sequence);
    });
  });
}

function placesOf({ cells, line }, rows) {
  const names = cells.map(plainName);
  const find = (usual) => {
    const name = usual.find((name) => names.includes(name));
    const found = names.flatMap((other, column) => (other === name ? [column] : []));
    if (found.length > 1) throw new TableError(line, `has ${found.length} columns '${name}'; keep one`);
    return found[0];
  };
  const sequence = find(SEQUENCE);
  if (sequence === undefined) {
    const columns = cells.map((cell) => strip(cell)).join(", ");
    throw new TableError(line, `has no column 'sequence' but ${columns.slice(0, 80)}; rename the column`);
  }
  const rowNames = names.length > 1 && names[0] === "" ? 0 : undefined; // as pandas and R's write.csv have them
  const id = find(ID) ?? rowNames;
  // R's write.table gives row names no cell in the header.
  const named = rows.length > 0 && rows.every((row) => row.cells.length === cells.length + 1);
  if (!named) return { sequence, id, width: cells.length };
  return { sequence: sequence + 1, id: id === undefined ? 0 : id + 1, width: cells.length + 1 };
}

/** Without a header: the column with the most bases. It is the first one, or the ids stand before it. */
function guessedPlaces(rows) {
  const width = Math.max(1, ...rows.map(({ cells }) => cells.length));
  const bases = Array(width).fill(0);
  for (const { cells } of rows) {
    cells.forEach((cell, column) => (bases[column] += IUPAC.test(strip(cell)) ? strip(cell).length : 0));
  }
  const most = Math.max(...bases);
  const sequence = bases.indexOf(most);
  const rival = bases.findLastIndex((count) => most > 0 && 2 * count > most);
  if (rival !== sequence && rival >= 0) {
    throw new TableError(rows[0].line, `has no header and sequences in columns ${sequence + 1} and ${rival + 1}; add a header`);
  }
  return { sequence, id: sequence > 0 ? 0 : undefined };
}

function* splitRows(numbered, delimiter) {
  for (let i = 0; i < numbered.length; i++) {
    const [line, first] = numbered[i];
    let text = first;
    let cells = split(text, delimiter, line);
    for (let joined = 1; !cells; joined++) {
      if (joined > LINES_IN_QUOTES || i + 1 === numbered.length) throw new TableError(line, "has a quote that is not closed; close or remove it");
      i += 1;
      text += `\n${numbered[i][1]}`;
      cells = split(text, delimiter, line);
    }
    yield { line, cells };
  }
}

/** The cells of a row, quoted or not; null if a quote is still open at its end. */
function split(text, delimiter, line) {
  const cells = [];
  for (let start = 0; start <= text.length; ) {
    let end = text.indexOf(delimiter, start);
    if (text[start] === '"') {
      const close = closingQuote(text, start);
      if (close < 0) return null;
      cells.push(text.slice(start + 1, close).replaceAll('""', '"'));
      end = close + 1;
      if (end < text.length && text[end] !== delimiter) throw new TableError(line, "has a quote inside a cell; double or remove it");
    } else {
      end = end < 0 ? text.length : end;
      cells.push(text.slice(start, end));
    }
    start = end + 1;
  }
  return cells;
}

function closingQuote(text, open) {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}
