/** What surrounds the consoles: reboots, failures, offline, drops, the phone. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Broken, DIST, pageTest, serving, Shell, withBrowser } from "./browser.ts";

withBrowser();

const failure = "#failure:not([hidden])";

pageTest(
  "below a path prefix, without any special header",
  { prefix: "/some/where/" },
  async (shell) => {
    await shell.prompt();
    const isolated = await shell.page.evaluate(() => crossOriginIsolated);
    assert.equal(isolated, false);
  },
);

pageTest("offline once loaded, and after a hard reload", {}, async (shell, { context, stop }) => {
  await shell.prompt();
  await shell.until(async () => (await navigator.serviceWorker.ready).active, undefined);
  await shell.page.reload();
  await shell.prompt();
  await shell.until(() => navigator.serviceWorker.controller, undefined);
  await stop();
  await context.setOffline(true);
  await shell.page.reload();
  assert.equal(await shell.run("echo offline"), "offline");
});

pageTest("a later visit does not wait for the service worker to start", {}, async (shell) => {
  await shell.prompt();
  await shell.until(async () => (await navigator.serviceWorker.ready).active, undefined);
  await shell.page.reload();
  await shell.prompt();
  const began = () =>
    shell.page.evaluate(() => {
      const [navigation] = performance.getEntriesByType("navigation");
      return (navigation as PerformanceNavigationTiming).workerStart;
    });
  assert.equal(await began(), 0);
  // It knows what another address means.
  await shell.page.goto(new URL("?cmd=true", shell.page.url()).href);
  await shell.prompt();
  assert.notEqual(await began(), 0);
});

pageTest("a hard reload goes past the service worker", {}, async (shell, { context }) => {
  await shell.prompt();
  await shell.until(async () => (await navigator.serviceWorker.ready).active, undefined);
  const session = await context.newCDPSession(shell.page);
  const loaded = shell.page.waitForEvent("load");
  await session.send("Page.reload", { ignoreCache: true });
  await loaded;
  assert.equal(await shell.run("echo reloaded"), "reloaded");
});

pageTest(
  "ten reboots, and nothing is left of the machines before",
  {},
  async (shell, { context }) => {
    await shell.prompt();
    const session = await context.newCDPSession(shell.page);
    const heap = async () => {
      await session.send("HeapProfiler.collectGarbage");
      return (await session.send("Runtime.getHeapUsage")).usedSize;
    };
    await shell.page.evaluate(() => window.wasmlinux.reboot());
    await shell.prompt();
    const first = await heap();
    for (let i = 0; i < 9; i++) {
      await shell.page.evaluate(() => window.wasmlinux.reboot());
      await shell.prompt();
    }
    assert.equal(await shell.run("echo the tenth"), "the tenth");
    assert.equal(shell.page.workers().length, 1);
    const last = await heap();
    assert.ok(last < first * 1.5 + 2e6, `${first} bytes after one reboot, ${last} after ten`);
  },
);

pageTest("poweroff, then boot again", {}, async (shell) => {
  await shell.prompt();
  await shell.type("poweroff");
  await shell.key("Enter");
  await shell.page.locator(failure).waitFor();
  assert.match(await shell.page.locator(failure).innerText(), /machine is off/i);
  await shell.shot("off");
  await shell.page.getByRole("button", { name: "Boot" }).click();
  assert.equal(await shell.run("echo again"), "again");
});

pageTest("the menu's power-off asks the guest", {}, async (shell) => {
  await shell.prompt();
  await shell.page.getByRole("button", { name: "Menu" }).click();
  await shell.shot("menu");
  await shell.page.getByRole("button", { name: "Power off" }).click();
  await shell.page.locator(failure).waitFor();
  assert.match(await shell.page.locator(failure).innerText(), /machine is off/i);
});

pageTest("a kernel panic shows its log and how to go on", {}, async (shell) => {
  await shell.prompt();
  await shell.type("echo c >/proc/sysrq-trigger");
  await shell.key("Enter");
  await shell.page.locator(failure).waitFor();
  const said = await shell.page.locator(failure).innerText();
  assert.match(said, /Kernel panic/);
  assert.match(said, /sysrq triggered crash/i);
  await shell.shot("panic");
  await shell.page.getByRole("button", { name: "Reboot" }).click();
  assert.equal(await shell.run("echo again"), "again");
});

pageTest(
  "a browser without JSPI is told which have it",
  {
    prepare: (page) => page.addInitScript(() => Reflect.deleteProperty(WebAssembly, "Suspending")),
  },
  async (shell) => {
    await shell.page.locator(failure).waitFor();
    const said = await shell.page.locator(failure).innerText();
    assert.match(said, /JSPI/);
    assert.match(said, /Chrome.*137[\s\S]*Firefox[\s\S]*Safari/);
    await shell.shot("unsupported");
  },
);

pageTest(
  "without memory for the machine",
  {
    prepare: (page) =>
      page.route(/worker-/, async (route) => {
        const answer = await route.fetch();
        const deny = `{ const M = WebAssembly.Memory; WebAssembly.Memory = function (d) {
        if (d.initial > 500) throw new RangeError("WebAssembly.Memory(): could not allocate memory");
        return new M(d); }; }\n`;
        await route.fulfill({ response: answer, body: deny + (await answer.text()) });
      }),
  },
  async (shell) => {
    await shell.page.locator(failure).waitFor();
    assert.match(
      await shell.page.locator(failure).innerText(),
      /not enough memory[\s\S]*memory=32/,
    );
  },
);

pageTest("a wish that makes no sense is explained", { query: "?memory=1" }, async (shell) => {
  await shell.page.locator(failure).waitFor();
  assert.match(await shell.page.locator(failure).innerText(), /16 to 2048 MiB[\s\S]*address/);
});

const kernel = new Broken(/kernel-/, (route) => route.fulfill({ status: 503 }));
pageTest(
  "a download that fails says so, and can be tried again",
  { errors: true, prepare: kernel.prepare },
  async (shell) => {
    await shell.page.locator(failure).waitFor();
    assert.match(await shell.page.locator(failure).innerText(), /could not be loaded[\s\S]*503/);
    await shell.shot("download-failed");
    kernel.mend();
    await shell.page.getByRole("button", { name: "Try again" }).click();
    await shell.prompt();
  },
);

pageTest(
  "with parameters and memory of its own a machine boots",
  { query: "?append=panic=1%20quiet&memory=96" },
  async (shell) => {
    await shell.prompt();
    assert.match(await shell.run("cat /proc/cmdline"), /panic=1 quiet$/);
    assert.equal(await shell.run("dmesg | grep -c 'goes on from an image'"), "0");
  },
);

const rest = new Broken(/kernel-rest-/, (route) => route.abort());
pageTest(
  "without the kernel's other half there is a prompt, and a word about what needs it",
  {
    errors: true,
    prepare: async (page) => {
      await rest.prepare(page);
      // Whose copy would be found in time.
      await page.addInitScript(() =>
        Object.defineProperty(navigator, "serviceWorker", { value: undefined }),
      );
    },
  },
  async (shell) => {
    await shell.prompt();
    await shell.run("ls /");
    await shell.type("ping -c 1 127.0.0.1\r");
    await shell.page.locator(failure).waitFor();
    assert.match(await shell.page.locator(failure).innerText(), /kernel-rest.*is the network up/);
    rest.mend();
    await shell.page.getByRole("button", { name: "Try again" }).click();
    await shell.prompt();
    assert.match(await shell.run("ping -c 1 127.0.0.1"), /1 packets received/);
  },
);

pageTest(
  "a worker's script that does not come is a failed download",
  { errors: true, prepare: (page) => page.route(/worker-/, (route) => route.abort()) },
  async (shell) => {
    await shell.page.locator(failure).waitFor();
    assert.match(await shell.page.locator(failure).innerText(), /worker could not be loaded/);
  },
);

const fetcher = new Broken(/fetcher-/, (route) => route.abort());
pageTest(
  "nor is there a machine without the script that fetches its parts",
  { errors: true, prepare: fetcher.prepare },
  async (shell) => {
    await shell.page.locator(failure).waitFor();
    const said = await shell.page.locator(failure).innerText();
    assert.match(said, /script that fetches the machine could not be loaded/);
    fetcher.mend();
    await shell.page.getByRole("button", { name: "Try again" }).click();
    await shell.prompt();
  },
);

pageTest("what fetches ends: a machine at its prompt has one worker", {}, async (shell) => {
  await shell.prompt();
  await shell.until(async () => (await navigator.serviceWorker.ready).active, undefined);
  const kept = () => caches.keys().then((names) => names.length === 1);
  assert.equal(await shell.page.evaluate(kept), true);
  const deadline = Date.now() + 30_000;
  while (shell.page.workers().length > 1 && Date.now() < deadline) {
    await shell.page.waitForTimeout(20);
  }
  assert.equal(shell.page.workers().length, 1);
});

pageTest("the kernel log, shown and followed", {}, async (shell) => {
  await shell.prompt();
  await shell.page.getByRole("button", { name: "Log", exact: true }).click();
  const log = shell.page.locator("#log-text");
  assert.match(await log.innerText(), /Linux version 6\.12/);
  await shell.shot("log");
  await shell.page.locator("#screens").click();
  await shell.run("echo from the guest >/dev/kmsg");
  await shell.until(
    () => document.getElementById("log-text")!.textContent!.includes("from the guest"),
    undefined,
  );
});

/** Drops files as a browser does it. */
function drop(shell: Shell, files: { name: string; base64: string }[]) {
  return shell.page.evaluate((files) => {
    const data = new DataTransfer();
    for (const { name, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      data.items.add(new File([bytes], name));
    }
    const event = (type: string) =>
      new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
    const target = document.getElementById("screens")!;
    target.dispatchEvent(event("dragover"));
    target.dispatchEvent(event("drop"));
  }, files);
}

pageTest("dropped files land in /root, dropped programs run", {}, async (shell) => {
  await shell.prompt();
  const build = process.env.WASMLINUX_WEB_BUILD ?? path.join(DIST, "../build");
  const program = fs.readFileSync(path.join(build, "tests/fork.wasm")).toString("base64");
  const data = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, i) => i * 7));
  await drop(shell, [
    { name: "my file", base64: data.toString("base64") },
    { name: "fork.wasm", base64: program },
    { name: "broken.wasm", base64: Buffer.from("\0asm\x01\0\0\0").toString("base64") },
  ]);
  const notices = shell.page.locator("#notices");
  await notices.getByText("/root/my file: 70,000 bytes").waitFor();
  await notices.getByText("fork can be run now").waitFor();
  await notices.getByText(/broken cannot run here|The program cannot run here/).waitFor();
  await shell.shot("dropped");
  assert.equal(await shell.run("cd; wc -c <'my file'"), "70000");
  assert.equal(await shell.run("fork && echo status $?"), "status 0");
});

pageTest(
  "on a phone: the row of keys, and everything fits",
  { context: { viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true } },
  async (shell) => {
    await shell.prompt();
    const tap = (name: string) =>
      shell.page.locator("#keys").getByRole("button", { name, exact: true }).tap();
    await shell.type("sleep 100");
    await shell.key("Enter");
    await tap("Ctrl");
    await shell.type("c");
    await shell.prompt();
    assert.equal(await shell.run("echo $?"), "130");
    await tap("Up");
    await shell.shows(/echo \$\?; echo [^\n]*$/);
    await shell.shot("phone");
    const wide = await shell.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false);
  },
);

pageTest("dark, light, larger text, screen reader: kept over a reload", {}, async (shell) => {
  await shell.prompt();
  const menu = shell.page.getByRole("button", { name: "Menu" });
  await menu.click();
  await shell.page.getByRole("button", { name: /Colours/ }).click();
  await shell.page.getByRole("button", { name: "Larger text" }).click();
  await shell.page.getByRole("button", { name: "Screen reader" }).click();
  await shell.page.reload();
  await shell.prompt();
  const options = await shell.page.evaluate(() => {
    const { fontSize, screenReaderMode } = window.wasmlinux.tabs.current!.terminal.options;
    const light = document.documentElement.classList.contains("light");
    return { fontSize, screenReaderMode, light };
  });
  assert.deepEqual(options, { fontSize: 16, screenReaderMode: true, light: false });
  assert.ok((await shell.page.locator(".xterm-accessibility").count()) > 0);
  await shell.shot("dark");
});

pageTest("a new version is told, and comes with a click", {}, async (shell) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasmlinux-dist-"));
  fs.cpSync(DIST, folder, { recursive: true });
  const { url, stop } = await serving(folder);
  try {
    await shell.page.goto(url);
    await shell.prompt();
    await shell.until(async () => (await navigator.serviceWorker.ready).active, undefined);
    await shell.page.reload();
    await shell.prompt();
    await shell.until(() => navigator.serviceWorker.controller, undefined);
    // Another version has another list of files.
    const sw = fs.readFileSync(path.join(folder, "sw.js"), "utf8");
    fs.writeFileSync(
      path.join(folder, "sw.js"),
      `const another = 1;\n${sw.replace(/"[0-9a-f]{10}"/, '"another"')}`,
    );
    await shell.page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await shell.page.locator("#notices").getByText("new version").waitFor();
    await shell.page.getByRole("button", { name: "Reload" }).click();
    await shell.until(
      async () => (await caches.keys()).some((key) => key.endsWith("another")),
      undefined,
    );
    await shell.prompt();
  } finally {
    await stop();
    fs.rmSync(folder, { recursive: true });
  }
});
