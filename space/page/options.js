// The options of a task, checked.

import { $ } from "./elements.js";
import { InputError, number } from "./text.js";

/** The number in a field; throws an InputError if it is none, not whole where it should be, or out of range. */
export function numberIn(id, what, { least, most, whole = false }) {
  const field = $(id);
  const text = field.value.trim();
  const value = Number(text);
  const right = text !== "" && value >= least && value <= most && (!whole || Number.isInteger(value));
  mark(field, !right);
  if (right) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new InputError(`${what} is '${text}'; give ${kind} from ${number(least)} to ${number(most)}`);
}

/** What `read` makes of a field's text; the InputError that it throws marks the field. */
export function parsed(id, read) {
  const field = $(id);
  try {
    mark(field, false);
    return read(field.value);
  } catch (error) {
    mark(field, true);
    throw error;
  }
}

function mark(field, wrong) {
  field.setAttribute("aria-invalid", wrong);
  if (wrong) field.focus();
}
