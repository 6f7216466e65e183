// The section of two sequences compared.

import { drawAlignment } from "./alignment.js";
import { align, differences, isSubstitution, substituted } from "./differences.js";
import { save, tsv } from "./download.js";
import { $, DECIMALS, element, signed } from "./elements.js";
import { counted, shortened } from "./text.js";

export class ComparisonView {
  #found = [];

  constructor() {
    $("download-comparison").addEventListener("click", () => this.#download());
  }

  /**
   * Predict and show what differs between two promoters, `{id, insert}`; returns both values. Where they are equally
   * long, so is the effect of each difference: alone in the first, and in the second, with all the others.
   */
  async compare([first, second], predict) {
    const columns = align(first.insert, second.insert);
    const found = differences(columns);
    const single = first.insert.length === second.insert.length && found.every(isSubstitution);
    const alone = single ? found.map(({ position, to }) => substituted(first.insert, position, to)) : [];
    const without = single ? found.map(({ position, from }) => substituted(second.insert, position, from)) : [];
    const values = await predict(
      [first.insert, second.insert, ...alone, ...without],
      `2 promoters and ${counted(alone.length, "difference")}`,
    );
    const [before, after, ...others] = values;
    this.#found = found.map((difference, i) => ({
      ...difference,
      effects: single ? [others[i] - before, after - others[alone.length + i]] : [],
    }));
    this.#draw(columns, first, second, after - before);
    return [before, after];
  }

  #draw(columns, first, second, effect) {
    $("comparison").hidden = false;
    $("comparison-title").textContent = `${shortened(second.id)} against ${shortened(first.id)}: ${signed(effect)}`;
    const count = this.#found.length;
    const label = count ? `The sequences differ in ${counted(count, "place")}` : "The sequences are the same";
    drawAlignment($("alignment"), columns, label);
    const names = `First: ${shortened(first.id)}. Second: ${shortened(second.id)}.`;
    $("differences-count").textContent = `${names} ${label}${explanation(this.#found, effect)}.`;
    const table = $("differences");
    table.hidden = $("download-comparison").hidden = count === 0;
    table.classList.toggle("without-effects", count > 0 && !this.#found[0].effects.length);
    table.tBodies[0].replaceChildren(...this.#found.map(row));
  }

  #download() {
    const cells = this.#found.map(({ position, from, to, effects }) => [
      position,
      from,
      to,
      ...[0, 1].map((i) => effects[i]?.toFixed(DECIMALS) ?? ""),
    ]);
    save(tsv(["position", "first", "second", "effect_in_first", "effect_in_second"], cells), "comparison.tsv");
  }
}

function explanation(found, effect) {
  if (!found.length) return "";
  if (!found[0].effects.length) return "; effects of single changes are told of sequences of one length";
  const sum = found.reduce((total, { effects }) => total + effects[0], 0);
  return `. Alone in the first, their effects sum to ${signed(sum)}; together they make ${signed(effect)}`;
}

function row({ position, from, to, effects }) {
  const cell = (text) => element("td", { textContent: text });
  return element(
    "tr",
    {},
    element("th", { scope: "row", textContent: from ? position : `after ${position}` }),
    cell(from || "–"),
    cell(to || "–"),
    ...effects.map((effect) => element("td", { className: "number effect", textContent: signed(effect) })),
  );
}
