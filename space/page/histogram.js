// How native promoters are distributed, and where predictions lie among them.

import { element } from "./elements.js";

const TICK = 2;

export class Distribution {
  constructor({ low, high, width, counts }) {
    Object.assign(this, { low, high, width, counts });
    this.total = counts.reduce((sum, count) => sum + count);
  }

  /** Where a value stands on the scale, 0 to 1. */
  place(value) {
    return Math.min(1, Math.max(0, (value - this.low) / (this.high - this.low)));
  }

  /** The share of native promoters that lie below a value, 0 to 1; within a bin they lie evenly. */
  below(value) {
    const bins = this.place(value) * this.counts.length;
    const whole = Math.floor(bins);
    const under = this.counts.slice(0, whole).reduce((sum, count) => sum + count, 0);
    return (under + (bins - whole) * (this.counts[whole] ?? 0)) / this.total;
  }

  /** The value below which a share of native promoters lies. */
  quantile(share) {
    let left = share * this.total;
    const bin = this.counts.findIndex((count) => (left -= count) <= 0);
    return this.low + this.width * (bin + 1 + left / this.counts[bin]);
  }

  ticks() {
    const values = [];
    for (let value = this.low; value <= this.high; value += TICK) values.push(value);
    return values.map((value) =>
      element("span", { className: "tick", textContent: value, "--at": this.place(value) }),
    );
  }
}

/** Native promoters as a histogram, and each prediction as a line under it. */
export function drawHistogram(figure, distribution, values) {
  const { counts, total } = distribution;
  const most = Math.max(...counts);
  const bars = counts.map((count, bin) => `M${bin} 1V${1 - count / most}h1V1z`).join("");
  const lines = [...values].map((value) => `M${distribution.place(value)} 0V1`).join("");
  const label = `Histogram of ${total.toLocaleString("en")} native promoters with ${values.length} predictions`;
  figure.innerHTML = `
    <svg class="native" viewBox="0 0 ${counts.length} 1" preserveAspectRatio="none" role="img" aria-label="${label}">
      <path d="${bars}"/>
    </svg>
    <svg class="rug" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true"><path d="${lines}"/></svg>`;
  const axis = element("div", { className: "axis", "aria-hidden": "true" }, ...distribution.ticks());
  const key = element("figcaption", {}, "Your predictions (lines) among those of ");
  key.append(`${total.toLocaleString("en")} native yeast promoter tiles`);
  figure.append(axis, key);
}
