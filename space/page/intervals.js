// Prediction intervals from a model's calibration, as dream_bert/inference/intervals.py has them.

/** The per cents of promoters whose measurement an interval may be asked to cover. */
export const LEVELS = [50, 80, 90, 95];

/** The levels that a calibration, `{expression, spread, ratios}` or null, knows; its ratios are those of 50 % on. */
export const levelsOf = (calibration) => LEVELS.filter((level) => level - 50 < (calibration?.ratios.length ?? 0));

/** How far an interval of a level reaches to both sides of a prediction. */
export function halfWidth({ expression, spread, ratios }, level, predicted) {
  const ratio = ratios[level - 50];
  return Math.fround(
    interpolate(
      predicted,
      expression,
      spread.map((size) => ratio * size),
    ),
  );
}

/** The lower and the upper end of an interval around a prediction, both float32. */
export function interval(calibration, level, predicted) {
  const half = halfWidth(calibration, level, predicted);
  return [Math.fround(predicted - half), Math.fround(predicted + half)];
}

/** Piecewise linear and constant beyond the ends, as NumPy's `interp`. */
function interpolate(at, places, values) {
  const right = places.findIndex((place) => place > at);
  if (right === 0) return values[0];
  if (right < 0) return values.at(-1);
  const slope = (values[right] - values[right - 1]) / (places[right] - places[right - 1]);
  return slope * (at - places[right - 1]) + values[right - 1];
}
