// Text as Python's `str` methods see it, and as messages have it.

/** White space as Python has it; JavaScript's own `\s` differs in a few characters. */
export const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** Lines by which a text's format is decided. */
export const AHEAD = 200;

const START = new RegExp(`^${SPACE.source}`);

/** A text without white space at its ends. (A regular expression for the end would look on from every space.) */
export function strip(text) {
  const rest = text.replace(START, "");
  let end = rest.length;
  while (START.test(rest.slice(end - 1, end))) end -= 1;
  return rest.slice(0, end);
}

/** A name as messages have it: at most 60 characters. */
export function shortened(name) {
  const characters = [...name];
  return characters.length <= 60 ? name : `${characters.slice(0, 60).join("")}…`;
}

export const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 1 });

export const counted = (count, what) => `${number(count)} ${what}${count === 1 ? "" : "s"}`;

/** A fault of a whole text: its line, from 1, and what is wrong. */
export class TextError extends Error {
  constructor(line, message) {
    super(message);
    this.line = line;
  }
}

/** Input that a task cannot be done with: what is wrong, and what to give. */
export class InputError extends Error {}
