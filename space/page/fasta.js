// FASTA, with the comment lines that some programs write.

import { SPACE, strip } from "./text.js";

/** Records of numbered lines, of which the first is a header. An id is the header's first word, or the record's number. */
export function* fastaRecords(numbered) {
  let record = null;
  let count = 0;
  for (const [line, text] of numbered) {
    const part = strip(text);
    if (/^[;#]/.test(part)) continue;
    if (!part.startsWith(">")) {
      record.parts.push(part);
      continue;
    }
    if (record) yield finished(record);
    record = { id: headerId(part.slice(1)) || String(count), parts: [], line };
    count += 1;
  }
  yield finished(record);
}

const finished = ({ id, parts, line }) => ({ id, sequence: parts.join(""), line });

/** The first word; all of it where white space follows the `>`, as in `> seq 1`, where first words repeat. */
function headerId(header) {
  const name = strip(header);
  return header.startsWith(name) ? name.split(SPACE)[0] : name;
}
