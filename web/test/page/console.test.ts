/** A person at the page's consoles. */
import assert from "node:assert/strict";
import { pageTest, withBrowser } from "./browser.ts";

withBrowser();

pageTest("boots to a shell", {}, async (shell) => {
  await shell.prompt();
  assert.match(await shell.run("uname -srm"), /^Linux 6\.12\.\d+ wasm32$/);
  assert.equal(await shell.run("echo $TERM $(tty)"), "xterm-256color /dev/pts/0");
  assert.equal(await shell.page.locator("#boot").isVisible(), false);
});

pageTest("the guest follows the size of the window", {}, async (shell) => {
  await shell.prompt();
  const size = () =>
    shell.page.evaluate(() => {
      const { rows, cols } = window.wasmlinux.tabs.current!.terminal;
      return `${rows} ${cols}`;
    });
  assert.equal(await shell.run("stty size"), await size());
  await shell.type("sh -c 'trap \"stty size; kill \\$!\" WINCH; sleep 1000 & echo waits; wait'");
  await shell.key("Enter");
  await shell.shows(/^waits$/m);
  const before = await size();
  await shell.page.setViewportSize({ width: 640, height: 360 });
  await shell.prompt();
  const now = await size();
  assert.notEqual(now, before);
  // A window that changes twice may be seen twice.
  await shell.shows(new RegExp(`^waits\\n(.*\\n)*${now}\\n`, "m"));
  assert.equal(await shell.run("stty size"), now);
});

pageTest("Ctrl-C ends a busy loop, and the page stays alive meanwhile", {}, async (shell) => {
  await shell.prompt();
  // It says so when it runs: to a shell that still reads its line, ^C is a key.
  await shell.type('echo o""n; while :; do :; done');
  await shell.key("Enter");
  await shell.shows(/^on$/m);
  // The page's own thread answers while the guest computes, and so does its worker.
  await shell.key("Control+Shift+L");
  await shell.until(() => !document.getElementById("log")!.hidden, undefined);
  await shell.key("Escape");
  await shell.until(() => document.activeElement?.closest(".screen"), undefined);
  await shell.key("Control+c");
  await shell.prompt();
  assert.equal(await shell.run("echo $?"), "130");
});

pageTest("a busy program does not keep another console from working", {}, async (shell) => {
  await shell.prompt();
  await shell.type("while :; do :; done");
  await shell.key("Enter");
  await shell.key("Control+Shift+Enter");
  assert.equal(await shell.run("echo $((6 * 7))"), "42");
  await shell.key("Control+Shift+ArrowLeft");
  await shell.key("Control+c");
  await shell.prompt();
});

pageTest("vi edits a file", {}, async (shell) => {
  await shell.prompt();
  await shell.type("vi note");
  await shell.key("Enter");
  await shell.shows(/^~$/m);
  await shell.type("ifirst line");
  await shell.key("Enter");
  await shell.type("second");
  await shell.key("Escape");
  // What follows at once could be the rest of a key's sequence.
  await shell.shows(/^- note \[Modified\]/m);
  await shell.shot("vi");
  await shell.type(":wq");
  await shell.key("Enter");
  await shell.prompt();
  assert.equal(await shell.run("cat note"), "first line\nsecond");
});

pageTest("UTF-8 and wide characters keep their places", {}, async (shell) => {
  await shell.prompt();
  assert.equal(await shell.run("echo 'grüße, 世界, 🐧|'"), "grüße, 世界, 🐧|");
  // The shell's own line, too.
  assert.match(await shell.text(), /# echo 'grüße, 世界, 🐧\|'/);
  await shell.type("echo 世界");
  await shell.key("ArrowLeft", "Backspace");
  await shell.type("x");
  await shell.key("Enter");
  await shell.shows(/^x界$/m);
  const cells = await shell.page.evaluate(() => {
    const { active } = window.wasmlinux.tabs.current!.terminal.buffer;
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row)!;
      if (line.translateToString(true).startsWith("grüße, 世界")) {
        return [...Array(line.length).keys()].find((x) => line.getCell(x)!.getChars() === "|");
      }
    }
    return undefined;
  });
  assert.equal(cells, "grüße, ".length + 4 + ", ".length + 2);
});

pageTest("colours, scrollback and titles", {}, async (shell) => {
  await shell.prompt();
  await shell.run("printf '\\033]0;my title\\007'");
  await shell.until(
    () => document.querySelector("[role=tab]")!.textContent === "my title",
    undefined,
  );
  await shell.run("seq 1 300");
  assert.match(await shell.text(), /\n1\n2\n3\n/);
  await shell.run("printf '\\033[31mred\\033[0m\\n'");
  const colour = await shell.page.evaluate(() => {
    const { active } = window.wasmlinux.tabs.current!.terminal.buffer;
    for (let row = active.length - 1; row >= 0; row--) {
      const line = active.getLine(row)!;
      if (line.translateToString(true) === "red") return line.getCell(0)!.getFgColor();
    }
    return undefined;
  });
  assert.equal(colour, 1);
});

pageTest("a paste of 1 MB arrives whole", {}, async (shell) => {
  await shell.prompt();
  // As a program reads it that has switched echo and lines off.
  await shell.type("stty raw -echo; echo go; head -c 1000000 | sha256sum; stty sane");
  await shell.key("Enter");
  await shell.shows(/^go$/m);
  const sum = await shell.page.evaluate(async () => {
    let text = "";
    for (let i = 0; text.length < 1_000_000; i++) text += `${i} abcdefghijklmnopqrstuvwxyz `;
    text = text.slice(0, 1_000_000);
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const target = document.activeElement!;
    target.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
    );
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(hash), (b) => b.toString(16).padStart(2, "0")).join("");
  });
  await shell.shows(sum);
});

pageTest(
  "a flood of output stops where the page reads no more, and Ctrl-C ends it",
  {},
  async (shell) => {
    await shell.prompt();
    await shell.type("yes 0123456789");
    await shell.key("Enter");
    await shell.shows(/(0123456789\n){20}/);
    await shell.key("Control+c");
    await shell.prompt();
    assert.equal(await shell.run("echo $?"), "130");
  },
);

pageTest(
  "copy with Ctrl-Shift-C",
  { context: { permissions: ["clipboard-read", "clipboard-write"] } },
  async (shell) => {
    await shell.prompt();
    await shell.run("echo copy me");
    await shell.page.evaluate(() => window.wasmlinux.tabs.current!.terminal.selectAll());
    await shell.key("Control+Shift+C");
    await shell.until(
      async () => (await navigator.clipboard.readText()).includes("copy me"),
      undefined,
    );
  },
);

pageTest(
  "tabs: two consoles on one machine, by keyboard, each with its own tty",
  {},
  async (shell) => {
    await shell.prompt();
    assert.equal(await shell.run("tty; echo one >/tmp/shared"), "/dev/pts/0");
    await shell.key("Control+Shift+Enter");
    assert.equal(await shell.run("tty; cat /tmp/shared"), "/dev/pts/1\none");
    await shell.shot("two-tabs");
    await shell.key("Control+Shift+ArrowLeft");
    await shell.shows("/dev/pts/0");
    // Out of the terminal and along the tabs, as ARIA says it.
    await shell.key("Control+Shift+ArrowUp", "ArrowRight");
    const selected = await shell.page.evaluate(() => document.activeElement!.id);
    assert.equal(selected, "tab-2");
    await shell.key("Delete");
    await shell.until(() => window.wasmlinux.tabs.screens.length === 1, undefined);
    assert.equal(await shell.page.evaluate(() => document.activeElement!.id), "tab-1");
    await shell.key("Enter");
    // Its session is hung up, and nothing of it is left.
    await shell.run("while ps -o tty | grep -q 136,1; do usleep 10000; done");
  },
);

pageTest("exit ends the session, and Enter begins a new one", {}, async (shell) => {
  await shell.prompt();
  await shell.type("exit");
  await shell.key("Enter");
  await shell.shows("The session is over");
  await shell.key("Enter");
  assert.equal(await shell.run("echo again"), "again");
});

pageTest("?cmd= runs a command", { query: "?cmd=echo+hello+%24((20%2B3))" }, async (shell) => {
  await shell.shows(/^hello 23$/m);
});
