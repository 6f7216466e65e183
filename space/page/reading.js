// Text to promoters: FASTA, a table, or one sequence a line.

import { checkBases, checkLength, toInsert } from "./construct.js";
import { fastaRecords } from "./fasta.js";
import { foreignFormat } from "./formats.js";
import { noteOn } from "./notes.js";
import { findOligo } from "./orientation.js";
import { findLayout } from "./layout.js";
import { tableRecords } from "./tables.js";
import { AHEAD, shortened, strip, TextError } from "./text.js";

/** The most sequences that the page predicts at once, in some minutes. */
export const MOST_RECORDS = 20_000;

/**
 * Read the promoters of a text, and say what is wrong with the others.
 *
 * `model` has `longest` and `insert_lengths` in bp; `orient` reads an oligo's insert wherever its constants are.
 * Returns promoters, `{id, insert, note}`; problems, as `readRecords`; and `oligos`, how many `findOligo` found.
 */
export function readPromoters(text, model, orient = false) {
  let oligos = 0;
  const { accepted, problems } = readRecords(text, (bases) => {
    const oligo = findOligo(bases);
    if (oligo) oligos += 1;
    const insert = checkLength(orient && oligo ? oligo.insert : toInsert(bases), model.longest);
    return { insert, note: noteOn(insert, oligo, orient, model.insert_lengths) };
  });
  return { promoters: accepted, problems, oligos: problems[0]?.whole ? 0 : oligos };
}

/** Read the sequences of a text, `{id, bases}`, of at least `shortest` bp, and the problems, as `readRecords`. */
export function readSequences(text, shortest) {
  const { accepted, problems } = readRecords(text, (bases) => {
    if (bases.length >= shortest) return { bases };
    throw new Error(`the sequence is ${bases.length} bp and a window ${shortest} bp; predict it as it is`);
  });
  return { sequences: accepted, problems };
}

/**
 * What `accept` makes of each record's bases, with its id, or the problem: `{line, message}`, with the line, from 1,
 * where the record begins. A text that cannot be read is one problem that has `whole`.
 */
function readRecords(text, accept) {
  const accepted = [];
  const problems = [];
  try {
    for (const { id, sequence, fault, line } of records(text)) {
      try {
        if (fault) throw new Error(fault);
        accepted.push({ id, ...accept(checkBases(sequence)) });
      } catch (error) {
        problems.push({ line, message: `record '${shortened(id)}': ${error.message}` });
      }
    }
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return { accepted: [], problems: [{ line: error.line, message: error.message, whole: true }] };
  }
  return { accepted, problems };
}

function records(text) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  const numbered = lines.map((line, index) => [index + 1, line]);
  const filled = numbered.filter(([, line]) => strip(line));
  if (!filled.length) return [];
  const ahead = filled.slice(0, AHEAD);
  const format = foreignFormat(ahead.map(([, line]) => line));
  if (format) throw new TextError(ahead[0][0], format);
  const content = ahead.find(([, line]) => !/^[;#]/.test(strip(line)));
  if (content && strip(content[1]).startsWith(">")) return fastaRecords(filled);
  const layout = findLayout(ahead);
  return layout ? tableRecords(numbered.slice(layout.line), layout) : plainRecords(numbered);
}

/** One sequence a line; what follows a tab, a label perhaps, is not looked at. */
function* plainRecords(numbered) {
  let count = 0;
  for (const [line, text] of numbered) {
    const [sequence, label] = text.split("\t", 2);
    if (strip(sequence).startsWith("#") || (!strip(sequence) && label === undefined)) continue;
    yield { id: String(count), sequence, line };
    count += 1;
  }
}
