// Elements in one expression.

export const $ = (id) => document.getElementById(id);

/** An element with properties, attributes (names with a dash, and `role`) and children. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("--")) made.style.setProperty(name, value);
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Decimals of expression, as the command line prints them: those that are the same on every machine. */
export const DECIMALS = 4;

const MINUS = "\u2212";

export const signed = (value) => `${value < 0 ? MINUS : "+"}${Math.abs(value).toFixed(DECIMALS)}`;

/** The two ends of an interval in fewer decimals, as they are far apart. */
export const range = (ends) => ends.map((end) => end.toFixed(2).replace("-", MINUS)).join(" to ");

/** An expression and, smaller, its interval. */
export const expressionCell = (expression, ends) =>
  element(
    "td",
    { className: "number" },
    element("span", { className: "value", textContent: expression.toFixed(DECIMALS) }),
    " ",
    element("span", { className: "interval", textContent: range(ends) }),
  );
