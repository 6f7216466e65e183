// Expression along a long sequence, with a slider that looks at one window after the other.

import { DECIMALS, element, range } from "./elements.js";
import { number, shortened } from "./text.js";

const MOST_TICKS = 6;
const STRANDS = [
  ["+", "given", "strand as given"],
  ["-", "other", "other strand"],
];

/**
 * A figure of the windows of one sequence, rows `{start, end, strand, expression}` in order, by their middles. The
 * interval is drawn where there is one strand alone.
 */
export function profile(id, rows, distribution, intervalOf) {
  const middles = rows.map(({ start, end }) => (start + end) / 2);
  const [first, last] = [middles[0], middles.at(-1)];
  const across = (middle) => (middle - first) / (last - first || 1);
  const strands = STRANDS.map(([strand, name, key]) => ({ name, key, rows: rows.filter((row) => row.strand === strand) }));
  const drawn = strands.filter((strand) => strand.rows.length);
  const point = (row, value) => `${across((row.start + row.end) / 2).toFixed(5)} ${(1 - distribution.place(value)).toFixed(4)}`;

  const lines = drawn.map(({ name, rows }) => `<path class="${name}" d="${line(rows, point)}"/>`).join("");
  const shade = drawn.length === 1 ? `<path class="shade" d="${band(drawn[0].rows, point, intervalOf)}"/>` : "";
  const plot = element("div", { className: "plot" });
  plot.innerHTML = `<svg viewBox="0 0 1 1" preserveAspectRatio="none" role="img">${shade}${lines}</svg>`;
  plot.firstChild.setAttribute("aria-label", summary(id, rows));
  const cursor = element("span", { className: "cursor" });
  plot.append(element("div", { className: "heights", "aria-hidden": "true" }, ...distribution.ticks()), cursor);

  const places = [...new Set(middles)];
  const slider = element("input", { type: "range", min: 0, max: places.length - 1, "aria-label": `Window of ${shortened(id)}` });
  const readout = element("output", {});
  const look = () => {
    const middle = places[Number(slider.value)];
    const here = rows.filter((_, i) => middles[i] === middle);
    cursor.style.setProperty("--at", across(middle));
    readout.textContent = describe(here, intervalOf);
    slider.setAttribute("aria-valuetext", readout.textContent);
  };
  slider.value = places.indexOf(middles[highest(rows)]);
  slider.addEventListener("input", look);
  plot.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = plot.firstChild.getBoundingClientRect();
    slider.value = nearest(places, first + ((clientX - left) / width) * (last - first));
    look();
  });
  look();

  const keys = drawn.map(({ name, key }) => element("span", { className: `key ${name}`, textContent: key }));
  const shadeKey = drawn.length === 1 ? [element("span", { className: "key shade", textContent: "interval" })] : [];
  const caption = element("figcaption", {}, "Expression by the middle of the window (bp)", ...keys, ...shadeKey);
  const axis = element("div", { className: "axis", "aria-hidden": "true" }, ...ticks(first, last, across));
  return element("figure", { className: "profile" }, element("h3", { textContent: shortened(id) }), plot, slider, axis, caption, readout);
}

/** A path through the windows; it ends with a line of no length, which shows a single window as a dot. */
const line = (rows, point) => `M${rows.map((row) => point(row, row.expression)).join("L")}h0`;

function band(rows, point, intervalOf) {
  const edge = (end) => rows.map((row) => point(row, intervalOf(row.expression)[end]));
  return `M${[...edge(0), ...edge(1).reverse()].join("L")}z`;
}

const highest = (rows) => rows.reduce((best, row, i) => (row.expression > rows[best].expression ? i : best), 0);

const describe = (rows, intervalOf) =>
  `${number(rows[0].start)} to ${number(rows[0].end)} bp: ` +
  rows
    .map(({ strand, expression }) => {
      const other = strand === "-" ? "other strand " : "";
      return `${other}${expression.toFixed(DECIMALS)} (${range(intervalOf(expression))})`;
    })
    .join(", ");

function summary(id, rows) {
  const best = rows[highest(rows)];
  const where = `${best.start} to ${best.end} bp${best.strand === "-" ? " of the other strand" : ""}`;
  return `Profile of ${shortened(id)}: ${rows.length} windows, the highest ${best.expression.toFixed(DECIMALS)} at ${where}`;
}

/** The place in rising numbers that is nearest to a value. */
function nearest(numbers, value) {
  const after = numbers.findIndex((number) => number >= value);
  if (after < 0) return numbers.length - 1;
  return after > 0 && value - numbers[after - 1] < numbers[after] - value ? after - 1 : after;
}

/** Ticks at round positions: 1, 2 or 5 times a power of ten apart. */
function ticks(first, last, across) {
  const least = (last - first) / MOST_TICKS || 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const apart = Math.max(1, power * [1, 2, 5, 10].find((times) => times * power >= least));
  const values = [];
  for (let value = Math.ceil(first / apart) * apart; value <= last; value += apart) values.push(value);
  return values.map((value) => element("span", { className: "tick", textContent: number(value), "--at": across(value) }));
}
