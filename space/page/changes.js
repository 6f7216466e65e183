// The section of a promoter's single changes.

import { save, tsv } from "./download.js";
import { $, DECIMALS, element, signed } from "./elements.js";
import { changeName, drawHeatmap } from "./heatmap.js";
import { singleChanges, strongest, withEffects } from "./mutagenesis.js";
import { shortened } from "./text.js";

const STRONGEST = 5;

export class ChangesView {
  #id = "";
  #changes = [];

  constructor() {
    $("download-changes").addEventListener("click", () => this.#download());
  }

  /** Predict and show all single changes of `{id, insert, expression}`. */
  async explain({ id, insert, expression }, predict) {
    const changes = singleChanges(insert);
    const values = await predict(
      changes.map((change) => change.insert),
      `${changes.length} single changes of ${shortened(id)}`,
    );
    this.#id = id;
    this.#changes = withEffects(changes, values, expression);
    $("changes").hidden = false;
    $("changes-title").textContent = `Single changes of ${shortened(id)}`;
    const unchanged = `${shortened(id)}: ${expression.toFixed(DECIMALS)}`;
    $("readout").textContent = unchanged;
    drawHeatmap($("heatmap"), $("legend"), insert, this.#changes, (change) => {
      $("readout").textContent = change ? describe(change) : unchanged;
    });
    const { best, worst } = strongest(this.#changes, STRONGEST);
    list($("best"), best);
    list($("worst"), worst);
    $("changes-title").focus();
  }

  #download() {
    const cells = this.#changes.map(({ position, from, to, expression, effect }) => [
      position,
      from,
      to,
      expression.toFixed(DECIMALS),
      effect.toFixed(DECIMALS),
    ]);
    save(tsv(["position", "ref", "alt", "expression", "effect"], cells), `${this.#id}_changes.tsv`);
  }
}

const describe = ({ expression, effect, ...change }) =>
  `${changeName(change)}: ${expression.toFixed(DECIMALS)} (${signed(effect)})`;

function list(place, changes) {
  const items = changes.map((change) => element("li", { className: "numbers", textContent: describe(change) }));
  place.replaceChildren(...items);
}
