// Expression along a long sequence, with a slider that looks at one window after the other.

import { DECIMALS, element, range } from "./elements.js";
import { number, shortened } from "./text.js";

const MOST_TICKS = 6;

const STRANDS = [
  { strand: "+", name: "given", key: "strand as given" },
  { strand: "-", name: "other", key: "other strand" },
];

/**
 * A figure of the windows of one sequence, rows `{start, end, strand, expression}` in order, by their middles. The
 * interval is drawn where there is one strand alone.
 */
export function profile(id, rows, distribution, intervalOf) {
  const places = [...new Set(rows.map(middle))];
  const [first, last] = [places[0], places.at(-1)];
  const across = (place) => (place - first) / (last - first || 1);
  const lines = STRANDS.filter(({ strand }) => rows.some((row) => row.strand === strand));
  const single = lines.length === 1;

  const point = (row, value) => `${across(middle(row)).toFixed(5)} ${(1 - distribution.place(value)).toFixed(4)}`;
  const shade = single ? `<path class="shade" d="${band(rows, point, intervalOf)}"/>` : "";
  const paths = lines.map(({ strand, name }) => `<path class="${name}" d="${line(rows, strand, point)}"/>`);
  const plot = element("div", { className: "plot" });
  plot.innerHTML = `<svg viewBox="0 0 1 1" preserveAspectRatio="none" role="img">${shade}${paths.join("")}</svg>`;
  plot.firstChild.setAttribute("aria-label", summary(id, rows));
  const heights = element("div", { className: "heights", "aria-hidden": "true" }, ...distribution.ticks());
  plot.append(heights, element("span", { className: "cursor" }));

  const keys = lines.map(({ name, key }) => element("span", { className: `key ${name}`, textContent: key }));
  const { slider, readout } = reader(id, rows, places, plot, across, intervalOf);
  if (single) keys.push(element("span", { className: "key shade", textContent: "interval" }));
  return element(
    "figure",
    { className: "profile" },
    element("h3", { textContent: shortened(id) }),
    plot,
    slider,
    element("div", { className: "axis", "aria-hidden": "true" }, ...ticks(first, last, across)),
    element("figcaption", {}, "Expression by the middle of the window (bp)", ...keys),
    readout,
  );
}

const middle = ({ start, end }) => (start + end) / 2;

/** A path through a strand's windows. It ends with a line of no length, which shows a single window as a dot. */
function line(rows, strand, point) {
  const points = rows.filter((row) => row.strand === strand).map((row) => point(row, row.expression));
  return `M${points.join("L")}h0`;
}

function band(rows, point, intervalOf) {
  const edge = (end) => rows.map((row) => point(row, intervalOf(row.expression)[end]));
  return `M${[...edge(0), ...edge(1).reverse()].join("L")}z`;
}

/** A slider through the places of windows, which the pointer over the plot moves, too, and what it says of them. */
function reader(id, rows, places, plot, across, intervalOf) {
  const most = places.length - 1;
  const slider = element("input", { type: "range", min: 0, max: most, "aria-label": `Window of ${shortened(id)}` });
  const readout = element("output", { "aria-live": "off" }); // the slider says it
  const look = (index) => {
    slider.value = index;
    const here = rows.filter((row) => middle(row) === places[index]);
    plot.lastChild.style.setProperty("--at", across(places[index]));
    readout.textContent = describe(here, intervalOf);
    slider.setAttribute("aria-valuetext", readout.textContent);
  };
  slider.addEventListener("input", () => look(Number(slider.value)));
  const point = ({ clientX }) => {
    const { left, width } = plot.firstChild.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - left) / width));
    look(Math.round(share * most)); // they are evenly spaced
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point); // a finger may not move
  look(places.indexOf(middle(highest(rows))));
  return { slider, readout };
}

const highest = (rows) => rows.reduce((best, row) => (row.expression > best.expression ? row : best));

function describe(rows, intervalOf) {
  const values = rows.map(({ strand, expression }) => {
    const where = strand === "-" ? "other strand " : "";
    return `${where}${expression.toFixed(DECIMALS)} (${range(intervalOf(expression))})`;
  });
  return `${number(rows[0].start)} to ${number(rows[0].end)} bp: ${values.join(", ")}`;
}

function summary(id, rows) {
  const { start, end, strand, expression } = highest(rows);
  const where = `${number(start)} to ${number(end)} bp${strand === "-" ? " of the other strand" : ""}`;
  const what = `${number(rows.length)} windows, the highest ${expression.toFixed(DECIMALS)} at ${where}`;
  return `Profile of ${shortened(id)}: ${what}`;
}

/** Ticks at round positions: 1, 2 or 5 times a power of ten apart. */
function ticks(first, last, across) {
  const least = Math.max(1, (last - first) / MOST_TICKS);
  const power = 10 ** Math.floor(Math.log10(least));
  const apart = power * [1, 2, 5, 10].find((times) => times * power >= least);
  const values = [];
  for (let value = Math.ceil(first / apart) * apart; value <= last; value += apart) values.push(value);
  return values.map((value) =>
    element("span", { className: "tick", textContent: number(value), "--at": across(value) }),
  );
}
