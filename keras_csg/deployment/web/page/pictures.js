// Where pictures come from: files, the clipboard, the camera, a drawing.

/** Returns a file's bitmap, turned as its camera says, its colours as they are. */
export async function decoded(file) {
  try {
    return await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    const name = file.name ? `“${file.name}”` : "This";
    throw new Error(`${name} is no picture that this browser can read. JPEG, PNG, WebP and GIF files are.`);
  }
}

/**
 * Returns what gives some rows of a bitmap, `(first, count)`, four values a
 * pixel, laid over a background.
 */
export function rowsOf(bitmap, background) {
  const { width } = bitmap;
  let canvas, context;
  return (first, count) => {
    if (!canvas) {
      canvas = new OffscreenCanvas(width, count);
      context = canvas.getContext("2d", { willReadFrequently: true });
      context.imageSmoothingEnabled = false;
    }
    context.fillStyle = `rgb(${background.join(",")})`;
    context.fillRect(0, 0, width, count);
    context.drawImage(bitmap, 0, first, width, count, 0, 0, width, count);
    return context.getImageData(0, 0, width, count).data;
  };
}

/** Returns the first file among what was dropped or pasted. */
export function fileOf(transfer) {
  const [file] = transfer?.files ?? [];
  if (file) return file;
  throw new Error("That was no file: save the picture first, and drop or choose the file.");
}

export class Camera {
  #stream = null;
  #devices = [];
  #chosen = 0;

  constructor(video) {
    this.video = video;
  }

  get on() {
    return this.#stream !== null;
  }

  /** Whether there is another camera to change to. */
  get hasOther() {
    return this.#devices.length > 1;
  }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia)
      throw new Error("Browsers give the camera only to pages at https:// or http://localhost.");
    const device = this.#devices[this.#chosen];
    const wanted = device ? { deviceId: { exact: device.deviceId } } : { facingMode: { ideal: "environment" } };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { ...wanted, width: { ideal: 1280 } } });
    } catch (error) {
      throw new Error(whyNoCamera(error));
    }
    this.video.srcObject = this.#stream;
    await this.video.play();
    const all = await navigator.mediaDevices.enumerateDevices();
    this.#devices = all.filter(({ kind }) => kind === "videoinput");
  }

  async change() {
    this.stop();
    this.#chosen = (this.#chosen + 1) % this.#devices.length;
    await this.start();
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = this.video.srcObject = null;
  }

  /** Returns what it sees now, or `null` if it sees nothing as yet. */
  async frame() {
    return this.video.videoWidth ? createImageBitmap(this.video) : null;
  }
}

function whyNoCamera({ name, message }) {
  if (name === "NotAllowedError") return "The camera was not allowed: allow it for this page, beside its address, and try again.";
  if (name === "NotFoundError") return "There is no camera on this device.";
  if (name === "NotReadableError") return "The camera is in use by another program.";
  return `The camera cannot be used: ${message || name}`;
}

/** Returns a drawing, where no picture is at hand. */
export function drawing() {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 480, height: 360 });
  const context = canvas.getContext("2d");
  const sky = context.createLinearGradient(0, 0, 0, 240);
  sky.addColorStop(0, "#6fa8dc");
  sky.addColorStop(1, "#dbeaf7");
  const fill = (style, draw) => {
    context.fillStyle = style;
    context.beginPath();
    draw(context);
    context.fill();
  };
  fill(sky, (c) => c.rect(0, 0, 480, 360));
  fill("#f2c14e", (c) => c.arc(400, 70, 32, 0, 7));
  fill("#7a9e5f", (c) => c.ellipse(140, 360, 330, 130, 0, 0, 7));
  fill("#5f8449", (c) => c.ellipse(400, 370, 260, 120, 0, 0, 7));
  fill("#7b4a2d", (c) => {
    c.ellipse(235, 225, 75, 42, 0, 0, 7); // A dog, perhaps.
    c.rect(175, 240, 18, 70);
    c.rect(280, 240, 18, 70);
  });
  fill("#7b4a2d", (c) => c.arc(322, 180, 36, 0, 7));
  fill("#5a3520", (c) => c.ellipse(305, 180, 13, 28, 0.3, 0, 7));
  fill("#20140d", (c) => c.arc(334, 174, 5, 0, 7));
  fill("#20140d", (c) => c.arc(357, 188, 7, 0, 7));
  return createImageBitmap(canvas);
}
