import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { listen, serve } from "../serve.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasmlinux-serve-"));
after(() => fs.rmSync(folder, { recursive: true }));
fs.mkdirSync(path.join(folder, "site/example"), { recursive: true });
fs.writeFileSync(path.join(folder, "secret"), "secret");
fs.writeFileSync(path.join(folder, "site/index.html"), "page");
fs.writeFileSync(path.join(folder, "site/example/index.html"), "example");
fs.writeFileSync(path.join(folder, "site/a.wasm"), "\0asm");

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Not `fetch`, which puts paths in order before it asks for them. */
function get(address: string, name: string, options: http.RequestOptions = {}): Promise<Answer> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path: name, ...options }, (answer) => {
      let body = "";
      answer.on("data", (bytes) => (body += bytes));
      answer.on("end", () =>
        resolve({ status: answer.statusCode!, headers: answer.headers, body }),
      );
    });
    request.on("error", reject).end();
  });
}

test("files with their types, folders by their index, and nothing else", async () => {
  const server = serve(path.join(folder, "site"), "/below/");
  const address = await listen(server, 0);
  try {
    const page = await get(address, "/below/?cmd=x");
    assert.deepEqual([page.status, page.body], [200, "page"]);
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.equal((await get(address, "/below/example/")).body, "example");
    const wasm = await get(address, "/below/a.wasm");
    assert.equal(wasm.headers["content-type"], "application/wasm");
    assert.equal(wasm.headers["cross-origin-opener-policy"], undefined);
    const again = { headers: { "if-modified-since": wasm.headers["last-modified"]! } };
    assert.equal((await get(address, "/below/a.wasm", again)).status, 304);
    const head = await get(address, "/below/a.wasm", { method: "HEAD" });
    assert.deepEqual([head.headers["content-length"], head.body], ["4", ""]);
    for (const name of [
      "/",
      "/below/none",
      "/below/example",
      "/below/../secret",
      "/below/..%2fsecret",
      "/below/%2e%2e/secret",
    ]) {
      assert.equal((await get(address, name)).status, 404, name);
    }
    assert.equal((await get(address, "/below/%ff")).status, 400);
    assert.equal((await get(address, "/below/", { method: "POST" })).status, 405);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("a port that is in use, or none, is one sentence", async () => {
  const server = serve(folder);
  const { port } = new URL(await listen(server, 0));
  const said = (argument: string) =>
    new Promise<[number | null, string]>((resolve) => {
      const script = new URL("../serve.ts", import.meta.url).pathname;
      const child = spawn(process.execPath, [script, folder, argument]);
      let text = "";
      child.stderr.on("data", (bytes) => (text += bytes));
      child.on("close", (code) => resolve([code, text]));
    });
  try {
    assert.deepEqual(await said(port), [
      1,
      `cannot serve: port ${port} is in use: name another one\n`,
    ]);
    const [code, text] = await said("web");
    assert.equal(code, 2);
    assert.match(text, /"web" is no port/);
  } finally {
    server.close();
  }
});
