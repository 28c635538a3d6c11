// The network as the page knows it: something that is asked about pictures.

export class Network {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #last = 0;

  /** @param {(files: {loaded: number, total: number}[]) => void} onProgress */
  constructor(onProgress) {
    this.#worker.onmessage = ({ data }) => {
      if (data.progress) return onProgress(data.progress);
      const { resolve, reject } = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error) reject(new Error(data.error));
      else resolve(data.value);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const text = event.message || "A script of this page cannot be loaded.";
      for (const { reject } of this.#waiting.values()) reject(new Error(text));
      this.#waiting.clear();
    };
  }

  /** Loads the network; what it was told of stands in `metadata` and `page`. */
  load(metadata, page) {
    // What is large and of no use there stays here.
    const { input } = metadata;
    return this.#send({ load: { metadata: { input }, page } });
  }

  /** Asks about a bitmap, which is then used up. */
  ask(bitmap) {
    return this.#send({ bitmap }, [bitmap]);
  }

  #send(message, transfer = []) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message }, transfer);
    });
  }
}
