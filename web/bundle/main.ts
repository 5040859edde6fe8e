/**
 * `main.ts PARTS HOST KERNEL OUT`: web/dist from the sources and the parts of a machine.
 *
 * ```text
 *  parts ─► worker (it names them) ─► wasmlinux.js, page (they name the worker)
 *                                       └► index.html ─► sw.js (it names all)
 * ```
 */
import fs from "node:fs";
import path from "node:path";
import { bundle } from "./esbuild.ts";
import { Folder } from "./folder.ts";
import { declarations } from "./declarations.ts";

const [partsFolder, hostFolder, kernelFolder, out] = process.argv.slice(2);
if (!partsFolder || !hostFolder || !kernelFolder || !out) {
  throw new Error("usage: main.ts PARTS HOST KERNEL OUT");
}
const web = path.dirname(import.meta.dirname);
const folder = new Folder(out);

function part(file: string, from = partsFolder!) {
  const bytes = fs.readFileSync(path.join(from, file));
  return { name: folder.addHashed(path.basename(file), bytes), bytes: bytes.length };
}

const parts = {
  kernel: part("kernel.wasm", kernelFolder),
  booted: part("kernel-booted.wasm", kernelFolder),
  data: part("kernel-data.wasm", kernelFolder),
  rest: part("kernel-rest.wasm", kernelFolder),
  busybox: part("busybox.wasm", kernelFolder),
  busyboxRest: part("busybox-rest.wasm", kernelFolder),
  rootfs: part("rootfs.cpio"),
  disk: part("disk.blocks"),
  host: part("host.wasm", hostFolder),
};
const fetcher = await bundle({ web, entries: { fetcher: "src/parts/fetcher.ts" } });
const named = {
  WASMLINUX_PARTS: JSON.stringify(parts),
  WASMLINUX_FETCHER: JSON.stringify(folder.addHashed("fetcher.js", fetcher.file("fetcher.js"))),
};
const worker = await bundle({
  web,
  entries: { worker: "src/worker/main.ts" },
  define: named,
  // The glue is a few hundred bytes: better inside than four requests.
  inline: { glue: path.join(partsFolder, "glue") },
});
const script = folder.addHashed("worker.js", worker.file("worker.js"));

const define = { ...named, WASMLINUX_WORKER: JSON.stringify(script) };
const library = await bundle({ web, entries: { wasmlinux: "src/api/index.ts" }, define });
folder.add("wasmlinux.js", library.file("wasmlinux.js"));
folder.add("wasmlinux.d.ts", declarations(web));

const page = await bundle({ web, entries: { page: "src/page/main.ts" }, define, split: true });
// Chunks have sums in their names already; the page itself is known by what it imports.
for (const [name, bytes] of page.others("page.js")) folder.add(name, bytes);
const start = folder.addHashed("page.js", page.file("page.js"));
const xterm = fs.readFileSync(path.join(web, "node_modules/@xterm/xterm/css/xterm.css"));
const css = fs.readFileSync(path.join(web, "static/page.css"));
const style = folder.addHashed("page.css", Buffer.concat([xterm, css]));

const preloads = page
  .others("page.js")
  .map(([name]) => `<link rel="modulepreload" href="${name}" />`);
const head = [
  `<script type="module" src="${start}"></script>`,
  `<link rel="stylesheet" href="${style}" />`,
  ...preloads,
].join("\n    ");
folder.addStatic(path.join(web, "static"), (name) => name !== "page.css", {
  "index.html": (text) => text.replace("<!-- page -->", head),
});

const files = folder.integrity();
const sw = await bundle({
  web,
  entries: { sw: "src/sw.ts" },
  define: {
    WASMLINUX_FILES: JSON.stringify(files),
    WASMLINUX_VERSION: JSON.stringify(folder.version()),
  },
});
folder.add("sw.js", sw.file("sw.js"));
console.log(folder.summary());
