/**
 * `page.ts [--rounds N]`: what the page costs a person, in Chromium on this machine.
 * Goals are issue 5's; a busy machine misses those that are times.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import zlib from "node:zlib";
import {
  chromium,
  type Browser,
  type BrowserContext,
  type ConsoleMessage,
  type Page,
} from "playwright-core";
import { bundle } from "../bundle/esbuild.ts";
import { ARGUMENTS, chromiumPath, cost, DIST, serving } from "../test/page/browser.ts";

const rounds = Number(process.argv[process.argv.indexOf("--rounds") + 1]) || 9;
const KEYS = 200;
/** s until what a load leaves behind is done. */
const SETTLED = 10;
/** s of doing nothing. */
const IDLE = 10;

interface Row {
  name: string;
  value: string;
  spread: string;
  /** The same of a page with nothing but a terminal. */
  peer: string;
  goal: string;
  met: boolean;
}
const rows: Row[] = [];

function row(
  name: string,
  values: number[],
  unit: string,
  goal: number,
  peer: number[] = [],
): void {
  const quantile = (of: number[], share: number) =>
    [...of].sort((a, b) => a - b)[Math.round((of.length - 1) * share)]!;
  const at = (share: number) => quantile(values, share);
  const digits = at(0.5) < 10 ? 2 : at(0.5) < 100 ? 1 : 0;
  rows.push({
    name,
    value: `${at(0.5).toFixed(digits)} ${unit}`,
    spread: values.length > 1 ? `± ${((at(0.75) - at(0.25)) / 2).toFixed(digits)}` : "",
    peer: peer.length > 0 ? `${quantile(peer, 0.5).toFixed(digits)} ${unit}` : "",
    goal: `≤ ${goal} ${unit}`,
    met: at(0.5) <= goal,
  });
}

/** What the page says when the shell first waits, and when that was, in ms. */
const PROMPT = "prompt at ";

/**
 * In the page, before its scripts. It says so by itself, as looking would cost: what the
 * driver brings into a page to look takes 20 ms of the boot.
 */
function watchPrompt(said: string): void {
  const look = () => {
    const screen = window.wasmlinux?.tabs.current;
    if (!screen) return void setTimeout(look, 1);
    const done = screen.terminal.onWriteParsed(() => {
      if (!/[#$] $/.test(screen.line())) return;
      done.dispose();
      console.debug(said + performance.now());
    });
  };
  look();
}

/** ms from the navigation to the prompt. */
async function load(page: Page, url: string): Promise<number> {
  const predicate = (message: ConsoleMessage) => message.text().startsWith(PROMPT);
  const [message] = await Promise.all([
    page.waitForEvent("console", { predicate }),
    page.goto(url, { waitUntil: "commit" }),
  ]);
  return Number(message.text().slice(PROMPT.length));
}

/** ms from a key to its echo on the screen. */
function echo(page: Page, keys: number): Promise<number[]> {
  return page.evaluate(async (keys) => {
    const { terminal } = window.wasmlinux.tabs.current!;
    const times = [];
    for (let i = 0; i < keys; i++) {
      const begin = performance.now();
      const shown = new Promise<void>((resolve) => {
        const done = terminal.onWriteParsed(() => {
          done.dispose();
          resolve();
        });
      });
      // A line that grows would be drawn ever slower.
      terminal.input(i % 40 === 39 ? "\x15" : "x");
      await shown;
      times.push(performance.now() - begin);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return times;
  }, keys);
}

async function withPage<T>(
  browser: Browser,
  body: (page: Page, context: BrowserContext) => Promise<T>,
) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.addInitScript(watchPrompt, PROMPT);
    return await body(page, context);
  } finally {
    await context.close();
  }
}

/** A folder with a page that has the terminal and nothing else. */
async function terminalAlone(): Promise<string> {
  const web = new URL("..", import.meta.url).pathname;
  const made = await bundle({
    web,
    entries: { terminal: "bench/terminal.ts" },
    define: { PROMPT: JSON.stringify(PROMPT) },
  });
  const style = fs.readFileSync(path.join(web, "node_modules/@xterm/xterm/css/xterm.css"), "utf8");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "terminal-"));
  fs.writeFileSync(path.join(folder, "terminal.js"), made.file("terminal.js"));
  fs.writeFileSync(
    path.join(folder, "index.html"),
    `<!doctype html><style>${style}body{height:100vh}</style>` +
      `<body><script type="module" src="terminal.js"></script>`,
  );
  return folder;
}

/** What the process of the page costs while nobody does anything. */
async function idle(browser: Browser, url: string): Promise<{ cpu: number; memory: number }> {
  return withPage(browser, async (page) => {
    await load(page, url);
    await new Promise((resolve) => setTimeout(resolve, SETTLED * 1000));
    const before = await cost(browser);
    await new Promise((resolve) => setTimeout(resolve, IDLE * 1000));
    const after = await cost(browser);
    return { cpu: 1000 * (after.cpu - before.cpu), memory: after.memory };
  });
}

const browser = await chromium.launch({ executablePath: chromiumPath!, args: ARGUMENTS });
const { url, stop } = await serving();
const folder = await terminalAlone();
const alone = await serving(folder);
try {
  const names = new Set<string>();
  const cold: number[] = [];
  const warm: number[] = [];
  const peerCold: number[] = [];
  const peerWarm: number[] = [];
  const echoes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await withPage(browser, async (page, context) => {
      // Workers' requests are the context's.
      context.on("request", (request) => {
        // The service worker's own come later.
        if (!request.serviceWorker()) names.add(new URL(request.url()).pathname.slice(1));
      });
      cold.push(await load(page, url));
      context.removeAllListeners("request");
      await page.evaluate(async () => (await navigator.serviceWorker.ready).active);
      warm.push(await load(page, url));
      echoes.push(...(await echo(page, KEYS / 4)));
    });
    await withPage(browser, async (page) => {
      peerCold.push(await load(page, alone.url));
      peerWarm.push(await load(page, alone.url));
    });
  }
  const bytes = [...names].map((name) => {
    const file = fs.readFileSync(path.join(DIST, name || "index.html"));
    const params = {
      [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
      [zlib.constants.BROTLI_PARAM_LGWIN]: 24,
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: file.length,
    };
    return { name, bytes: zlib.brotliCompressSync(file, { params }).length };
  });
  row("bytes to the prompt", [bytes.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6], "MB", 1.5);
  row("navigation to prompt", cold, "ms", 400, peerCold);
  row("the same, warm", warm, "ms", 200, peerWarm);
  row("key to echo", echoes, "ms", 5);
  const still = await idle(browser, url);
  row("idle tab: memory", [still.memory], "MB", 70);
  row(`idle tab: CPU of ${IDLE} s`, [still.cpu], "ms", 50);
  for (const { name, bytes: size } of bytes.sort((a, b) => b.bytes - a.bytes)) {
    console.error(`${String(size).padStart(8)} ${name || "index.html"}`);
  }
} finally {
  await browser.close();
  await stop();
  await alone.stop();
  fs.rmSync(folder, { recursive: true });
}

console.log("alone: the same of a page that has xterm.js, a prompt and no machine");
const header = { name: "", value: "", spread: "", peer: "alone", goal: "goal", met: true };
for (const { name, value, spread, peer, goal, met } of [header, ...rows]) {
  const columns = [name.padEnd(26), value.padStart(10), spread.padEnd(8)];
  columns.push(peer.padStart(10), goal.padStart(12));
  console.log([...columns, met ? "" : "missed"].join("  ").trimEnd());
}
