// FASTA, with the comment lines that some programs write.

import { AHEAD, SPACE, strip } from "./text.js";

/** Records of numbered lines. An id is its header's first word, or the record's number if there is none. */
export function* fastaRecords(numbered) {
  const wholeHeaders = shareFirstWord(numbered);
  let record = null;
  let count = 0;
  for (const [line, text] of numbered) {
    const part = strip(text);
    if (part.startsWith(">")) {
      if (record) yield finished(record);
      record = { id: headerId(part.slice(1), wholeHeaders) || String(count), parts: [], line };
      count += 1;
    } else if (!/^[;#]/.test(part)) {
      record.parts.push(part);
    }
  }
  yield finished(record);
}

const finished = ({ id, parts, line }) => ({ id, sequence: parts.join(""), line });

/** The first word; all of it if asked for, or if white space follows the `>`, as in `> seq 1`. */
function headerId(header, whole) {
  const name = strip(header);
  return whole || !header.startsWith(name) ? name : name.split(SPACE)[0];
}

/** Whether only the words after the first tell the headers apart, as in `>seq 1`, `>seq 2`. */
function shareFirstWord(numbered) {
  const headers = numbered.slice(0, AHEAD).map(([, text]) => strip(text)).filter((text) => text.startsWith(">"));
  const words = new Set(headers.map((header) => header.split(SPACE)[0]));
  return headers.length > 1 && words.size === 1 && new Set(headers).size === headers.length;
}
