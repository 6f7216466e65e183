// Two sequences base by base: an alignment, and what differs in it.

const EDIT = 1000; // of one base; a gap's first base costs one more, so that of the fewest edits the fewest gaps win

/** Columns of two sequences, `[base, base]`, "" for a gap: as they stand if equally long, else with fewest edits. */
export function align(first, second) {
  return first.length === second.length ? [...first].map((base, i) => [base, second[i]]) : alignByEdits(first, second);
}

/** What differs, `{position, from, to}`: substitutions one by one, gaps whole; position from 1 in the first sequence,
 * for an insertion that of the base before it. */
export function differences(columns) {
  const found = [];
  let position = 0;
  let before = null; // the difference of the column before, if it is a gap
  for (const [from, to] of columns) {
    if (from) position += 1;
    const gap = from && to ? null : from ? "deletion" : "insertion";
    if (gap && before?.gap === gap) {
      before.from += from;
      before.to += to;
    } else if (from !== to) {
      found.push({ position, from, to, gap });
    }
    before = gap && found.at(-1);
  }
  return found.map(({ gap, ...difference }) => difference);
}

export const isSubstitution = ({ from, to }) => from.length === 1 && to.length === 1;

/** A sequence with one base in place of that at a position, from 1. */
export const substituted = (sequence, position, base) =>
  sequence.slice(0, position - 1) + base + sequence.slice(position);

// The three ways in which a column ends an alignment, after Gotoh 1982 (https://doi.org/10.1016/0022-2836(82)90398-9).
const STEPS = [
  [1, 1], // both bases
  [1, 0], // a gap in the second
  [0, 1], // a gap in the first
];

function alignByEdits(first, second) {
  const width = second.length + 1;
  const size = (first.length + 1) * width;
  const cost = STEPS.map(() => new Float64Array(size).fill(Infinity));
  const from = STEPS.map(() => new Uint8Array(size));
  cost[0][0] = 0;
  for (let at = 1; at < size; at++) {
    const i = Math.floor(at / width);
    const j = at % width;
    STEPS.forEach(([down, right], way) => {
      if (i < down || j < right) return;
      const earlier = at - down * width - right;
      const edit = way || first[i - 1] !== second[j - 1] ? EDIT : 0;
      STEPS.forEach((_, previous) => {
        const total = cost[previous][earlier] + edit + (way && way !== previous ? 1 : 0);
        if (total < cost[way][at]) [cost[way][at], from[way][at]] = [total, previous];
      });
    });
  }
  const columns = [];
  let way = leastIndex(STEPS.map((_, way) => cost[way][size - 1]));
  for (let i = first.length, j = second.length; i || j;) {
    const previous = from[way][i * width + j];
    const [down, right] = STEPS[way];
    columns.push([down ? first[i - 1] : "", right ? second[j - 1] : ""]);
    [i, j, way] = [i - down, j - right, previous];
  }
  return columns.reverse();
}

const leastIndex = (values) => values.indexOf(Math.min(...values));
