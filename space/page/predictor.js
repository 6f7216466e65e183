// The page's end of the worker.

/**
 * Predicts in a worker, one job at a time: a new one ends the one before.
 *
 * `onLoading` is called with the share of the model that has arrived, 0 to 1; `loaded` is a promise that it is ready.
 */
export class Predictor {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #job = 0;
  #running = null;

  constructor(onLoading) {
    this.loaded = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => {
        if ("loading" in data) onLoading(data.loading);
        else if ("ready" in data) resolve();
        else if ("failed" in data) reject(new Error(data.failed));
        else if (data.job === this.#job) this.#receive(data);
      };
      this.#worker.onerror = (event) => reject(new Error(event.message ?? "the worker did not start"));
    });
  }

  /** Expression, Float32Array, of inserts; throws an AbortError if another job or `stop` ends this one. */
  predict(inserts, onProgress) {
    this.stop();
    return new Promise((resolve, reject) => {
      this.#running = { resolve, reject, onProgress };
      this.#worker.postMessage({ job: this.#job, inserts });
    });
  }

  stop() {
    this.#job += 1;
    this.#worker.postMessage({ job: this.#job });
    this.#running?.reject(new DOMException("stopped", "AbortError"));
    this.#running = null;
  }

  #receive({ done, values, error }) {
    if (error) this.#running.reject(new Error(error));
    else if (values) this.#running.resolve(values);
    else return this.#running.onProgress(done);
    this.#running = null;
  }
}
