// The picture with the heatmap over it.

const MOST_PIXELS = 1400; // Of a side: more than a screen shows.
const SMALL = 64; // Up to that a picture is shown with its pixels as squares.
const UNSEEN = 0.55; // How far what was cut off is darkened.
const OPACITY = 0.7;
const FINE = 256; // Of the heatmap's longer side as it is drawn.
// Inferno, whose brightness grows evenly and which the colour-blind tell apart.
const COLOURS = [
  [0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85],
  [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164],
];

export class Stage {
  #picture = document.createElement("canvas");
  #heat = null;
  #view = null;
  #scale = 1;
  strength = 1;

  constructor(canvas) {
    this.canvas = canvas;
  }

  /** Shows a picture, without a heatmap as yet. */
  show(bitmap) {
    const longest = Math.max(bitmap.width, bitmap.height);
    this.#scale = Math.min(MOST_PIXELS / longest, Math.max(1, Math.floor(480 / longest)));
    this.#picture.width = Math.max(1, Math.round(bitmap.width * this.#scale));
    this.#picture.height = Math.max(1, Math.round(bitmap.height * this.#scale));
    const context = this.#picture.getContext("2d");
    context.imageSmoothingEnabled = longest > SMALL;
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, this.#picture.width, this.#picture.height);
    this.#heat = this.#view = null;
    this.draw();
  }

  /** Lays a heatmap, or none, over the part of the picture that was seen. */
  explain(heatmap, view) {
    this.#heat = heatmap && colour(heatmap, view);
    this.#view = view;
    this.draw();
  }

  draw() {
    const { width, height } = this.#picture;
    Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.drawImage(this.#picture, 0, 0);
    if (!this.#view) return;
    const part = ["left", "top", "width", "height"].map((side) => this.#view[side] * this.#scale);
    context.fillStyle = `rgb(0 0 0 / ${UNSEEN})`;
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(...part);
    context.fill("evenodd");
    if (!this.#heat) return;
    context.globalAlpha = this.strength;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#heat, ...part);
  }
}

/** Returns a heatmap as a picture; the warmer, the more it covers. */
function colour(heatmap, view) {
  const shrink = FINE / Math.max(view.width, view.height);
  const width = Math.max(1, Math.round(view.width * shrink));
  const height = Math.max(1, Math.round(view.height * shrink));
  const image = new ImageData(width, height);
  const value = between(heatmap);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      const heat = value((x + 0.5) / width, (y + 0.5) / height);
      image.data.set(colourOf(heat), at);
      image.data[at + 3] = 255 * OPACITY * heat;
    }
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Returns the heat at a place in 0..1, between the map's own points. */
function between({ width, height, values }) {
  const at = (share, side) => {
    const place = Math.min(side - 1, Math.max(0, share * side - 0.5));
    const low = Math.floor(place);
    return [low, Math.min(side - 1, low + 1), place - low];
  };
  return (across, down) => {
    const [x0, x1, right] = at(across, width);
    const [y0, y1, below] = at(down, height);
    const upper = values[y0 * width + x0] * (1 - right) + values[y0 * width + x1] * right;
    const lower = values[y1 * width + x0] * (1 - right) + values[y1 * width + x1] * right;
    return upper * (1 - below) + lower * below;
  };
}

function colourOf(heat) {
  const place = Math.min(1, Math.max(0, heat)) * (COLOURS.length - 1);
  const low = Math.min(COLOURS.length - 2, Math.floor(place));
  return COLOURS[low].map((from, k) => from + (COLOURS[low + 1][k] - from) * (place - low));
}
