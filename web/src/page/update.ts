/** The service worker: the page offline, and the news that there is a newer one. */
import { notice } from "./notices.ts";

/** ms between two looks for a newer version. */
const LOOK = 60 * 60 * 1000;

export async function keepOffline(): Promise<void> {
  const workers = navigator.serviceWorker;
  // None on plain http, in some private windows, and where a policy says so.
  if (!workers) return;
  const registration = await workers.register("sw.js").catch(() => undefined);
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
