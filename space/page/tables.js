// Rows of tables, tab-, semicolon- or comma-separated, quoted as RFC 4180 has it.

import { strip, TextError } from "./text.js";

const LINES_IN_QUOTES = 100; // of one row

/** Rows, `{line, cells}`, of numbered lines; throws a TextError. */
export function* splitRows(numbered, delimiter) {
  for (let i = 0; i < numbered.length; i++) {
    const [line, first] = numbered[i];
    let text = first;
    let cells = splitRow(text, delimiter, line);
    for (let joined = 1; !cells; joined++) {
      i += 1;
      if (joined > LINES_IN_QUOTES || i === numbered.length) {
        throw new TextError(line, "has a quote that is not closed; close or remove it");
      }
      text += `\n${numbered[i][1]}`;
      cells = splitRow(text, delimiter, line);
    }
    yield { line, cells };
  }
}

/** The cells of a row; null if a quote is still open at its end. */
function splitRow(text, delimiter, line) {
  const cells = [];
  for (let start = 0; start <= text.length; ) {
    let end = text.indexOf(delimiter, start);
    if (text[start] === '"') {
      const close = closingQuote(text, start);
      if (close < 0) return null;
      cells.push(text.slice(start + 1, close).replaceAll('""', '"'));
      end = close + 1;
      if (end < text.length && text[end] !== delimiter) {
        throw new TextError(line, "has a quote inside a cell; double or remove it");
      }
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

/** Records, `{id, sequence, line}` or `{id, fault, line}`, of the lines below a table's header. */
export function* tableRecords(numbered, { delimiter, header, places }) {
  let count = 0;
  for (const { line, cells } of splitRows(numbered, delimiter)) {
    const fits = cells.length === header.length;
    if (cells.length === 1 && !strip(cells[0])) continue;
    if (cells[0].startsWith("#") && (cells.length === 1 || !fits)) continue;
    const id = (fits && strip(cells[places.id] ?? "")) || String(count);
    count += 1;
    const fault = `the row has ${cells.length} columns and the header ${header.length}; correct or remove the row`;
    yield fits ? { id, sequence: cells[places.sequence], line } : { id, fault, line };
  }
}
