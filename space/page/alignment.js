// Two sequences, one under the other, in blocks of ten that wrap as the screen has it.

import { element } from "./elements.js";

const BLOCK = 10;

/** Draw columns, as `align` gives them, with what differs marked. `label` says it to screen readers. */
export function drawAlignment(place, columns, label) {
  const blocks = [];
  let position = 1;
  for (let start = 0; start < columns.length; start += BLOCK) {
    const part = columns.slice(start, start + BLOCK);
    blocks.push(block(part, position));
    position += part.filter(([from]) => from).length;
  }
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", label);
  place.replaceChildren(...blocks);
}

function block(columns, position) {
  const row = (which) => element("span", {}, ...columns.map((column) => base(column[which], column[0] !== column[1])));
  return element(
    "span",
    { className: "block" },
    element("span", { className: "place" }, String(position)),
    row(0),
    row(1),
  );
}

const base = (letter, differs) => (differs ? element("mark", {}, letter || "–") : letter);
