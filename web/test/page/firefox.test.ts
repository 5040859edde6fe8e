/** The same page in Firefox: what depends on the browser. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { serving, SHOTS } from "./browser.ts";
import { Firefox } from "./firefox.ts";

const places = [process.env.WASMLINUX_FIREFOX ?? "", "/usr/bin/firefox-esr"];
const program = places.find((place) => fs.existsSync(place));
const skip = program ? false : "no Firefox: run scripts/setup test, or set WASMLINUX_FIREFOX";

let firefox: Firefox;
let server: Awaited<ReturnType<typeof serving>>;
if (program) {
  before(async () => {
    firefox = await Firefox.start(program);
    server = await serving();
  });
  after(async () => {
    await firefox.close();
    await server.stop();
  });
}

test(
  "Firefox: boots, types, follows its size, interrupts, opens a second console",
  { skip },
  async (t) => {
    await firefox.open(server.url);
    if ((await firefox.evaluate("'Suspending' in WebAssembly")) !== true) {
      // The page for such browsers is tested in Chromium.
      await firefox.until("document.getElementById('failure').innerText.includes('JSPI')");
      return t.skip("this Firefox has no JSPI");
    }
    await firefox.prompt();
    await firefox.type("uname -sm; stty size");
    await firefox.key("Enter");
    const shows = (words: string) =>
      firefox.until(`window.wasmlinux.tabs.current.text().includes(${JSON.stringify(words)})`);
    await shows("Linux wasm32");

    await firefox.prompt();
    await firefox.resize(700, 400);
    const size = "((t) => t.rows + ' ' + t.cols)(window.wasmlinux.tabs.current.terminal)";
    await firefox.until(`window.wasmlinux.tabs.current.element.clientWidth < 710`);
    await firefox.type("stty size | sed 's/^/now /'");
    await firefox.key("Enter");
    await shows(`now ${await firefox.evaluate(size)}`);

    await firefox.prompt();
    await firefox.type("while :; do :; done");
    await firefox.key("Enter");
    await firefox.key("Control+Shift+Enter");
    await firefox.prompt();
    await firefox.type("echo $((6*7))");
    await firefox.key("Enter");
    await shows("\n42");
    await firefox.key("Control+Shift+x");
    await firefox.until("window.wasmlinux.tabs.screens.length === 1");
    await firefox.key("Control+c");
    await firefox.prompt();
    await firefox.type("echo status $?");
    await firefox.key("Enter");
    await shows("status 130");
    await firefox.shot(`${SHOTS}/firefox.png`);
    assert.equal(await firefox.evaluate("crossOriginIsolated"), false);
  },
);
