// The page: from the form to predictions, and from a prediction to its single changes.

import { save, tsv } from "./download.js";
import { element, signed } from "./elements.js";
import { readPromoters } from "./fasta.js";
import { changeName, drawHeatmap } from "./heatmap.js";
import { Distribution, drawHistogram } from "./histogram.js";
import { singleChanges, strongest, withEffects } from "./mutagenesis.js";
import { Predictor } from "./predictor.js";
import { PredictionTable } from "./table.js";

const LARGEST_FILE = 20e6;
const MOST_PROBLEMS = 100;
const STRONGEST = 5;

const $ = (id) => document.getElementById(id);
const predictor = new Predictor((share) => ($("progress").value = share));
const [{ longest }, native] = await Promise.all(["model.json", "native.json"].map(fetchJson)).catch((error) => {
  tell(`The page could not be loaded (${error.message}); reload it`);
  throw error;
});
const distribution = new Distribution(native);
const table = new PredictionTable($("predictions"), $("pages"), distribution, explain);
let rows = [];
let chosen = null;
$("longest").textContent = longest;

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
    $("count").textContent = `${done.toLocaleString("en")} of ${inserts.length.toLocaleString("en")}`;
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
  const { promoters, problems } = readPromoters($("sequences").value, longest);
  showProblems(problems, promoters.length);
  $("results").hidden = $("changes").hidden = true;
  if (!promoters.length) {
    tell("There is nothing to predict");
    return;
  }
  const values = await predict(
    promoters.map(({ insert }) => insert),
    `${promoters.length.toLocaleString("en")} promoters`,
  );
  if (!values) return;
  rows = promoters.map((promoter, order) => ({ ...promoter, order, expression: values[order] }));
  $("results").hidden = false;
  drawHistogram($("distribution"), distribution, values);
  table.show(rows);
  $("results-title").focus();
}

function showProblems(problems, usable) {
  const box = $("problems");
  box.hidden = problems.length === 0 && usable > 0;
  const [heading, list, more] = box.children;
  heading.textContent = problems.length
    ? `${problems.length} of ${problems.length + usable} records cannot be scored and are left out`
    : "There is no sequence; paste FASTA or one sequence a line";
  list.replaceChildren(...problems.slice(0, MOST_PROBLEMS).map(problemItem));
  more.textContent = problems.length > MOST_PROBLEMS ? `and ${problems.length - MOST_PROBLEMS} more` : "";
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
    `${changes.length} single changes of ${id}`,
  );
  if (!values) return;
  chosen = { id, changes: withEffects(changes, values, expression) };
  $("changes").hidden = false;
  $("changes-title").textContent = `Single changes of ${id}`;
  $("readout").textContent = `${id}: ${expression.toFixed(2)}`;
  drawHeatmap($("heatmap"), $("legend"), insert, chosen.changes, (change) => {
    $("readout").textContent = change ? describe(change) : `${id}: ${expression.toFixed(2)}`;
  });
  const { best, worst } = strongest(chosen.changes, STRONGEST);
  listChanges($("best"), best);
  listChanges($("worst"), worst);
  $("changes-title").focus();
}

const describe = (change) => `${changeName(change)}: ${change.expression.toFixed(2)} (${signed(change.effect)})`;

function listChanges(list, changes) {
  const items = changes.map((change) => element("li", { className: "numbers", textContent: describe(change) }));
  list.replaceChildren(...items);
}

// --- the form ---------------------------------------------------------------------------------------------------

async function readFile(file) {
  if (!file) return;
  if (file.size > LARGEST_FILE) {
    tell(`${file.name} has ${Math.round(file.size / 1e6)} MB; give at most ${LARGEST_FILE / 1e6} MB`);
    return;
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (text.includes("\0")) throw new TypeError("it holds NUL characters");
    $("sequences").value = text;
    tell(`Read ${file.name}`);
  } catch (error) {
    const what = error instanceof TypeError ? "is not UTF-8 text" : "cannot be read";
    tell(`${file.name} ${what} (${error.message}); give plain FASTA, or one sequence a line`);
  }
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  score();
});
$("sequences").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
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
$("stop").addEventListener("click", () => predictor.stop());
$("download").addEventListener("click", () => {
  const cells = rows.map(({ id, expression }) => [id, expression.toFixed(6)]);
  save(tsv(["id", "expression"], cells), "expression.tsv");
});
$("download-changes").addEventListener("click", () => {
  const cells = chosen.changes.map(({ position, from, to, expression, effect }) => [
    position,
    from,
    to,
    expression.toFixed(6),
    effect.toFixed(6),
  ]);
  save(tsv(["position", "ref", "alt", "expression", "effect"], cells), `${chosen.id}_changes.tsv`);
});
document.body.dataset.ready = "";
