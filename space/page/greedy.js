// Greedy search: at each step the best of all single changes.

import { singleChanges } from "./mutagenesis.js";
import { countSites } from "./sites.js";

/** How far an expression is from each goal; the least is the best. */
export const GOALS = {
  highest: () => (expression) => -expression,
  lowest: () => (expression) => expression,
  target: (target) => (expression) => Math.abs(expression - target),
};

/** How a search may end. */
export const ENDS = {
  steps: "All changes that were allowed are made",
  best: "No further single change comes closer to the goal",
  sites: "No single change takes a site away",
  stopped: "The search was stopped",
};

/**
 * Change an insert of A, C, G and T step by step, and return the key in `ENDS` of why it ended.
 *
 * `predict` is given inserts and a step, from 1, and returns a promise of their expression; `loss` is of `GOALS`. The
 * search begins at `start`, `{insert, expression}`, and makes at most `most` changes. While sites are left, each
 * change takes one or more of them away, at a loss too; after that none brings one in and each comes closer to the
 * goal. Of equal changes the first in order of position and base is made. `onStep` is called with each,
 * `{step, position, from, to, insert, expression, sites}`, the last a count.
 */
export async function search(start, { loss, most, sites, predict, onStep }) {
  let current = { ...start, sites: countSites(start.insert, sites) };
  for (let step = 1; step <= most; step++) {
    const allowed = allowedChanges(current, sites);
    if (!allowed.length) return current.sites ? "sites" : "best";
    const expression = await predict(
      allowed.map(({ insert }) => insert),
      step,
    );
    const losses = Array.from(expression, loss);
    const best = losses.reduce((least, value, i) => (value < losses[least] ? i : least), 0);
    if (!current.sites && losses[best] >= loss(current.expression)) return "best";
    current = { ...allowed[best], expression: expression[best], step };
    onStep(current);
  }
  return "steps";
}

function allowedChanges(current, sites) {
  const changes = singleChanges(current.insert).map((change) => ({
    ...change,
    sites: countSites(change.insert, sites),
  }));
  return changes.filter((change) => (current.sites ? change.sites < current.sites : change.sites === 0));
}
