// The effects of all single changes, as a grid of bases and positions.

import { element, signed } from "./elements.js";
import { BASES } from "./mutagenesis.js";

/** Effects stay pale where there is none larger than this. */
const LEAST_SCALE = 0.5;
const MOVES = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

export const changeName = ({ position, from, to }) => `${from}${position}${to}`;

/**
 * Draw the grid and its legend. `onLook` is called with the change under the pointer or the keyboard's focus, or with
 * undefined where the insert has that base.
 */
export function drawHeatmap(container, legend, insert, changes, onLook) {
  const scale = Math.max(LEAST_SCALE, ...changes.map(({ effect }) => Math.abs(effect)));
  const changeAt = new Map(changes.map((change) => [change.to + change.position, change]));
  const row = (base) => {
    const cells = [...insert].map((from, i) => cell(changeAt.get(base + (i + 1)), from, i + 1, scale));
    return element("tr", {}, element("th", { scope: "row" }, base), ...cells);
  };
  const grid = element(
    "table",
    {
      role: "grid",
      className: "heatmap",
      "aria-label": "Effect of each base at each position",
      "--bases": insert.length,
    },
    element("thead", {}, positionRow(insert), insertRow(insert)),
    element("tbody", {}, ...[...BASES].map(row)),
  );
  container.replaceChildren(grid);
  drawLegend(legend, scale);
  listen(grid.tBodies[0], (row, column) => onLook(changeAt.get(BASES[row] + (column + 1))));
}

function cell(change, from, position, scale) {
  if (!change) return element("td", { className: "same", tabIndex: -1, "aria-label": `${from}${position} unchanged` });
  return element("td", {
    className: change.effect < 0 ? "lowers" : "raises",
    tabIndex: -1,
    "aria-label": `${changeName(change)} ${signed(change.effect)}`,
    "--share": (Math.abs(change.effect) / scale).toFixed(3),
  });
}

function positionRow(insert) {
  const label = (position) => (position === 1 || position % 10 === 0 ? String(position) : "");
  const cells = [...insert].map((_, i) => element("td", {}, element("span", { textContent: label(i + 1) })));
  return element("tr", { className: "positions", "aria-hidden": "true" }, element("td"), ...cells);
}

function insertRow(insert) {
  const bases = [...insert].map((base) => element("th", { scope: "col", textContent: base }));
  return element("tr", { className: "insert" }, element("td"), ...bases);
}

function drawLegend(legend, scale) {
  const ramp = element("span", { className: "ramp" });
  legend.replaceChildren(signed(-scale), ramp, signed(scale));
}

/** One cell of the grid is in the page's tab order; arrow keys and clicks move it. */
function listen(body, onLook) {
  const cellAt = (row, column) => body.rows[row].cells[column + 1];
  const place = (cell) => [cell.parentElement.sectionRowIndex, cell.cellIndex - 1];
  const columns = body.rows[0].cells.length - 1;
  let current = cellAt(0, 0);
  current.tabIndex = 0;

  body.addEventListener("pointerover", ({ target }) => {
    if (target.matches("td")) onLook(...place(target));
  });
  body.addEventListener("click", ({ target }) => target.focus());
  body.addEventListener("focusin", ({ target }) => {
    current.tabIndex = -1;
    current = target;
    current.tabIndex = 0;
    onLook(...place(current));
  });
  body.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const within = (value, size) => Math.min(size - 1, Math.max(0, value));
    const [row, column] = place(current);
    cellAt(within(row + move[0], BASES.length), within(column + move[1], columns)).focus();
  });
}
