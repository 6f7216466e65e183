// The section of long sequences: a profile of each.

import { $ } from "./elements.js";
import { profile } from "./profile.js";
import { counted, number } from "./text.js";
import { windowsOf } from "./windows.js";

const MOST_PROFILES = 10;

/** The columns that tell where a window is. */
export const PLACED = ["start", "end", "strand"];

export class ScanView {
  #groups = [];

  constructor(distribution, intervalOf) {
    Object.assign(this, { distribution, intervalOf });
  }

  /** Predict and show the windows of sequences, `{id, bases}`; returns rows for the table. */
  async scan(sequences, step, bothStrands, noteOn, predict) {
    const groups = sequences.map(({ id, bases }) => ({ id, windows: windowsOf(bases, step, bothStrands) }));
    const windows = groups.flatMap((group) => group.windows);
    const values = await predict(
      windows.map(({ insert }) => insert),
      counted(windows.length, "window"),
    );
    let taken = 0;
    this.#groups = groups.map(({ id, windows }) => ({
      id,
      rows: windows.map((window) => ({ ...window, id, note: noteOn(window.insert), expression: values[taken++] })),
    }));
    $("windows").hidden = false;
    $("windows-title").textContent = `${counted(windows.length, "window")} of ${counted(sequences.length, "sequence")}`;
    $("windows-more").hidden = groups.length <= MOST_PROFILES;
    $("windows-more").textContent = `Profiles of the first ${MOST_PROFILES} of ${number(groups.length)} sequences`;
    this.redraw();
    return this.#groups.flatMap(({ id, rows }) => rows.map((row) => ({ ...row, name: windowName(row, groups.length > 1) })));
  }

  redraw() {
    const figures = this.#groups
      .slice(0, MOST_PROFILES)
      .map(({ id, rows }) => profile(id, rows, this.distribution, this.intervalOf));
    $("profiles").replaceChildren(...figures);
  }
}

const windowName = ({ id, start, end, strand }, withId) => `${withId ? `${id}:` : ""}${start}-${end} (${strand})`;
