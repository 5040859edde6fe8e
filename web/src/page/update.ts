/** The service worker: the page offline, and the news that there is a newer one. */
import { notice } from "./notices.ts";

/** ms between two looks for a newer version. */
const LOOK = 60 * 60 * 1000;
const SCRIPT = "sw.js";

export async function keepOffline(): Promise<void> {
  const workers = navigator.serviceWorker;
  // None on plain http, in some private windows, and where a policy says so.
  if (!workers) return;
  if (!(await workers.getRegistration())) await fillCache();
  const registration = await workers.register(SCRIPT).catch(() => undefined);
  if (!registration) return;
  const tell = () => {
    // The first one is no news: it is this page's own.
    if (!registration.waiting || !workers.controller) return;
    notice("There is a new version of this page.", false, {
      label: "Reload",
      run: () => {
        workers.addEventListener("controllerchange", () => location.reload());
        registration.waiting?.postMessage("activate");
      },
    });
  };
  tell();
  registration.addEventListener("updatefound", () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => coming.state === "installed" && tell());
  });
  setInterval(() => void registration.update().catch(() => {}), LOOK);
}

/** The files of this version, before the service worker looks for them: see sw.ts. */
function fillCache(): Promise<void> {
  return new Promise((resolve) => {
    const worker = new Worker(SCRIPT);
    worker.onmessage = worker.onerror = () => resolve();
  });
}
