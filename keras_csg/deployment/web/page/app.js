// The page: what is shown to the network, and what becomes of its answer.

import { describe } from "./answer.js";
import { Network } from "./network.js";
import { Camera, decoded, drawing, fileOf } from "./pictures.js";
import { complain, introduce, show } from "./report.js";
import { Stage } from "./stage.js";

const FRAME = 200; // Milliseconds from one of the camera's frames to the next.
const byId = (id) => document.getElementById(id);
const stage = new Stage(byId("canvas"));
const camera = new Camera(byId("video"));
let network, metadata;
let newest = 0; // Number of the picture that is shown: older answers are void.
let failed = false; // Whether the network could not be loaded.
let session = 0; // Number of the camera's session: older ones have ended.

async function start() {
  if (!globalThis.WebAssembly || !globalThis.OffscreenCanvas || !globalThis.createImageBitmap)
    throw new Error("This browser is too old for the page: one of 2023 or later runs it.");
  const page = await json("page.json");
  metadata = await json(page.metadata);
  network = new Network(progress);
  const loaded = await network.load(metadata, page);
  introduce(metadata, page, loaded);
  byId("loading").hidden = true;
  byId("workbench").hidden = false;
  listen();
}

async function json(address) {
  const answer = await fetch(address, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${address} is not beside the page (HTTP ${answer.status}).`);
  return answer.json();
}

function progress(files) {
  if (failed) return; // The other file may still be on its way.
  const sum = (name) => files.reduce((all, file) => all + file[name], 0);
  const bar = byId("loading-bar");
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  if (files.every((file) => file.total)) {
    bar.max = sum("total");
    bar.value = sum("loaded");
    byId("loading-text").textContent =
      `Loading the network: ${megabytes(bar.value)} of ${megabytes(bar.max)} MB`;
    // Bytes are there before the network is: it has still to be set up.
    if (bar.value === bar.max && files.length > 1) byId("loading-text").textContent = "Setting up the network…";
  } else byId("loading-text").textContent = `Loading the network: ${megabytes(sum("loaded"))} MB so far`;
}

/** Asks about a bitmap; answers about older ones are dropped. */
async function look(bitmap, what, live = false) {
  const own = ++newest;
  byId("hint").hidden = true;
  byId("stage").classList.remove("empty-stage");
  byId("canvas").hidden = false;
  byId("canvas").ariaLabel = what;
  if (!live) stage.show(bitmap);
  // The worker uses up the bitmap, and the camera's is shown with its answer.
  const shown = live ? await createImageBitmap(bitmap) : null;
  const answer = await network.ask(bitmap);
  if (own !== newest) return shown?.close();
  if (live) stage.show(shown);
  shown?.close();
  const described = describe(answer.outputs, metadata);
  stage.explain(described.heatmap, answer.view);
  byId("heat").hidden = !described.heatmap;
  show(described, answer.milliseconds, live);
  const [first] = described.classes;
  const told = described.known === false ? "not one of the classes it knows" : first?.name;
  if (told) byId("canvas").ariaLabel = `${what}: ${told}`;
  document.dispatchEvent(new CustomEvent("answer", { detail: { ...answer, ...described } }));
}

/** Does something of which an error is told in words. */
async function trying(something) {
  complain(null);
  try {
    await something();
  } catch (error) {
    complain(error.message);
  }
}

const lookAtFile = (file) =>
  trying(async () => {
    stopCamera();
    const own = ++newest;
    const bitmap = await decoded(file);
    if (own === newest) await look(bitmap, file.name || "The picture");
  });

function stopCamera() {
  camera.stop();
  session++;
  newest++;
  byId("camera").textContent = "Use the camera";
  byId("camera").ariaPressed = "false";
  byId("other-camera").hidden = true;
}

function stopAndThrow(error) {
  stopCamera();
  throw error;
}

async function live() {
  const own = ++session;
  await camera.start();
  byId("camera").textContent = "Stop the camera";
  byId("camera").ariaPressed = "true";
  byId("other-camera").hidden = !camera.hasOther;
  while (own === session) {
    const next = new Promise((done) => setTimeout(done, FRAME));
    const frame = document.hidden ? null : await camera.frame();
    if (frame && own === session) await look(frame, "The camera", true);
    await next;
  }
}

function listen() {
  byId("stage").classList.add("empty-stage");
  byId("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) lookAtFile(target.files[0]);
    target.value = ""; // The same file may be chosen again.
  });
  byId("camera").addEventListener("click", () => {
    if (camera.on) return stopCamera();
    trying(() => live().catch(stopAndThrow));
  });
  byId("other-camera").addEventListener("click", () => trying(() => camera.change()));
  byId("example").addEventListener("click", () =>
    trying(async () => {
      stopCamera();
      await look(await drawing(), "A drawing, of which a network of photographs knows little");
    }),
  );
  byId("strength").addEventListener("input", ({ target }) => {
    stage.strength = target.value / 100;
    stage.draw();
  });
  document.addEventListener("paste", ({ clipboardData }) => trying(() => lookAtFile(fileOf(clipboardData))));
  listenForDrops();
}

function listenForDrops() {
  let inside = 0; // Elements that it was dragged into and not out of.
  const show = () => document.body.classList.toggle("dragging", inside > 0);
  addEventListener("dragenter", () => (inside++, show()));
  addEventListener("dragleave", () => (inside--, show()));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    show();
    trying(() => lookAtFile(fileOf(event.dataTransfer)));
  });
}

start().catch((error) => {
  failed = true;
  byId("loading-text").textContent = `The network cannot be loaded. ${error.message}`;
  byId("loading-bar").hidden = true;
  byId("loading").setAttribute("role", "alert");
});
