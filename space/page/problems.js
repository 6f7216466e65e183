// What is wrong with a text, with buttons that lead to the lines, and oligos that can be read in another way.

import { $, element } from "./elements.js";
import { counted } from "./text.js";

const MOST_PROBLEMS = 100;

/** Show problems, as `readPromoters` has them, beside the number of records that are fine. */
export function showProblems(problems, usable) {
  const box = $("problems");
  box.hidden = problems.length === 0 && usable > 0;
  const [heading, list, more] = box.children;
  heading.textContent = headingOf(problems, problems.length + usable);
  list.replaceChildren(...problems.slice(0, MOST_PROBLEMS).map(problemItem));
  more.textContent = problems.length > MOST_PROBLEMS ? `and ${problems.length - MOST_PROBLEMS} more` : "";
}

export function showOligos(count) {
  $("oligos").hidden = count === 0;
  $("oligos-count").textContent =
    `${counted(count, "oligo")} on the other strand, with changed constants, or with bases outside of the constants`;
}

function headingOf(problems, records) {
  if (!problems.length) return "There is no sequence; paste FASTA, a table, or one sequence a line";
  if (problems[0].whole) return "The text cannot be read";
  return `${problems.length} of ${records} records cannot be scored and are left out`;
}

function problemItem({ line, message }) {
  const button = element("button", { type: "button", textContent: `Line ${line}` });
  button.addEventListener("click", () => selectLine(line));
  return element("li", {}, button, ` ${message}`);
}

function selectLine(line) {
  const lines = $("sequences").value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1);
  $("sequences").focus();
  $("sequences").setSelectionRange(start, start + lines[line - 1].length);
}
