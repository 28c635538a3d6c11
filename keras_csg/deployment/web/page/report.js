// The answer in words and bars. Names are text: what is in them is never markup.

import { missing, TOP } from "./answer.js";

const byId = (id) => document.getElementById(id);

/** Says what the network is, once it is loaded. */
export function introduce(metadata, page, loaded) {
  const count = metadata.class_names.length;
  byId("name").textContent = page.name;
  document.title = `${page.name}: try it`;
  const what = metadata.multi_label ? "are in it" : "it is";
  byId("lead").textContent =
    `Show it a picture, and see which of ${count.toLocaleString("en")} classes ${what}, and why. ` +
    "No picture leaves this device.";
  const lacking = missing(metadata);
  byId("missing").hidden = !lacking.length;
  byId("missing").textContent = `This network was exported without ${listed(lacking)}.`;
  facts(metadata, page, loaded);
}

function facts(metadata, page, { bytes, threads }) {
  const [, height, width] = metadata.input.shape;
  const side = (pixels) => pixels ?? "any";
  const names = metadata.class_names.slice(0, 20).map(String).join(", ");
  const more = metadata.class_names.length - 20;
  const known = {
    Backbone: metadata.backbone,
    Classes: more > 0 ? `${names} and ${more.toLocaleString("en")} more` : names,
    Sees: `${side(width)} × ${side(height)} pixels, ${metadata.input.dtype}`,
    Gate: metadata.gate_matrix ? "each class has filters of its own" : "none",
    Model: `${(bytes / 1e6).toFixed(1)} MB`,
    Runtime: `${page.runtime}, ${threads === 1 ? "one thread" : `${threads} threads`}`,
    "Exported by": `keras-csg ${metadata.project_version}`,
  };
  const list = Object.entries(known).flatMap(([term, text]) => [element("dt", "", term), element("dd", "", text)]);
  byId("facts").replaceChildren(...list);
}

/** Shows what the network says about a picture. */
export function show(described, took, live) {
  byId("empty").hidden = true;
  byId("result").hidden = false;
  const line = headline(described);
  byId("headline").textContent = line;
  byId("caption").hidden = false;
  byId("caption").textContent = line;
  // A camera's answers change too fast to be read out.
  if (!live) byId("said").textContent = line;
  familiarity(described);
  classes(described.classes);
  filters(described.filters);
  const { reading, network } = took;
  byId("took").textContent =
    `Answered in ${Math.round(reading + network)} ms on this device, ` +
    `of which the network took ${Math.round(network)} ms.`;
}

function familiarity({ known, anomaly, classes: [nearest] }) {
  const line = byId("familiarity");
  line.hidden = anomaly === undefined && known === undefined;
  if (line.hidden) return;
  const score = anomaly === undefined ? "" : ` Stranger than ${percent(anomaly)} of the pictures it was set on.`;
  const near = nearest ? ` The nearest is ${nearest.name}; what follows is of it.` : "";
  line.textContent = known === false ? `It is unlike what this network knows.${score}${near}` : `It is like what this network knows.${score}`;
}

/** Shows an error in words, or takes it away. */
export function complain(text) {
  byId("error").hidden = !text;
  byId("error").textContent = text ?? "";
  if (text) byId("error").scrollIntoView({ block: "nearest" });
}

function headline({ present, classes, known }) {
  if (known === false) return "Not one of the classes it knows";
  if (present) return present.length ? listed(present) : "None of the classes";
  const [first] = classes;
  if (!first) return "No class: it was exported without them";
  if (first.probability === undefined) return first.name;
  return `${first.name}, ${percent(first.probability)}`;
}

function classes(entries) {
  const table = byId("classes");
  table.hidden = !entries.length || entries[0].probability === undefined;
  const specific = entries.some((entry) => entry.specific !== undefined);
  table.querySelector("th.specific").hidden = !specific;
  const rows = entries.map((entry, place) => {
    const row = element("tr", place === 0 ? "first" : "");
    const head = element("th", "", entry.name);
    head.scope = "row";
    if (entry.present) {
      row.classList.add("there-row");
      head.append(element("span", "there", "there"));
    }
    row.append(head, cell(entry.probability));
    if (specific) row.append(cell(entry.specific));
    return row;
  });
  table.tBodies[0].replaceChildren(...rows);
}

function cell(share) {
  const made = element("td");
  made.append(element("span", "figure", percent(share)), bar(share));
  return made;
}

function filters(entries) {
  byId("speaking").hidden = !entries;
  if (!entries) return;
  // Beside the longest, since the largest of many shares is small.
  byId("filters").replaceChildren(...entries.map((entry) => filterLine(entry, entries[0].share)));
  byId("filters-words").textContent = entries.length
    ? `The ${Math.min(TOP, entries.length)} that add most, as shares of what all filters add and take away.`
    : "None: no filter adds anything to this class.";
}

function filterLine({ filter, share, name, of }, largest) {
  const item = element("li");
  const line = element("div", "line");
  const who = element("span", "who", name ? `${name} (filter ${filter})` : `Filter ${filter}`);
  if (of !== null) who.append(element("span", "of", `, of ${of}`));
  line.append(who, element("span", "figure", percent(share)));
  item.append(line, bar(share / largest));
  return item;
}

function bar(share) {
  const rail = element("span", "rail");
  const fill = element("span", "fill");
  fill.style.width = `${Math.min(100, Math.max(0, share * 100))}%`;
  rail.ariaHidden = "true";
  rail.append(fill);
  return rail;
}

function element(tag, kind = "", text = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1%";
  if (share < 1 && share > 0.999) return "> 99.9%";
  return `${(share * 100).toFixed(1)}%`;
}

const listed = (names) => new Intl.ListFormat("en", { type: "conjunction" }).format(names);
