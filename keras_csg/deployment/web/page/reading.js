// How a picture becomes the pixels that the network sees, as the package does
// it with Pillow: resized about its centre with a triangle filter that grows
// with the scale, columns before rows, each rounded to 8 bits.

// Of pictures for a network that takes any size: the longer side, in pixels.
export const LONGEST = 1024;
const BITS = 22; // Of a weight as an integer, as in Pillow.
const STRIPE = 2 ** 22; // Pixels that are read at once.

/** Returns the size at which a network takes a picture of some size. */
export function sizeFor([, height, width], picture) {
  if (height && width) return { width, height };
  if (height) return { width: side((picture.width * height) / picture.height), height };
  if (width) return { width, height: side((picture.height * width) / picture.width) };
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  return { width: side(picture.width * scale), height: side(picture.height * scale) };
}

const side = (pixels) => Math.min(LONGEST, Math.max(1, round(pixels)));

/**
 * Returns what of a picture goes where.
 *
 * @param {string} resize "crop", "pad" or "squash".
 * @param {{width: number, height: number}} picture
 * @param {{width: number, height: number}} size that the network sees.
 * @returns `box`, `[x0, y0, x1, y1]` in the picture's pixels; `size`, what the
 *   box is resized to; `left` and `top`, where that lies in the image.
 */
function placing(resize, picture, size) {
  const whole = [0, 0, picture.width, picture.height];
  if (resize === "squash") return { box: whole, size, left: 0, top: 0 };
  if (resize === "crop") return { box: cropped(picture, size), size, left: 0, top: 0 };
  const inner = contained(picture, size);
  return {
    box: whole,
    size: inner,
    left: round((size.width - inner.width) * 0.5),
    top: round((size.height - inner.height) * 0.5),
  };
}

function cropped({ width, height }, size) {
  const ratio = size.width / size.height;
  let [across, down] = [width, height];
  if (width / height > ratio) across = ratio * height;
  else if (width / height < ratio) down = width / ratio;
  const [left, top] = [(width - across) * 0.5, (height - down) * 0.5];
  return [left, top, left + across, top + down];
}

function contained({ width, height }, size) {
  const [own, wanted] = [width / height, size.width / size.height];
  // A strip keeps a line of pixels.
  if (own > wanted) return { ...size, height: Math.max(1, round((height / width) * size.width)) };
  if (own < wanted) return { ...size, width: Math.max(1, round((width / height) * size.height)) };
  return size;
}

/** Returns where the image that the network sees lies in the picture. */
export function fieldOfView(resize, picture, size) {
  let [across, down] = [size.width / picture.width, size.height / picture.height];
  if (resize === "crop") across = down = Math.max(across, down);
  if (resize === "pad") across = down = Math.min(across, down);
  const [width, height] = [size.width / across, size.height / down];
  return { left: (picture.width - width) / 2, top: (picture.height - height) / 2, width, height };
}

/**
 * Returns a picture as RGB of a size.
 *
 * @param {(first: number, count: number) => Uint8ClampedArray} rows gives some
 *   rows of the picture, four values a pixel, of which the fourth is not used.
 * @param {{width: number, height: number}} picture
 * @param {{width: number, height: number}} size that the network sees.
 * @param {{resize: string, background: number[]}} reading
 * @returns {Uint8Array} of `height * width * 3` values.
 */
export function read(rows, picture, size, reading) {
  const place = placing(reading.resize, picture, size);
  const pixels = resample(rows, picture, place);
  if (place.size.width === size.width && place.size.height === size.height) return pixels;
  const image = new Uint8Array(size.width * size.height * 3);
  for (let at = 0; at < image.length; at++) image[at] = reading.background[at % 3];
  const length = place.size.width * 3;
  for (let y = 0; y < place.size.height; y++) {
    const row = pixels.subarray(y * length, (y + 1) * length);
    image.set(row, ((y + place.top) * size.width + place.left) * 3);
  }
  return image;
}

function resample(rows, picture, { box, size }) {
  const [x0, y0, x1, y1] = box.map(Math.fround); // Pillow's are of 32 bits.
  const across = weights(picture.width, x0, x1, size.width);
  const down = weights(picture.height, y0, y1, size.height);
  const first = down.starts[0];
  const last = down.starts[size.height - 1] + down.counts[size.height - 1];
  const middle = new Uint8Array((last - first) * size.width * 3);
  const most = Math.max(1, Math.floor(STRIPE / picture.width));
  for (let y = first; y < last; y += most) {
    const count = Math.min(most, last - y);
    const stripe = rows(y, count);
    for (let row = 0; row < count; row++)
      resampleRow(stripe, row * picture.width * 4, across, middle, (y - first + row) * size.width * 3);
  }
  return resampleColumns(middle, first, down, size);
}

function resampleRow(source, from, { starts, counts, values, most }, target, to) {
  for (let x = 0; x < starts.length; x++) {
    let red = 1 << (BITS - 1);
    let [green, blue] = [red, red];
    let at = from + starts[x] * 4;
    for (let k = x * most; k < x * most + counts[x]; k++, at += 4) {
      red += source[at] * values[k];
      green += source[at + 1] * values[k];
      blue += source[at + 2] * values[k];
    }
    target[to + x * 3] = level(red);
    target[to + x * 3 + 1] = level(green);
    target[to + x * 3 + 2] = level(blue);
  }
}

function resampleColumns(source, first, { starts, counts, values, most }, size) {
  const length = size.width * 3;
  const target = new Uint8Array(size.height * length);
  const sums = new Int32Array(length);
  for (let y = 0; y < size.height; y++) {
    sums.fill(1 << (BITS - 1));
    for (let k = 0; k < counts[y]; k++) {
      const weight = values[y * most + k];
      const from = (starts[y] - first + k) * length;
      for (let x = 0; x < length; x++) sums[x] += source[from + x] * weight;
    }
    for (let x = 0; x < length; x++) target[y * length + x] = level(sums[x]);
  }
  return target;
}

/** Returns which pixels each pixel of the new side is made of, and how much. */
function weights(pixels, start, end, wanted) {
  const scale = Math.fround(end - start) / wanted;
  const reach = Math.max(scale, 1);
  const most = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(wanted);
  const counts = new Int32Array(wanted);
  const values = new Int32Array(wanted * most);
  for (let x = 0; x < wanted; x++) {
    const centre = start + (x + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(pixels, Math.trunc(centre + reach + 0.5));
    const shares = [];
    for (let at = low; at < high; at++)
      shares.push(Math.max(0, 1 - Math.abs((at - centre + 0.5) * (1 / reach))));
    const sum = shares.reduce((all, share) => all + share, 0) || 1;
    starts[x] = low;
    counts[x] = high - low;
    shares.forEach((share, k) => {
      values[x * most + k] = Math.trunc(0.5 + (share / sum) * (1 << BITS));
    });
  }
  return { starts, counts, values, most };
}

const level = (sum) => Math.min(255, Math.max(0, sum >> BITS));

/** Rounds as Python does: halves to the even number. */
function round(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}
