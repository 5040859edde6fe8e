/**
 * The deployed folder in a real browser. Tests read the terminal's buffer, wait for
 * conditions, and leave a screenshot each in target/web-screenshots.
 */
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import {
  chromium,
  type Browser,
  type BrowserContext,
  type Page,
  type Route,
} from "playwright-core";
import { listen, serve } from "../../serve.ts";
import type { App } from "../../src/page/app.ts";

declare global {
  interface Window {
    wasmlinux: App;
  }
}

export const DIST =
  process.env.WASMLINUX_WEB_DIST ?? new URL("../../dist", import.meta.url).pathname;
export const SHOTS = new URL("../../../target/web-screenshots", import.meta.url).pathname;
/** Long enough for a machine with two cores that are busy otherwise. */
const PATIENCE = 60_000;
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const chromiumPath =
  process.env.WASMLINUX_CHROMIUM ?? PLACES.find((place) => fs.existsSync(place));
/** Why browser tests cannot run here, or false. */
export const skip = chromiumPath
  ? false
  : "no Chromium: run scripts/setup test, or set WASMLINUX_CHROMIUM";

let browser: Browser;

/** To be called once in each file of tests. */
export function withBrowser(extra: string[] = []): void {
  if (skip) return;
  before(async () => {
    browser = await chromium.launch({
      executablePath: chromiumPath!,
      args: [...ARGUMENTS, ...extra],
    });
  });
  after(() => browser.close());
}

export function theBrowser(): Browser {
  return browser;
}

/** CPU time in s and private memory in MB of the process of the one page. */
export async function cost(browser: Browser): Promise<{ cpu: number; memory: number }> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const all = processInfo
    .filter(({ type }) => type === "renderer")
    .map(({ id, cpuTime }) => {
      const rollup = fs.readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
      const kilobytes = Number(/^Private_Dirty: +(\d+)/m.exec(rollup)![1]);
      return { cpu: cpuTime, memory: kilobytes / 1000 };
    });
  // Chromium keeps small ones in reserve.
  return all.reduce((most, one) => (one.memory > most.memory ? one : most));
}

/** A folder on a server of its own. */
export async function serving(folder = DIST, prefix = "/", headers: Record<string, string> = {}) {
  const server = serve(folder, prefix, headers);
  const address = await listen(server, 0);
  return {
    server,
    url: address.slice(0, -1) + prefix,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Requests of a page that end as a test wants it, until they are mended. */
export class Broken {
  private readonly pattern: RegExp;
  private readonly end: (route: Route) => Promise<void>;
  private mended = false;

  constructor(pattern: RegExp, end: (route: Route) => Promise<void>) {
    this.pattern = pattern;
    this.end = end;
  }

  prepare = (page: Page): Promise<unknown> =>
    page.route(this.pattern, (route) => (this.mended ? route.continue() : this.end(route)));

  /** Not `unroute()`, which waits for an answer of every worker: one that just ends gives none. */
  mend(): void {
    this.mended = true;
  }
}

/** The page, as a person would use it. */
export class Shell {
  readonly page: Page;
  readonly errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(error.stack ?? error.message));
    page.on("console", (message) => {
      // A browser logs what tests of failures bring about on purpose.
      if (message.type() === "error" && !/Failed to load resource|net::/.test(message.text())) {
        this.errors.push(message.text());
      }
    });
  }

  /** Waits until a function in the page gives something true. */
  async until<A>(what: (argument: A) => unknown, argument: A, patience = PATIENCE): Promise<void> {
    try {
      await this.page.waitForFunction(what as never, argument, { timeout: patience, polling: 20 });
    } catch (error) {
      const text = await this.text().catch(() => "(no terminal)");
      const why = `${String(error).split("\n")[0]}: ${what}, ${String(argument)}`;
      const end = text.split("\n").slice(-40).join("\n");
      throw new Error(`${why}\n--- terminal\n${end}\n--- errors\n${this.errors.join("\n")}`);
    }
  }

  /** Everything that the current console has shown. */
  text(): Promise<string> {
    return this.page.evaluate(() => window.wasmlinux.tabs.current?.text() ?? "");
  }

  /** The shell waits for a line. */
  prompt(): Promise<void> {
    return this.until(() => /[#$] $/.test(window.wasmlinux?.tabs.current?.line() ?? ""), undefined);
  }

  shows(words: string | RegExp, patience?: number): Promise<void> {
    const [source, flags] =
      words instanceof RegExp
        ? [words.source, words.flags]
        : [words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), ""];
    return this.until(
      ([source, flags]) =>
        new RegExp(source!, flags).test(window.wasmlinux?.tabs.current?.text() ?? ""),
      [source, flags],
      patience,
    );
  }

  async key(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  /** Types a line; what it prints, when the shell waits again. */
  async run(line: string, patience?: number): Promise<string> {
    await this.prompt();
    const mark = `end-${Math.random().toString(36).slice(2, 8)}`;
    // In two pieces, so that the echo of the line is not taken for its end.
    await this.type(`${line}; echo ${mark.slice(0, 4)}""${mark.slice(4)}`);
    await this.key("Enter");
    await this.shows(new RegExp(`^${mark}$`, "m"), patience);
    await this.prompt();
    const text = await this.text();
    const lines = text.split("\n");
    const begin = lines.findLastIndex((l) => l.includes(`${mark.slice(0, 4)}""`));
    return lines.slice(begin + 1, lines.lastIndexOf(mark)).join("\n");
  }

  async shot(name: string): Promise<void> {
    fs.mkdirSync(SHOTS, { recursive: true });
    await this.page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
  }
}

interface Wanted {
  /** Of the address, behind the folder. */
  query?: string;
  folder?: string;
  prefix?: string;
  context?: Parameters<Browser["newContext"]>[0];
  /** Before the page is loaded. */
  prepare?: (page: Page, context: BrowserContext) => Promise<unknown>;
  /** Errors in the browser's console are what is tested. */
  errors?: boolean;
  /** Why this is left out. */
  slow?: string | undefined;
}

type Body = (
  shell: Shell,
  more: { url: string; context: BrowserContext; stop: () => Promise<void> },
) => Promise<void>;

/** A test in a browser profile of its own, on a page that has been opened. */
export function pageTest(name: string, wanted: Wanted, body: Body): void {
  const timeout = 20 * PATIENCE;
  test(name, { skip: wanted.slow ?? skip, timeout }, async () => {
    const { url, stop } = await serving(wanted.folder, wanted.prefix);
    const context = await browser.newContext({
      viewport: { width: 900, height: 560 },
      ...wanted.context,
    });
    const shell = new Shell(await context.newPage());
    try {
      await wanted.prepare?.(shell.page, context);
      await shell.page.goto(url + (wanted.query ?? ""));
      await body(shell, { url, context, stop });
      if (!wanted.errors && shell.errors.length > 0) throw new Error(shell.errors.join("\n"));
    } finally {
      await shell.shot(name.replace(/[^a-z0-9]+/gi, "-")).catch(() => {});
      await context.close();
      await stop();
    }
  });
}
