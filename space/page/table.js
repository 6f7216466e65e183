// The table of predictions: sorted, a page at a time.

import { DECIMALS, element } from "./elements.js";

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

  /** `onChoose` is called with a row, `{order, id, insert, note, expression}`, whose name was clicked. */
  constructor(table, pages, distribution, onChoose) {
    Object.assign(this, { table, pages, distribution, onChoose });
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
    const { id, insert, note, expression } = row;
    const name = element("button", { type: "button", textContent: id, title: "See what single changes do" });
    name.addEventListener("click", () => this.onChoose(row));
    const mark = note ? [element("span", { className: "mark", textContent: `⚠ ${note}` })] : [];
    const bar = element("span", { className: "bar", "--value": this.distribution.place(expression) });
    const percentile = Math.round(100 * this.distribution.below(expression));
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, name, ...mark),
      element("td", { className: "number length", textContent: insert.length }),
      element("td", { className: "number", textContent: expression.toFixed(DECIMALS) }),
      element("td", { className: "scale", "aria-hidden": "true" }, bar),
      element("td", { className: "number", textContent: percentile }),
    );
  }
}
