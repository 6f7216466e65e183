// The table of predictions: sorted, a page at a time.

import { element, expressionCell } from "./elements.js";

const PAGE = 50;
const ORDERS = {
  order: (a, b) => a.order - b.order,
  ascending: (a, b) => a.expression - b.expression,
  descending: (a, b) => b.expression - a.expression,
};

export class PredictionTable {
  #rows = [];
  #order = "order";
  #page = 0;

  /**
   * `intervalOf` gives the ends of the interval around an expression; `onChoose` is called with a row,
   * `{order, id, name, insert, note, expression}`, whose name (or id, where it has none) was clicked.
   */
  constructor(table, pages, distribution, intervalOf, onChoose) {
    Object.assign(this, { table, pages, distribution, intervalOf, onChoose });
    table.style.setProperty("--lower-quartile", distribution.place(distribution.quantile(0.25)));
    table.style.setProperty("--upper-quartile", distribution.place(distribution.quantile(0.75)));
    table.querySelector(".ticks").append(...distribution.ticks());
    table.tHead.addEventListener("click", ({ target }) => this.#sort(target.dataset.sort));
    pages.addEventListener("click", ({ target }) => this.#turn(Number(target.dataset.step ?? 0)));
  }

  show(rows) {
    this.#rows = rows;
    this.#order = "order";
    this.#draw(0);
  }

  redraw() {
    this.#draw(this.#page);
  }

  #sort(column) {
    if (!column) return;
    const next = this.#order === "descending" ? "ascending" : "descending";
    this.#order = column === "expression" ? next : "order";
    this.#draw(0);
  }

  #turn(step) {
    if (step) this.#draw(this.#page + step);
  }

  #draw(page) {
    this.#page = page;
    const last = Math.ceil(this.#rows.length / PAGE) - 1;
    const rows = this.#rows.toSorted(ORDERS[this.#order]).slice(page * PAGE, (page + 1) * PAGE);
    this.table.tBodies[0].replaceChildren(...rows.map((row) => this.#row(row)));
    const column = this.table.querySelector("[data-sort=expression]").closest("th");
    if (this.#order === "order") column.removeAttribute("aria-sort");
    else column.setAttribute("aria-sort", this.#order);

    this.pages.hidden = last < 1;
    this.pages.querySelector("span").textContent = `Page ${page + 1} of ${last + 1}`;
    const [back, forward] = this.pages.querySelectorAll("button");
    back.disabled = page === 0;
    forward.disabled = page === last;
  }

  #row(row) {
    const { id, name = id, insert, note, expression } = row;
    const button = element("button", { type: "button", textContent: name, title: "See what single changes do" });
    button.addEventListener("click", () => this.onChoose(row));
    const mark = note ? [element("span", { className: "mark", textContent: `⚠ ${note}` })] : [];
    const ends = this.intervalOf(expression);
    const [lower, upper] = ends.map((end) => this.distribution.place(end));
    const bar = element("span", { className: "bar", "--value": this.distribution.place(expression) });
    const whisker = element("span", { className: "whisker", "--lower": lower, "--upper": upper });
    const percentile = Math.round(100 * this.distribution.below(expression));
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, button, ...mark),
      element("td", { className: "number length", textContent: insert.length }),
      expressionCell(expression, ends),
      element("td", { className: "scale", "aria-hidden": "true" }, bar, whisker),
      element("td", { className: "number", textContent: percentile }),
    );
  }
}
