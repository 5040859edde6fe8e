/** What is written on /persist outlives the page, however that ends. */
import assert from "node:assert/strict";
import { pageTest, Shell, withBrowser } from "./browser.ts";

withBrowser();

/** Each file is its own name, 1,500 times; said when it is whole. */
const WRITER = `n=$1; while :; do yes "file $n" | head -n 1500 >$n.new && mv $n.new $n && echo $n; n=$((n + 1)); done`;
const CHECK = `for f in [0-9]*; do case $f in *.new) continue ;; esac; [ "$(uniq -c $f)" = "   1500 file $f" ] && echo $f || echo $f-damaged; done`;

pageTest("a file is there after a reload", {}, async (shell) => {
  await shell.run("echo kept >/persist/note; mkdir /persist/d; chmod 700 /persist/d; sync");
  await shell.page.reload();
  assert.equal(await shell.run("cat /persist/note; stat -c %a /persist/d"), "kept\n700");
});

pageTest("nothing is lost when the page is killed while it writes", {}, async (shell, more) => {
  let page = shell.page;
  let here = shell;
  const written: string[] = [];
  for (let round = 0; round < 5; round++) {
    await here.prompt();
    const told = await page.evaluate(
      async ([writer, first, count]) => {
        const told: string[] = [];
        const { machine } = window.wasmlinux;
        await new Promise<void>((resolve) => {
          void machine!
            .run(["sh", "-c", writer!, "write", first!], {
              cwd: "/persist",
              onStdout: (bytes) => {
                told.push(...new TextDecoder().decode(bytes).split("\n").filter(Boolean));
                if (told.length >= Number(count)) resolve();
              },
            })
            .catch(() => {});
        });
        return told;
      },
      [WRITER, String(round * 10_000), String(3 + round * 7)],
    );
    written.push(...told);
    // The renderer dies at once, in the middle of the next file.
    const session = await more.context.newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    session.send("Page.crash").catch(() => {});
    await crashed;
    page = await more.context.newPage();
    here = new Shell(page);
    await page.goto(more.url);
    await here.prompt();
    const found = await page.evaluate(
      async (check) => (await window.wasmlinux.machine!.run(check, { cwd: "/persist" })).stdout,
      CHECK,
    );
    const names = new Set(found.split("\n"));
    assert.deepEqual(
      written.filter((name) => !names.has(name)),
      [],
      `lost in round ${round}`,
    );
    assert.doesNotMatch(found, /damaged/);
  }
  assert.equal(await here.run("dmesg | grep -cE 'EXT4-fs.*(error|warning)'"), "0");
});

pageTest(
  "a second tab has no disk and says so; it has it once the first is gone",
  {},
  async (shell, more) => {
    await shell.run("echo first >/persist/note");
    const second = new Shell(await more.context.newPage());
    await second.page.goto(more.url);
    assert.equal(await second.run("ls -d /persist 2>/dev/null || echo none"), "none");
    await second.until(
      () => document.getElementById("notices")!.textContent!.includes("Another tab has the disk"),
      undefined,
    );
    await shell.page.close();
    await second.page.evaluate(() => window.wasmlinux.reboot());
    assert.equal(await second.run("cat /persist/note"), "first");
  },
);

pageTest("a full disk is ENOSPC, and the machine goes on", {}, async (shell) => {
  await shell.run("cd /persist; dd if=/dev/zero of=big bs=1M 2>/tmp/said");
  assert.match(await shell.run("cat /tmp/said"), /No space left on device/);
  assert.equal(await shell.run("rm big; echo after >b; cat b"), "after");
});

pageTest("without a disk when none is wanted", { query: "?disk=" }, async (shell) => {
  assert.equal(await shell.run("ls /persist /dev/disk0 2>/dev/null | wc -l"), "0");
});
