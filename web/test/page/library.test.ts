/** `wasmlinux.js` as other pages use it. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type * as library from "../../src/api/index.ts";
import { DIST, serving, skip, theBrowser, withBrowser } from "./browser.ts";

withBrowser();

declare global {
  interface Window {
    library: typeof library;
  }
}

/** A page that has imported the library, from wherever it lies. */
async function withLibrary(body: (page: Page, url: string) => Promise<void>, elsewhere = false) {
  const pages = await serving(path.join(DIST, "example"));
  const files = elsewhere
    ? await serving(DIST, "/", { "access-control-allow-origin": "*" })
    : await serving();
  const context = await theBrowser().newContext();
  try {
    const page = await context.newPage();
    await page.goto(elsewhere ? `${pages.url}index.html` : `${files.url}icon.svg`);
    await page.evaluate(async (url) => {
      window.library = await import(url);
    }, `${files.url}wasmlinux.js`);
    await body(page, files.url);
  } finally {
    await context.close();
    await files.stop();
    await pages.stop();
  }
}

const options = { skip, timeout: 200_000 };

test("run: input, outputs, environment, folder, codes and signals", options, () =>
  withLibrary(async (page) => {
    const results = await page.evaluate(async () => {
      const machine = await window.library.boot({ files: { "/etc/greeting": "hello" } });
      const all = [
        await machine.run("cat /etc/greeting; sort; echo no >&2; exit 3", { stdin: "b\na\n" }),
        await machine.run(["printenv", "X"], { env: { X: "ü y" } }),
        await machine.run("pwd", { cwd: "/tmp" }),
        await machine.run("kill -TERM $$"),
        await machine.run("head -c 300000 /dev/zero | tr '\\0' x; sleep 0.1; echo end"),
      ];
      machine.dispose();
      return all.map(({ stdout, stderr, code, signal }) => [
        stdout.length > 99 ? stdout.length : stdout,
        stderr,
        code,
        signal,
      ]);
    });
    assert.deepEqual(results, [
      ["helloa\nb\n", "no\n", 3, 0],
      ["ü y\n", "", 0, 0],
      ["/tmp\n", "", 0, 0],
      ["", "", 143, 15],
      [300_004, "", 0, 0],
    ]);
  }),
);

test("files of any bytes, there and back; programs by URL; typed errors", options, () =>
  withLibrary(async (page, url) => {
    const build = process.env.WASMLINUX_WEB_BUILD ?? path.join(DIST, "../build");
    await page.route(`${url}fork.wasm`, (route) =>
      route.fulfill({ body: fs.readFileSync(path.join(build, "tests/fork.wasm")) }),
    );
    const result = await page.evaluate(async (url) => {
      const machine = await window.library.boot({ programs: [`${url}fork.wasm`] });
      const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) >> 5);
      await machine.writeFile("/root/data", bytes, { mode: 0o600 });
      const back = await machine.readFile("/root/data");
      const same = back.length === bytes.length && back.every((byte, i) => byte === bytes[i]);
      const mode = (await machine.run("stat -c %a /root/data")).stdout;
      const error = (promise: Promise<unknown>) =>
        promise.then(
          () => "no error",
          (e: library.MachineError) => `${e.kind}: ${e.message}`,
        );
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      const all = {
        same,
        mode,
        fork: (await machine.run("fork")).code,
        missing: await error(machine.readFile("/nowhere")),
        folder: await error(machine.writeFile("/no/where", "x")),
        command: await error(machine.run(["no-such-command"])),
        program: await error(machine.addProgram({ name: "x", content: new Uint8Array(3) })),
        fetched: await error(machine.addProgram(`${url}nothing.wasm`)),
        aborted: await error(machine.run("sleep 1000", { signal: controller.signal })),
        left: (
          await machine.run("until ! pgrep sleep >/dev/null; do usleep 10000; done; echo none")
        ).stdout,
        outcome: await machine.shutdown(),
        ended: await error(machine.run("true")),
      };
      return all;
    }, url);
    assert.equal(result.same, true);
    assert.equal(result.mode, "600\n");
    assert.equal(result.fork, 0);
    assert.match(result.missing, /^failed: \/nowhere: cannot read it: No such file/);
    assert.match(result.folder, /^failed: \/no\/where: cannot write it: /);
    assert.match(result.command, /^not-started: no-such-command: no such file/);
    assert.match(result.program, /^not-a-program: /);
    assert.match(result.fetched, /^download: .*nothing\.wasm.*404/);
    assert.match(result.aborted, /^aborted: /);
    assert.equal(result.left, "none\n");
    assert.equal(result.outcome.kind, "power-off");
    assert.match(result.ended, /^ended: .*powered off/);
  }),
);

test("two machines on a page know nothing of each other", options, () =>
  withLibrary(async (page) => {
    const result = await page.evaluate(async () => {
      const { boot } = window.library;
      const [one, two] = await Promise.all([boot(), boot({ memory: 32 << 20 })]);
      await one.writeFile("/tmp/mine", "1");
      const seen = await two.run("ls /tmp/mine");
      one.dispose();
      const alive = await two.run("echo alive");
      two.dispose();
      return [seen.code, alive.stdout, (await one.outcome).kind];
    });
    assert.deepEqual(result, [1, "alive\n", "stopped"]);
  }),
);

test("a terminal of one's own", options, () =>
  withLibrary(async (page) => {
    const shown = await page.evaluate(async () => {
      const machine = window.library.start();
      let text = "";
      let type!: (data: string) => void;
      let more = () => {};
      const decoder = new TextDecoder();
      const console = machine.terminal({
        rows: 10,
        cols: 40,
        write(data, done) {
          text += decoder.decode(data, { stream: true });
          done();
          more();
        },
        onData(listener) {
          type = listener;
          return { dispose() {} };
        },
      });
      const says = (words: RegExp) =>
        new Promise<void>((resolve) => {
          more = () => words.test(text) && resolve();
          more();
        });
      await says(/# $/);
      type("stty size; exit\r");
      const reason = await console.closed;
      machine.dispose();
      return [text, reason];
    });
    assert.match(shown[0]!, /\r\n10 40\r\n/);
    assert.match(shown[1]!, /ended/);
  }),
);

test("from another server that allows it", options, () =>
  withLibrary(async (page) => {
    const result = await page.evaluate(async () => {
      const machine = await window.library.boot();
      return (await machine.run("echo from elsewhere")).stdout;
    });
    assert.equal(result, "from elsewhere\n");
  }, true),
);

test("the example runs", options, async () => {
  const { url, stop } = await serving();
  const context = await theBrowser().newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${url}example/`);
    await page.getByRole("button", { name: "Run" }).click({ timeout: 60_000 });
    await page.getByText("Exit code 0").waitFor();
    const output = await page.locator("#output").innerText();
    assert.match(output, /2 the\n[\s\S]*Hello from Linux 6\.12/);
  } finally {
    await context.close();
    await stop();
  }
});
