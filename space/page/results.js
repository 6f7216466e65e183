// The section of predictions: the histogram, the table, the file.

import { save, tsv } from "./download.js";
import { $, DECIMALS } from "./elements.js";
import { drawHistogram } from "./histogram.js";
import { PredictionTable } from "./table.js";
import { counted, number } from "./text.js";

export class ResultsView {
  #rows = [];
  #placed = []; // the names of columns that tell where a window is

  /** `intervalOf` gives the ends of the interval around an expression; `onChoose` is called with a chosen row. */
  constructor(distribution, intervalOf, onChoose) {
    Object.assign(this, { distribution, intervalOf });
    this.table = new PredictionTable($("predictions"), $("pages"), distribution, intervalOf, onChoose);
    $("download").addEventListener("click", () => this.#download());
  }

  /** Show rows, `{id, insert, note, expression}`, perhaps with a `name` for the table, and with columns `placed`. */
  show(rows, placed = []) {
    this.#rows = rows.map((row, order) => ({ ...row, order }));
    this.#placed = placed;
    $("results").hidden = false;
    drawHistogram(
      $("distribution"),
      this.distribution,
      rows.map(({ expression }) => expression),
    );
    const notes = rows.filter(({ note }) => note).length;
    $("marks").hidden = notes === 0;
    $("marks").textContent = `⚠ ${counted(notes, "note")} on ${counted(rows.length, "prediction")}`;
    this.table.show(this.#rows);
  }

  redraw() {
    this.table.redraw();
  }

  #download() {
    const header = ["id", ...this.#placed, "expression", "lower", "upper", "note"];
    const cells = this.#rows.map((row) => [
      row.id,
      ...this.#placed.map((name) => row[name]),
      ...[row.expression, ...this.intervalOf(row.expression)].map((value) => value.toFixed(DECIMALS)),
      row.note,
    ]);
    save(tsv(header, cells), "expression.tsv");
  }
}
