// The section of a design: single changes towards a goal, step by step.

import { drawAlignment } from "./alignment.js";
import { align } from "./differences.js";
import { save, tsv } from "./download.js";
import { $, DECIMALS, element, expressionCell, signed } from "./elements.js";
import { ENDS, search } from "./greedy.js";
import { changeName } from "./heatmap.js";
import { tell } from "./runner.js";
import { countSites } from "./sites.js";
import { counted, shortened } from "./text.js";

export class ImprovementView {
  #id = "";
  #steps = [];

  constructor(intervalOf) {
    this.intervalOf = intervalOf;
    $("download-improvement").addEventListener("click", () => this.#download());
  }

  /** Change a promoter, `{id, insert, note}`, as `search` does, and show each step as it is made. */
  async improve({ id, insert, note }, { loss, most, sites }, predict) {
    const name = shortened(id);
    const [expression] = await predict([insert], name);
    this.#id = id;
    this.#steps = [{ step: 0, insert, expression, sites: countSites(insert, sites) }];
    $("improvement").hidden = false;
    $("improvement-title").textContent = `Changes of ${name}`;
    $("improvement-end").textContent = "The search goes on. Stop ends it and keeps the changes made.";
    $("improvement-note").hidden = !note;
    $("improvement-note").textContent = `⚠ ${note}`;
    this.redraw();
    let end = "stopped";
    try {
      end = await search(this.#steps[0], {
        loss,
        most,
        sites,
        predict: (inserts, step) => predict(inserts, `${counted(inserts.length, "single change")} for step ${step}`),
        onStep: (step) => {
          this.#steps.push(step);
          this.redraw();
        },
      });
      tell(`Made ${counted(this.#steps.length - 1, "change")}`);
    } finally {
      const left = this.#steps.at(-1).sites;
      $("improvement-end").textContent = `${ENDS[end]}${left ? `; ${counted(left, "site")} left` : ""}.`;
      $("improvement-title").focus();
    }
  }

  redraw() {
    if (!this.#steps.length) return;
    const start = this.#steps[0];
    const now = this.#steps.at(-1);
    $("design").textContent = now.insert;
    const label = `The design against ${shortened(this.#id)}, ${counted(this.#steps.length - 1, "change")}`;
    drawAlignment($("design-alignment"), align(start.insert, now.insert), label);
    $("steps").tBodies[0].replaceChildren(...this.#steps.map((step, i) => this.#row(step, this.#steps[i - 1])));
  }

  #row(step, before) {
    return element(
      "tr",
      {},
      element("th", { scope: "row", textContent: step.step }),
      element("td", { textContent: before ? changeName(step) : "start" }),
      expressionCell(step.expression, this.intervalOf(step.expression)),
      element("td", { className: "number", textContent: before ? signed(step.expression - before.expression) : "" }),
      element("td", { className: "number", textContent: step.sites }),
    );
  }

  #download() {
    const header = ["step", "position", "ref", "alt", "expression", "lower", "upper", "sites", "sequence"];
    const cells = this.#steps.map(({ step, position = "", from = "", to = "", expression, sites, insert }) => [
      step,
      position,
      from,
      to,
      ...[expression, ...this.intervalOf(expression)].map((value) => value.toFixed(DECIMALS)),
      sites,
      insert,
    ]);
    save(tsv(header, cells), `${this.#id}_design.tsv`);
  }
}
