// Elements in one expression.

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

export const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(DECIMALS)}`;
