// In-silico saturation mutagenesis: every single change of an insert.

export const BASES = "ACGT";

/** All single changes, position by position: `{position, from, to, insert}`, position from 1. */
export function singleChanges(insert) {
  return [...insert].flatMap((from, index) =>
    [...BASES]
      .filter((to) => to !== from)
      .map((to) => ({
        position: index + 1,
        from,
        to,
        insert: insert.slice(0, index) + to + insert.slice(index + 1),
      })),
  );
}

/** The changes with their predicted expression and effect, its difference to that of the unchanged insert. */
export function withEffects(changes, expression, reference) {
  return changes.map((change, i) => ({ ...change, expression: expression[i], effect: expression[i] - reference }));
}

/** The `count` changes that raise and that lower expression most, the strongest first. */
export function strongest(changes, count) {
  const falling = changes.toSorted((a, b) => b.effect - a.effect);
  return {
    best: falling.slice(0, count).filter(({ effect }) => effect > 0),
    worst: falling.slice(-count).reverse().filter(({ effect }) => effect < 0),
  };
}
