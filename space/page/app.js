// The page: from the form to predictions, and from a prediction to its single changes.

import { save, tsv } from "./download.js";
import { DECIMALS, element, signed } from "./elements.js";
import { binaryFormat } from "./formats.js";
import { changeName, drawHeatmap } from "./heatmap.js";
import { Distribution, drawHistogram } from "./histogram.js";
import { singleChanges, strongest, withEffects } from "./mutagenesis.js";
import { Predictor } from "./predictor.js";
import { MOST_RECORDS, readPromoters } from "./reading.js";
import { PredictionTable } from "./table.js";
import { counted, number, shortened } from "./text.js";

const MOST_CHARACTERS = 4e6; // of a text: a larger one makes its box slow
const MOST_PROBLEMS = 100;
const STRONGEST = 5;

const $ = (id) => document.getElementById(id);
const predictor = new Predictor((share) => ($("progress").value = share));
const [model, native] = await Promise.all(["model.json", "native.json"].map(fetchJson)).catch((error) => {
  tell(`The page could not be loaded (${error.message}); reload it`);
  throw error;
});
const distribution = new Distribution(native);
const table = new PredictionTable($("predictions"), $("pages"), distribution, explain);
let rows = [];
let chosen = null;
$("longest").textContent = model.longest;

async function fetchFile(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return response;
}

async function fetchJson(path) {
  return (await fetchFile(path)).json();
}

function tell(message) {
  $("activity").textContent = message;
  $("status").textContent = message; // read aloud, which the running count is not
}

// --- the model loads --------------------------------------------------------------------------------------------

predictor.loaded.then(
  () => {
    $("progress").hidden = true;
    tell("Ready");
  },
  (error) => {
    $("progress").hidden = true;
    tell(`The model could not be loaded (${error.message}); reload the page`);
  },
);

/** Values of inserts, `what` in words, with progress and a Stop button; undefined if stopped. */
async function predict(inserts, what) {
  const progress = $("progress");
  const onProgress = (done) => {
    progress.value = done / inserts.length;
    $("count").textContent = `${number(done)} of ${number(inserts.length)}`;
  };
  const mine = predictor.predict(inserts, onProgress);
  $("stop").hidden = false;
  try {
    await Promise.race([predictor.loaded, mine]);
    tell(`Predicting ${what}`);
    progress.hidden = false;
    progress.value = 0;
    const values = await mine;
    tell(`Predicted ${what}`);
    return values;
  } catch (error) {
    tell(error.name === "AbortError" ? "Stopped" : `Prediction failed: ${error.message}`);
  } finally {
    progress.hidden = $("stop").hidden = true;
    $("count").textContent = "";
  }
}

// --- promoters --------------------------------------------------------------------------------------------------

async function score() {
  const text = $("sequences").value;
  for (const section of ["problems", "oligos", "results", "changes"]) $(section).hidden = true;
  if (isTooLong(text.length)) return;
  const { promoters, problems, oligos } = readPromoters(text, model, $("orient").checked);
  const records = promoters.length + problems.length;
  if (records > MOST_RECORDS) return tell(tooMuch(records, MOST_RECORDS, "sequences"));
  showProblems(problems, promoters.length);
  showOligos(oligos);
  if (!promoters.length) return tell("There is nothing to predict");
  const values = await predict(
    promoters.map(({ insert }) => insert),
    counted(promoters.length, "promoter"),
  );
  if (!values) return;
  rows = promoters.map((promoter, order) => ({ ...promoter, order, expression: values[order] }));
  $("results").hidden = false;
  drawHistogram($("distribution"), distribution, values);
  showMarks(rows.filter(({ note }) => note).length);
  table.show(rows);
  if (document.activeElement !== $("orient")) $("results-title").focus();
}

/** Whether a text is longer than its box can hold without delay; tells so. */
function isTooLong(characters) {
  if (characters > MOST_CHARACTERS) tell(tooMuch(characters / 1e6, MOST_CHARACTERS / 1e6, "million characters"));
  return characters > MOST_CHARACTERS;
}

function tooMuch(count, most, what) {
  return `${number(count)} ${what} are too many for this page, which takes ${number(most)}; use the command line`;
}

function showOligos(count) {
  $("oligos").hidden = count === 0;
  $("oligos-count").textContent =
    `${counted(count, "oligo")} on the other strand, with changed constants, or with bases outside of the constants`;
}

function showMarks(count) {
  $("marks").hidden = count === 0;
  $("marks").textContent = `⚠ ${counted(count, "note")} on ${number(rows.length)} predictions`;
}

function showProblems(problems, usable) {
  const box = $("problems");
  box.hidden = problems.length === 0 && usable > 0;
  const [heading, list, more] = box.children;
  heading.textContent = problemsHeading(problems, problems.length + usable);
  list.replaceChildren(...problems.slice(0, MOST_PROBLEMS).map(problemItem));
  more.textContent = problems.length > MOST_PROBLEMS ? `and ${problems.length - MOST_PROBLEMS} more` : "";
}

function problemsHeading(problems, records) {
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

// --- single changes ---------------------------------------------------------------------------------------------

async function explain({ id, insert, expression }) {
  const changes = singleChanges(insert);
  const values = await predict(
    changes.map((change) => change.insert),
    `${changes.length} single changes of ${shortened(id)}`,
  );
  if (!values) return;
  chosen = { id, changes: withEffects(changes, values, expression) };
  $("changes").hidden = false;
  $("changes-title").textContent = `Single changes of ${shortened(id)}`;
  const unchanged = `${shortened(id)}: ${expression.toFixed(DECIMALS)}`;
  $("readout").textContent = unchanged;
  drawHeatmap($("heatmap"), $("legend"), insert, chosen.changes, (change) => {
    $("readout").textContent = change ? describe(change) : unchanged;
  });
  const { best, worst } = strongest(chosen.changes, STRONGEST);
  listChanges($("best"), best);
  listChanges($("worst"), worst);
  $("changes-title").focus();
}

const describe = ({ expression, effect, ...change }) =>
  `${changeName(change)}: ${expression.toFixed(DECIMALS)} (${signed(effect)})`;

function listChanges(list, changes) {
  const items = changes.map((change) => element("li", { className: "numbers", textContent: describe(change) }));
  list.replaceChildren(...items);
}

// --- the form ---------------------------------------------------------------------------------------------------

async function readFile(file) {
  if (!file) return;
  if (isTooLong(file.size)) return;
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const format = binaryFormat(bytes);
    if (format) return tell(`${file.name} ${format}`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.includes("\0")) throw new TypeError("it holds NUL characters");
    $("sequences").value = text;
    tell(`Read ${file.name}`);
  } catch (error) {
    const what = error instanceof TypeError ? "is not UTF-8 text" : "cannot be read";
    tell(`${file.name} ${what} (${error.message}); give plain FASTA, a table, or one sequence a line`);
  }
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  score();
});
$("sequences").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
});
$("sequences").addEventListener("paste", (event) => {
  if (isTooLong(event.clipboardData.getData("text").length)) event.preventDefault();
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  readFile(event.dataTransfer.files[0]);
});
$("file").addEventListener("change", ({ target }) => {
  readFile(target.files[0]);
  target.value = "";
});
$("examples").addEventListener("click", async () => {
  try {
    $("sequences").value = await (await fetchFile("promoters.fa")).text();
  } catch (error) {
    tell(`The examples could not be loaded (${error.message}); try again`);
  }
});
$("orient").addEventListener("change", score);
$("stop").addEventListener("click", () => predictor.stop());
$("download").addEventListener("click", () => {
  const cells = rows.map(({ id, expression, note }) => [id, expression.toFixed(DECIMALS), note]);
  save(tsv(["id", "expression", "note"], cells), "expression.tsv");
});
$("download-changes").addEventListener("click", () => {
  const cells = chosen.changes.map(({ position, from, to, expression, effect }) => [
    position,
    from,
    to,
    expression.toFixed(DECIMALS),
    effect.toFixed(DECIMALS),
  ]);
  save(tsv(["position", "ref", "alt", "expression", "effect"], cells), `${chosen.id}_changes.tsv`);
});
document.body.dataset.ready = "";
