// A long sequence as windows of the length that the model was trained on.

import { reverseComplement } from "./orientation.js";

export const WINDOW = 80;

/**
 * The windows of an upper-case sequence, `{start, end, strand, insert}`, every `step` bp from its first base. Start and
 * end are counted from 1 on the strand given; the window of the other strand follows that of this one.
 */
export function windowsOf(sequence, step, bothStrands) {
  const windows = [];
  for (let from = 0; from + WINDOW <= sequence.length; from += step) {
    const place = { start: from + 1, end: from + WINDOW };
    const insert = sequence.slice(from, from + WINDOW);
    windows.push({ ...place, strand: "+", insert });
    if (bothStrands) windows.push({ ...place, strand: "-", insert: reverseComplement(insert) });
  }
  return windows;
}

/** The number of those windows. */
export function countWindows(bases, step, bothStrands) {
  const places = bases < WINDOW ? 0 : Math.floor((bases - WINDOW) / step) + 1;
  return places * (bothStrands ? 2 : 1);
}
