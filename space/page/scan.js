// The section of long sequences: a profile of each.

import { $ } from "./elements.js";
import { profile } from "./profile.js";
import { counted, number } from "./text.js";
import { windowsOf } from "./windows.js";

const MOST_PROFILES = 10;

/** The columns that tell where a window is. */
export const PLACED = ["start", "end", "strand"];

export class ScanView {
  #groups = []; // the rows of each sequence

  constructor(distribution, intervalOf) {
    Object.assign(this, { distribution, intervalOf });
  }

  /** Predict and show the windows of sequences, `{id, bases}`; returns rows for the table. */
  async scan(sequences, step, bothStrands, noteOn, predict) {
    const windows = sequences.flatMap(({ id, bases }, group) =>
      windowsOf(bases, step, bothStrands).map((window) => ({ ...window, id, group, note: noteOn(window.insert) })),
    );
    const count = counted(windows.length, "window");
    const values = await predict(
      windows.map(({ insert }) => insert),
      count,
    );
    const rows = windows.map((window, i) => ({ ...window, expression: values[i] }));
    this.#groups = [...Map.groupBy(rows, ({ group }) => group).values()];
    $("windows").hidden = false;
    $("windows-title").textContent = `${count} of ${counted(sequences.length, "sequence")}`;
    $("windows-more").hidden = sequences.length <= MOST_PROFILES;
    $("windows-more").textContent = `Profiles of the first ${MOST_PROFILES} of ${number(sequences.length)} sequences`;
    this.redraw();
    return rows.map((row) => named(row, sequences.length > 1));
  }

  redraw() {
    const figures = this.#groups
      .slice(0, MOST_PROFILES)
      .map((rows) => profile(rows[0].id, rows, this.distribution, this.intervalOf));
    $("profiles").replaceChildren(...figures);
  }
}

/** A row with a name for the table, which leaves the id out where all have the same, and a title of its own. */
function named(row, severalIds) {
  const place = `${row.start}-${row.end} (${row.strand})`;
  const title = `${row.id}:${place}`;
  return { ...row, name: severalIds ? title : place, title };
}
