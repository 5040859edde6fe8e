/** What a tab costs, and what happens where the platform ends. */
import assert from "node:assert/strict";
import { cost, pageTest, theBrowser, withBrowser } from "./browser.ts";

withBrowser();

const pageProcess = () => cost(theBrowser());

pageTest("an idle machine uses no CPU", {}, async (shell) => {
  await shell.prompt();
  await shell.run("sleep 1");
  const before = await pageProcess();
  // What is measured is time that passes.
  await shell.page.waitForTimeout(4000);
  const used = (await pageProcess()).cpu - before.cpu;
  assert.ok(used < 0.2, `${used} s of 4 s`);
});

pageTest("as many processes as the platform allows, then EAGAIN, then again", {}, async (shell) => {
  await shell.prompt();
  // Where nothing can be forked only the shell's own commands are left.
  await shell.run(
    "each() { for p in /proc/[0-9]*; do read c <$p/comm && [ $c = sleep ] && $1 ${p#/proc/}; done 2>/dev/null; }",
  );
  const fill = async () => {
    await shell.run("sh -c 'for i in $(seq 300); do sleep 1000 & done' 2>/dev/null");
    return Number(await shell.run("n=0; add() { n=$((n + 1)); }; each add; echo $n"));
  };
  const first = await fill();
  assert.ok(first >= 100 && first < 300, `${first} processes`);
  await shell.run("(sleep 1000 &); (sleep 1000 &); (sleep 1000 &)");
  await shell.shows("can't fork: Resource temporarily unavailable");
  await shell.prompt();
  // init waits for them.
  await shell.run("each 'kill -9'; until n=0; each add; [ $n = 0 ]; do :; done");
  const second = await fill();
  assert.ok(Math.abs(second - first) <= 3, `${first} processes, then ${second}`);
});

pageTest("memory of a machine is given back when it ends", {}, async (shell) => {
  await shell.prompt();
  const again = async () => {
    // A process and a file with memory of their own.
    await shell.run("head -c 20000000 /dev/zero >/tmp/file; sort /etc/services | wc -l");
    await shell.page.evaluate(() => window.wasmlinux.reboot());
    await shell.prompt();
  };
  const memory: number[] = [];
  for (let i = 0; i < 8; i++) {
    await again();
    memory.push((await pageProcess()).memory);
  }
  // Engines collect when they like: the least of the last is compared.
  const early = Math.max(...memory.slice(0, 3));
  const late = Math.min(...memory.slice(4));
  assert.ok(late < early * 1.3, memory.map((mb) => mb.toFixed(0)).join(", "));
});

const slow = process.env.WASMLINUX_TEST_ALL ? undefined : "ten minutes: scripts/test --all";

pageTest(
  "a console lives after ten minutes in a tab behind another",
  { slow },
  async (shell, { context }) => {
    await shell.prompt();
    const other = await context.newPage();
    await other.bringToFront();
    await other.waitForTimeout(10 * 60 * 1000);
    await other.close();
    await shell.page.bringToFront();
    assert.equal(await shell.run("echo alive"), "alive");
  },
);
