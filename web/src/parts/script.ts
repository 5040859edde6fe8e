/** Workers from scripts that may lie on another server. */

/** `broken` hears what a worker has thrown, or "" when its script did not come. */
export function startWorker(url: URL, name: string, broken: (message: string) => void): Worker {
  const local = url.origin === globalThis.location?.origin;
  // A worker's script must be of the page's own origin; what it imports need not.
  const script = local
    ? url
    : URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], SCRIPT));
  const worker = new Worker(script, { type: "module", name });
  worker.onerror = (event) => {
    event.preventDefault();
    broken(event.message ?? "");
  };
  return worker;
}

const SCRIPT = { type: "text/javascript" };
