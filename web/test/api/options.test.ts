import assert from "node:assert/strict";
import { test } from "node:test";
import { bootRequest, goesOn } from "../../src/api/options.ts";
import { Log } from "../../src/api/log.ts";

test("what is not given has a standard", async () => {
  const { memory, files } = await bootRequest({
    files: { "/a": "x", "/b": { content: "y", mode: 0o755 } },
  });
  assert.equal(memory, 64 << 20);
  assert.deepEqual(
    files.map(({ path, mode }) => [path, mode]),
    [
      ["/a", 0o644],
      ["/b", 0o755],
    ],
  );
});

test("sizes are whole pages within their range", async () => {
  assert.equal((await bootRequest({ memory: (16 << 20) + 1 })).memory, (16 << 20) + 65536);
  const bad = (memory: number) =>
    assert.rejects(bootRequest({ memory }), {
      kind: "argument",
      message: /memory is .* 16 to 2048 MiB/,
    });
  await bad(1);
  await bad(NaN);
  await bad(4e9);
});

test("only a machine of the usual size, with the usual parameters, goes on", () => {
  assert.ok(goesOn({}));
  assert.ok(goesOn({ memory: 64 << 20, kernelParameters: "", userMemory: 32 << 20 }));
  assert.ok(!goesOn({ memory: 128 << 20 }));
  assert.ok(!goesOn({ kernelParameters: "quiet" }));
});

test("of a log the end is kept, from the beginning of a line", () => {
  const log = new Log();
  for (let i = 0; i < 200_000; i++) log.add(`line ${i}\n`);
  const text = log.text();
  assert.ok(text.length <= 1 << 20 && text.length > 1 << 19);
  assert.match(text, /^line \d+\n/);
  assert.ok(text.endsWith("line 199999\n"));
});
