/**
 * The service worker: every file of this version, kept so that the page works
 * offline. Files come from the cache when it has them, else from the network.
 *
 * A version is a set of files that belong together: it is kept as a whole, each
 * file checked against its sum, before it is used at all. A hard reload goes past
 * all of this.
 *
 * A page that has no service worker yet runs this script as a plain worker first,
 * which fills the cache and ends: a check needs the whole file in memory, and a
 * service worker stays for half a minute.
 */

/** Filled in when the page is bundled: names below this folder, and their sums. */
declare const WASMLINUX_FILES: Record<string, string>;
declare const WASMLINUX_VERSION: string;

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
/** Requests that the browser answers from the cache without starting this script. */
interface Installing extends Extendable {
  addRoutes?(routes: { condition: object; source: { cacheName: string } }[]): Promise<void>;
}
interface Scope {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "install", listener: (event: Installing) => void): void;
  addEventListener(type: "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}
const scope = self as unknown as Scope;

const PREFIX = `wasmlinux ${new URL("./", location.href).pathname} `;
const CACHE = PREFIX + WASMLINUX_VERSION;
const folder = new URL("./", location.href);
const INDEX = "index.html";

/** Names that never change their contents: sums of ours, and of the bundler's. */
const HASHED = /-([0-9a-f]{10}|[0-9A-Z]{8})\./;

async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    Object.entries(WASMLINUX_FILES).map(async ([name, integrity]) => {
      const url = new URL(name, folder).href;
      if (await cache.match(url)) return;
      // A name with a sum in it always has the same bytes; others may be older ones.
      const mode = HASHED.test(name) ? "default" : "no-cache";
      const answer = await fetch(url, { integrity, cache: mode });
      if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
      await cache.put(url, answer);
    }),
  );
  // What the folder's own address means, as a route finds only what has the address.
  const index = await cache.match(new URL(INDEX, folder).href);
  if (index) await cache.put(folder.href, index);
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** The kept file that a request means, if any. */
function kept(request: Request): string | undefined {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== folder.origin) return undefined;
  if (!url.pathname.startsWith(folder.pathname)) return undefined;
  const name = url.pathname.slice(folder.pathname.length);
  const file = name === "" || name.endsWith("/") ? name + INDEX : name;
  return Object.hasOwn(WASMLINUX_FILES, file) ? new URL(file, folder).href : undefined;
}

async function answer(request: Request, url: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) ?? fetch(request);
}

async function install(event: Installing): Promise<void> {
  await fill();
  const hashed = Object.keys(WASMLINUX_FILES).filter((name) => HASHED.test(name));
  // The page itself, too: it is what a service worker would be started for.
  const routes = [...hashed, ""].map((name) => {
    // Whatever means something in a pattern means itself.
    const pathname = new URL(name, folder).pathname.replace(/[\\:*+?(){}]/g, "\\$&");
    return { condition: { urlPattern: { pathname, search: "" } }, source: { cacheName: CACHE } };
  });
  // They only spare time.
  await event.addRoutes?.(routes).catch(() => {});
}

function serve(): void {
  scope.addEventListener("install", (event) => event.waitUntil(install(event)));
  scope.addEventListener("activate", (event) => event.waitUntil(activate()));
  scope.addEventListener("message", ({ data }) => {
    if (data === "activate") void scope.skipWaiting();
  });
  scope.addEventListener("fetch", (event) => {
    const url = kept(event.request);
    if (url) event.respondWith(answer(event.request, url));
  });
}

/** A file that cannot be had: installing says so again. */
function fillAndEnd(): void {
  const worker = self as unknown as { postMessage(message: null): void; close(): void };
  const end = () => {
    worker.postMessage(null);
    worker.close();
  };
  void fill().then(end, end);
}

if ("skipWaiting" in scope) serve();
else fillAndEnd();

export {};
