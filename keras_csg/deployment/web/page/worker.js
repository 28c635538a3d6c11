// The network in a thread of its own, so that the page never stands still.

import { rowsOf } from "./pictures.js";
import { fieldOfView, read, sizeFor } from "./reading.js";

const MOST_THREADS = 4;
const ANY_SIDE = 64; // Of an image for a network that takes any.
let ort, session, metadata, page;

self.onmessage = async ({ data }) => {
  try {
    const value = data.load ? await load(data.load) : await ask(data.bitmap);
    self.postMessage({ id: data.id, value });
  } catch (error) {
    self.postMessage({ id: data.id, error: inWords(error) });
  }
};

async function load(given) {
  ({ metadata, page } = given);
  const sizes = {};
  const tell = (name) => (loaded, total) => {
    sizes[name] = { loaded, total };
    self.postMessage({ progress: Object.values(sizes) });
  };
  const files = Promise.all([
    fetched("./onnxruntime/ort.wasm", tell("runtime")),
    fetched(page.model, tell("model")),
  ]);
  const [[binary, model], runtime] = await Promise.all([files, import("./onnxruntime/ort.js")]);
  ort = runtime;
  ort.env.logLevel = "error";
  ort.env.wasm.wasmBinary = binary;
  // More need a page that is isolated by headers, which few servers send.
  const cores = self.navigator.hardwareConcurrency || 1;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(cores, MOST_THREADS) : 1;
  session = await ort.InferenceSession.create(new Uint8Array(model), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  await warmUp();
  return { bytes: model.byteLength, threads: ort.env.wasm.numThreads };
}

/** Runs once: the first answer takes many times as long as the others. */
async function warmUp() {
  const [, height, width] = metadata.input.shape;
  const size = { height: height ?? ANY_SIDE, width: width ?? ANY_SIDE };
  await run(new Uint8Array(size.height * size.width * 3), size);
}

/** Returns the bytes of a file, and tells meanwhile how many are there. */
async function fetched(address, tell) {
  // Asks whether it has changed: a page may have been exported anew.
  const answer = await fetch(address, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${address} is not beside the page (HTTP ${answer.status}).`);
  const packed = answer.headers.get("Content-Encoding");
  const total = packed ? 0 : Number(answer.headers.get("Content-Length"));
  const [parts, reader] = [[], answer.body.getReader()];
  let loaded = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.length;
    tell(loaded, total);
  }
  return new Blob(parts).arrayBuffer();
}

async function ask(bitmap) {
  const picture = { width: bitmap.width, height: bitmap.height };
  const size = sizeFor(metadata.input.shape, picture);
  const reading = { resize: metadata.input.resize ?? "crop", background: page.background };
  const begun = performance.now();
  let pixels;
  try {
    pixels = read(rowsOf(bitmap, page.background), picture, size, reading);
  } finally {
    bitmap.close();
  }
  const seen = performance.now();
  const outputs = await run(pixels, size);
  return {
    outputs,
    size,
    view: fieldOfView(reading.resize, picture, size),
    milliseconds: { reading: seen - begun, network: performance.now() - seen },
  };
}

async function run(pixels, size) {
  const { dtype, name } = metadata.input;
  const values = dtype === "uint8" ? pixels : Float32Array.from(pixels);
  const images = new ort.Tensor(dtype, values, [1, size.height, size.width, 3]);
  const found = await session.run({ [name]: images });
  return Object.fromEntries(
    Object.entries(found).map(([key, tensor]) => [key, { data: tensor.data, dims: tensor.dims }]),
  );
}

function inWords(error) {
  const text = error?.message ?? String(error);
  if (/memory|allocat/i.test(text)) return `This device has too little memory for it: ${text}`;
  return text;
}
