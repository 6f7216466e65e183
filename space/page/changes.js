// The section of a promoter's single changes.

import { save, tsv } from "./download.js";
import { $, DECIMALS, element, signed } from "./elements.js";
import { changeName, drawHeatmap } from "./heatmap.js";
import { singleChanges, strongest, withEffects } from "./mutagenesis.js";
import { shortened } from "./text.js";

const STRONGEST = 5;

export class ChangesView {
  #title = "";
  #changes = [];

  constructor() {
    $("download-changes").addEventListener("click", () => this.#download());
  }

  /** Predict and show all single changes of `{id, insert, expression}`, called `title` if it has one. */
  async explain({ id, title = id, insert, expression }, predict) {
    const changes = singleChanges(insert);
    const values = await predict(
      changes.map((change) => change.insert),
      `${changes.length} single changes of ${shortened(title)}`,
    );
    this.#title = title;
    this.#changes = withEffects(changes, values, expression);
    $("changes").hidden = false;
    $("changes-title").textContent = `Single changes of ${shortened(title)}`;
    const unchanged = `${shortened(title)}: ${expression.toFixed(DECIMALS)}`;
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
    save(tsv(["position", "ref", "alt", "expression", "effect"], cells), `${this.#title}_changes.tsv`);
  }
}

const describe = ({ expression, effect, ...change }) =>
  `${changeName(change)}: ${expression.toFixed(DECIMALS)} (${signed(effect)})`;

function list(place, changes) {
  const items = changes.map((change) => element("li", { className: "numbers", textContent: describe(change) }));
  place.replaceChildren(...items);
}
