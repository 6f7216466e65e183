// The form: its task, its text, and files that become its text.

import { $ } from "./elements.js";
import { binaryFormat } from "./formats.js";
import { tell } from "./runner.js";
import { InputError, number } from "./text.js";

const MOST_CHARACTERS = 4e6; // of a text: a larger one makes its box slow

export const task = () => new FormData($("form")).get("task");

/** The text; throws an InputError if it is too long. */
export function text() {
  const { value } = $("sequences");
  checkSize(value.length);
  return value;
}

export function tooMany(count, most, what) {
  const taken = `which takes ${number(most)}; use the command line`;
  return new InputError(`${number(count)} ${what} are too many for this page, ${taken}`);
}

function checkSize(characters) {
  if (characters > MOST_CHARACTERS) throw tooMany(characters / 1e6, MOST_CHARACTERS / 1e6, "million characters");
}

/** Listen to the form; `onSubmit` is called when the task is to be done. */
export function listen(onSubmit) {
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  $("sequences").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
  });
  $("sequences").addEventListener("paste", (event) => {
    if (!passes(() => checkSize(event.clipboardData.getData("text").length))) event.preventDefault();
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
  $("examples").addEventListener("click", openExamples);
  $("tasks").addEventListener("change", showTask);
  $("goal").addEventListener("change", showTask);
  showTask();
}

/** Show what belongs to the chosen task alone. */
function showTask() {
  for (const part of $("form").querySelectorAll("[data-task]")) part.hidden = part.dataset.task !== task();
  $("target").parentElement.hidden = $("goal").value !== "target";
  $("go").textContent = $("form").querySelector("[name=task]:checked").parentElement.textContent.trim();
}

/** Whether a check passes; what does not is told. */
function passes(check) {
  try {
    check();
    return true;
  } catch (error) {
    tell(error.message);
    return false;
  }
}

async function openExamples() {
  try {
    const response = await fetch(`examples/${task()}.fa`);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    $("sequences").value = await response.text();
  } catch (error) {
    tell(`The examples could not be loaded (${error.message}); try again`);
  }
}

async function readFile(file) {
  if (!file || !passes(() => checkSize(file.size))) return;
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const format = binaryFormat(bytes);
    if (format) return tell(`${file.name} ${format}`);
    const content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (content.includes("\0")) throw new TypeError("it holds NUL characters");
    $("sequences").value = content;
    tell(`Read ${file.name}`);
  } catch (error) {
    const what = error instanceof TypeError ? "is not UTF-8 text" : "cannot be read";
    tell(`${file.name} ${what} (${error.message}); give plain FASTA, a table, or one sequence a line`);
  }
}
