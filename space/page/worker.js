// The model, off the page's thread.
//
// The page sends {job, inserts}; back come {job, done} now and then and {job, values}, or {job, error}. A newer
// message ends an older job. While the model loads, {loading} is the share that has arrived; then {ready} or {failed}.

import { Tokenizer } from "./vendor/tokenizers.min.mjs";
import * as ort from "./vendor/ort.wasm.min.mjs";
import { toOligo } from "./construct.js";

const BATCH = 32;
const TOLD_EVERY_MS = 100;
const MOST_THREADS = 4;

let newest = 0;
const model = load();
model.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: error.message }),
);

onmessage = async ({ data: { job, inserts } }) => {
  newest = job;
  if (!inserts) return;
  try {
    const values = await predict(await model, job, inserts);
    if (job === newest) postMessage({ job, values });
  } catch (error) {
    postMessage({ job, error: error.message });
  }
};

async function load() {
  const { bytes } = await (await download("model.json")).json();
  const total = Object.values(bytes).reduce((sum, size) => sum + size);
  let arrived = 0;
  const count = (size) => postMessage({ loading: (arrived += size) / total });
  const parts = Object.keys(bytes).map(async (path) => (await download(path, count)).arrayBuffer());
  const [wasm, weights, tokenizer, config] = await Promise.all(parts);
  const parse = (buffer) => JSON.parse(new TextDecoder().decode(buffer));

  ort.env.wasm.wasmBinary = wasm;
  // Threads share memory, which browsers allow on an isolated page only.
  ort.env.wasm.numThreads = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  const session = await ort.InferenceSession.create(weights);
  return { session, tokenizer: new Tokenizer(parse(tokenizer), parse(config)) };
}

async function download(path, count = () => {}) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  const counter = new TransformStream({
    transform(chunk, controller) {
      count(chunk.length);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter));
}

/** Expression, Float32Array, in the order of the inserts; equal ones are predicted once. */
async function predict(model, job, inserts) {
  const values = new Float32Array(inserts.length);
  const places = Map.groupBy(inserts.keys(), (i) => inserts[i]);
  let done = 0;
  let told = performance.now();
  for (const batch of batches([...places.keys()])) {
    const expression = await run(model, batch);
    const rows = batch.map((insert) => places.get(insert));
    rows.forEach((equal, row) => equal.forEach((i) => (values[i] = expression[row])));
    done += rows.flat().length;
    if (performance.now() - told < TOLD_EVERY_MS) continue;
    told = performance.now();
    postMessage({ job, done });
    await new Promise((resolve) => setTimeout(resolve)); // lets a newer message in
    if (job !== newest) break;
  }
  return values;
}

/** Batches of inserts of one length, which need no padding. */
function* batches(inserts) {
  for (const alike of Map.groupBy(inserts, (insert) => insert.length).values()) {
    for (let start = 0; start < alike.length; start += BATCH) yield alike.slice(start, start + BATCH);
  }
}

async function run({ session, tokenizer }, inserts) {
  const rows = inserts.map((insert) => tokenizer.encode(toOligo(insert)).ids);
  const ids = BigInt64Array.from(rows.flat(), BigInt);
  const shape = [rows.length, rows[0].length];
  const { logits } = await session.run({
    input_ids: new ort.Tensor("int64", ids, shape),
    attention_mask: new ort.Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape),
  });
  return logits.data;
}
