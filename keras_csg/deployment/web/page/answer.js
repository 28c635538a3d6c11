// What a network answered, with names for numbers: as `keras-csg predict` says.

export const TOP = 5;
const PRESENT = 0.5;
const WORDS = {
  probabilities: "the probabilities of the classes",
  class_id: "the predicted class",
  heatmap: "the heatmap",
  filter_contributions: "the filters that speak for a class",
  class_specific_probabilities: "what a class's own filters say by themselves",
};

/** Returns what the model does not answer although it could, in words. */
export function missing(metadata) {
  return Object.keys(WORDS)
    .filter((name) => !(name in metadata.outputs))
    .filter((name) => metadata.gate_matrix || name !== "class_specific_probabilities")
    .filter((name) => name !== "class_id" || !("probabilities" in metadata.outputs))
    .map((name) => WORDS[name]);
}

/**
 * Describes an answer about one image.
 *
 * @param {Object} outputs the values by their names, with `data` and `dims`.
 * @param {Object} metadata the model's.
 * @returns `classes`, the predicted one first, each with `name` and what is
 *   known of `probability`, `specific` and `present`; `present`, the names of
 *   those that are there, where there may be several; `filters`; `heatmap`;
 *   with a detector `anomaly`, the share of clean images that are less strange,
 *   and `known`, whether it shows one of the classes.
 */
export function describe(outputs, metadata, top = TOP) {
  const probabilities = values(outputs.probabilities);
  const order = likeliest(probabilities, values(outputs.class_id)?.[0]);
  const several = metadata.multi_label && probabilities;
  const there = several ? order.filter((index) => probabilities[index] >= PRESENT) : [];
  const specific = values(outputs.class_specific_probabilities);
  return {
    classes: order.slice(0, Math.max(top, there.length)).map((index) => ({
      name: String(metadata.class_names[index]),
      probability: probabilities?.[index],
      specific: specific?.[index],
      present: there.includes(index),
    })),
    present: several ? there.map((index) => String(metadata.class_names[index])) : null,
    filters: filtersOf(values(outputs.filter_contributions), metadata),
    heatmap: heatmapOf(outputs.heatmap),
    ...familiarity(outputs, metadata.detector),
  };
}

function familiarity(outputs, detector) {
  const [anomaly] = values(outputs.anomaly_score) ?? [];
  const [known] = values(outputs.known) ?? [];
  if (known !== undefined) return { anomaly, known: Boolean(known) };
  if (anomaly === undefined || !detector) return { anomaly };
  return { anomaly, known: anomaly <= detector.known_up_to };
}

const values = (output) => (output ? Array.from(output.data) : undefined);

/** Returns the classes from the likeliest down, the predicted one first. */
function likeliest(probabilities, predicted) {
  if (!probabilities) return predicted === undefined ? [] : [Number(predicted)];
  const order = probabilities.map((_, index) => index);
  order.sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  if (predicted === undefined) return order;
  // In an 8-bit model several may share the largest probability.
  return [Number(predicted), ...order.filter((index) => index !== Number(predicted))];
}

/** Returns the filters that add most, as shares of all that filters add. */
function filtersOf(parts, metadata) {
  if (!parts) return null;
  const all = parts.reduce((sum, part) => sum + Math.abs(part), 0) || 1;
  const order = parts.map((_, index) => index).sort((a, b) => parts[b] - parts[a] || a - b);
  const names = metadata.filter_names ?? {};
  return order
    .slice(0, TOP)
    .filter((index) => parts[index] > 0)
    .map((index) => ({
      filter: index,
      share: parts[index] / all,
      name: names[index],
      of: ownClass(metadata, index),
    }));
}

function ownClass({ filter_classes: classes, class_names: names }, index) {
  return classes ? String(names[classes[index]]) : null;
}

function heatmapOf(output) {
  if (!output) return null;
  const [, height, width] = output.dims.map(Number);
  return { height, width, values: output.data };
}
