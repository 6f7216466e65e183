// Work that predicts, one at a time, with progress, a Stop button and a line that says what goes on.

import { $ } from "./elements.js";
import { Predictor } from "./predictor.js";
import { number } from "./text.js";

export function tell(message) {
  $("activity").textContent = message;
  $("status").textContent = message; // read aloud, which the running count is not
}

export class Runner {
  #predictor = new Predictor((share) => ($("progress").value = share));
  #current = new AbortController();

  constructor() {
    const loaded = (message) => {
      $("progress").hidden = true;
      tell(message);
    };
    this.#predictor.loaded.then(
      () => loaded("Ready"),
      (error) => loaded(`The model could not be loaded (${error.message}); reload the page`),
    );
    $("stop").addEventListener("click", () => this.stop());
  }

  /** End what runs; it tells so. */
  stop() {
    this.#current.abort();
    this.#predictor.stop();
  }

  /** End what runs, without a word: something else is to follow. */
  clear() {
    this.stop();
    this.#current = new AbortController();
    this.#rest();
  }

  /**
   * Do `work`, which is given `predict(inserts, what)` and makes a promise of their values from it; other work that
   * still runs is ended. What goes wrong is told.
   */
  async run(work) {
    this.clear();
    const mine = this.#current;
    $("stop").hidden = false;
    try {
      await work((inserts, what) => this.#predict(inserts, what, mine.signal));
    } catch (error) {
      if (mine === this.#current)
        tell(error.name === "AbortError" ? "Stopped" : `Prediction failed: ${error.message}`);
    } finally {
      if (mine === this.#current) this.#rest();
    }
  }

  #rest() {
    $("stop").hidden = true;
    $("progress").hidden = true;
    $("count").textContent = "";
  }

  async #predict(inserts, what, signal) {
    signal.throwIfAborted();
    const progress = $("progress");
    const values = this.#predictor.predict(inserts, (done) => {
      progress.value = done / inserts.length;
      $("count").textContent = `${number(done)} of ${number(inserts.length)}`;
    });
    await Promise.race([this.#predictor.loaded, values]);
    tell(`Predicting ${what}`);
    progress.hidden = false;
    progress.value = 0;
    await values;
    tell(`Predicted ${what}`);
    return values;
  }
}
