// The page: from the form's task to the sections that show what came of it.

import { ChangesView } from "./changes.js";
import { ComparisonView } from "./comparison.js";
import { $, element } from "./elements.js";
import * as form from "./form.js";
import { GOALS } from "./greedy.js";
import { Distribution } from "./histogram.js";
import { ImprovementView } from "./improvement.js";
import { interval, levelsOf } from "./intervals.js";
import { noteOn } from "./notes.js";
import { numberIn, parsed } from "./options.js";
import { showOligos, showProblems } from "./problems.js";
import { MOST_RECORDS, readPromoters, readSequences } from "./reading.js";
import { ResultsView } from "./results.js";
import { Runner, tell } from "./runner.js";
import { PLACED, ScanView } from "./scan.js";
import { ENZYMES, readSites } from "./sites.js";
import { counted, InputError } from "./text.js";
import { countWindows, WINDOW } from "./windows.js";

const SECTIONS = ["problems", "oligos", "windows", "comparison", "improvement", "results", "changes"];
const MOST_STEPS = 40;
const FARTHEST_STEP = 10_000; // in bp

const runner = new Runner();
const [model, native] = await Promise.all(["model.json", "native.json"].map(fetchJson)).catch((error) => {
  tell(`The page could not be loaded (${error.message}); reload it`);
  throw error;
});
const distribution = new Distribution(native);
const intervalOf = (expression) => interval(model.calibration, Number($("level").value), expression);
const changes = new ChangesView();
const results = new ResultsView(distribution, intervalOf, (row) =>
  runner.run((predict) => changes.explain(row, predict)),
);
const scan = new ScanView(distribution, intervalOf);
const comparison = new ComparisonView();
const improvement = new ImprovementView(intervalOf);
const tasks = { predict: predictAll, windows: scanAll, compare: compareTwo, improve: improveOne };

async function fetchJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return response.json();
}

/** Do the form's task; what its input lacks is told. */
function start() {
  runner.clear();
  for (const section of SECTIONS) $(section).hidden = true;
  try {
    tasks[form.task()](form.text());
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    tell(error.message);
  }
}

function predictAll(text) {
  const promoters = usablePromoters(text);
  if (!promoters.length) return tell("There is nothing to predict");
  runner.run(async (predict) => {
    const values = await predict(inserts(promoters), counted(promoters.length, "promoter"));
    results.show(promoters.map((promoter, i) => ({ ...promoter, expression: values[i] })));
    if (document.activeElement !== $("orient")) $("results-title").focus();
  });
}

function scanAll(text) {
  const step = numberIn("step", "Step", { least: 1, most: FARTHEST_STEP, whole: true });
  const bothStrands = $("both").checked;
  const { sequences, problems } = readSequences(text, WINDOW);
  showProblems(problems, sequences.length);
  const count = sequences.reduce((sum, { bases }) => sum + countWindows(bases.length, step, bothStrands), 0);
  if (count > MOST_RECORDS) throw form.tooMany(count, MOST_RECORDS, "windows");
  if (!count) return tell("There is nothing to predict");
  const note = (insert) => noteOn(insert, null, false, model.insert_lengths);
  runner.run(async (predict) => {
    results.show(await scan.scan(sequences, step, bothStrands, note, predict), PLACED);
    $("windows-title").focus();
  });
}

function compareTwo(text) {
  const pair = exactly(2, usablePromoters(text));
  runner.run(async (predict) => {
    const values = await comparison.compare(pair, predict);
    results.show(pair.map((promoter, i) => ({ ...promoter, expression: values[i] })));
    $("comparison-title").focus();
  });
}

function improveOne(text) {
  const most = numberIn("most", "The number of changes", { least: 1, most: MOST_STEPS, whole: true });
  const goal = $("goal").value;
  const range = { least: distribution.low, most: distribution.high };
  const loss = GOALS[goal](goal === "target" && numberIn("target", "Target", range));
  const sites = parsed("sites", readSites);
  const [promoter] = exactly(1, usablePromoters(text));
  const unknown = promoter.insert.search(/[^ACGT]/);
  if (unknown >= 0) {
    const what = `Base ${unknown + 1} of the insert is ${promoter.insert[unknown]}`;
    throw new InputError(`${what}; give A, C, G and T alone, as a design has them`);
  }
  runner.run((predict) => improvement.improve(promoter, { loss, most, sites }, predict));
}

/** The promoters of a text; what is wrong with others is shown. */
function usablePromoters(text) {
  const { promoters, problems, oligos } = readPromoters(text, model, $("orient").checked);
  const records = promoters.length + problems.length;
  if (records > MOST_RECORDS) throw form.tooMany(records, MOST_RECORDS, "sequences");
  showProblems(problems, promoters.length);
  showOligos(oligos);
  return promoters;
}

function exactly(count, promoters) {
  if (promoters.length === count) return promoters;
  const verb = promoters.length === 1 ? "is" : "are";
  throw new InputError(`There ${verb} ${counted(promoters.length, "usable sequence")}; give ${count}`);
}

const inserts = (promoters) => promoters.map(({ insert }) => insert);

$("longest").textContent = model.longest;
$("enzymes").textContent = Object.keys(ENZYMES).join(", ");
$("level").append(
  ...levelsOf(model.calibration).map((level) =>
    element("option", { value: level, defaultSelected: level === 90 }, `${level} %`),
  ),
);
$("level").addEventListener("change", () => [scan, results, improvement].forEach((view) => view.redraw()));
$("orient").addEventListener("change", start);
form.listen(start);
document.body.dataset.ready = "";
