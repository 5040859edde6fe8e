import assert from "node:assert/strict";
import { test } from "node:test";
import { MachineError } from "../../src/api/errors.ts";
import { WINDOW } from "../../src/protocol.ts";
import { bytes, Double, Screen } from "./double.ts";

const isError = (kind: string, words: RegExp) => (error: unknown) =>
  error instanceof MachineError && error.kind === kind && words.test(error.message);

test("a machine is ready when its worker says so", async () => {
  const seen: unknown[] = [];
  const double = new Double({ onProgress: (p) => seen.push(p), onLog: (text) => seen.push(text) });
  await Promise.resolve();
  assert.deepEqual(
    double.posted.map(({ type }) => type),
    ["parts", "boot"],
  );
  double.tell({ type: "boots" });
  double.tell({ type: "log", text: "Linux version\n" });
  double.tell({ type: "ready" });
  await double.machine.ready;
  assert.equal(seen.length, 2);
  assert.equal(double.machine.log, "Linux version\n");
});

test("a console shows, types, follows sizes and ends", async () => {
  const double = new Double();
  const screen = new Screen();
  const console = double.machine.terminal(screen);
  const { id } = double.last("open");
  assert.deepEqual(double.last("open"), { type: "open", id, rows: 24, columns: 80 });
  double.tell({ type: "output", id, stream: 1, bytes: bytes("/ # ") });
  assert.equal(screen.shown, "/ # ");
  assert.throws(() => double.last("took"), /nothing/);
  screen.draw();
  assert.deepEqual(double.last("took"), { type: "took", id, stream: 1, bytes: 4 });
  screen.type("ls\r");
  assert.deepEqual(double.last("input").bytes, bytes("ls\r"));
  screen.resized({ rows: 50, cols: 132 });
  assert.deepEqual(double.last("resize"), { type: "resize", id, rows: 50, columns: 132 });
  double.tell({ type: "closed", id, reason: "logout" });
  assert.equal(await console.closed, "logout");
  assert.equal(screen.listening, 0);
});

test("a paste of 1 MB never has more than the window on its way, and nothing is lost", async () => {
  const double = new Double();
  const console = double.machine.terminal(new Screen());
  const { id } = double.last("open");
  const paste = crypto.getRandomValues(new Uint8Array(1 << 16));
  const all = new Uint8Array(16 << 16);
  for (let i = 0; i < 16; i++) all.set(paste, i << 16);
  const got: Uint8Array[] = [];
  let under = 0;
  let most = 0;
  const waiting: number[] = [];
  double.onPost = (request) => {
    if (request.type !== "input") return;
    got.push(request.bytes);
    under += request.bytes.length;
    most = Math.max(most, under);
    waiting.push(request.bytes.length);
  };
  const sent = console.input(all);
  while (waiting.length > 0) {
    const n = waiting.shift()!;
    under -= n;
    double.tell({ type: "took", id, bytes: n });
  }
  await sent;
  assert.deepEqual(Buffer.concat(got), Buffer.from(all));
  assert.ok(most <= WINDOW, `${most}`);
});

test("a command has its input, both outputs and its code", async () => {
  const double = new Double();
  const result = double.machine.run("sort; echo no >&2; exit 3", { stdin: "b\na\n" });
  const { id, argv, cwd } = double.last("run");
  assert.deepEqual(argv, ["sh", "-c", "sort; echo no >&2; exit 3"]);
  assert.equal(cwd, "/root");
  assert.deepEqual(double.last("input").bytes, bytes("b\na\n"));
  double.tell({ type: "took", id, bytes: 4 });
  await Promise.resolve();
  assert.equal(double.last("end").id, id);
  double.tell({ type: "output", id, stream: 1, bytes: bytes("a\nb\n") });
  double.tell({ type: "output", id, stream: 2, bytes: bytes("no\n") });
  double.tell({ type: "exit", id, code: 3, signal: 0 });
  const { stdout, stderr, code, signal } = await result;
  assert.deepEqual(
    { stdout, stderr, code, signal },
    { stdout: "a\nb\n", stderr: "no\n", code: 3, signal: 0 },
  );
});

test("a consumer of output that is slow is waited for before it gets more", async () => {
  const double = new Double();
  let free!: () => void;
  const got: number[] = [];
  const result = double.machine.run(["yes"], {
    onStdout: (piece) => {
      got.push(piece.length);
      return new Promise((resolve) => (free = resolve));
    },
  });
  const { id } = double.last("run");
  double.tell({ type: "output", id, stream: 1, bytes: bytes("y\n") });
  double.tell({ type: "output", id, stream: 1, bytes: bytes("y\ny\n") });
  double.tell({ type: "exit", id, code: 0, signal: 0 });
  await new Promise(setImmediate);
  assert.deepEqual(got, [2]);
  free();
  await new Promise(setImmediate);
  assert.deepEqual(got, [2, 4]);
  free();
  assert.equal((await result).stdout, "");
});

test("a command that is refused, aborted, or makes no sense is a typed error", async () => {
  const double = new Double();
  const refused = double.machine.run(["nowhere"]);
  const error = { kind: "not-started" as const, message: "nowhere: No such file or directory" };
  double.tell({ type: "refused", id: double.last("run").id, error });
  await assert.rejects(refused, isError("not-started", /nowhere/));

  const controller = new AbortController();
  const aborted = double.machine.run(["sleep", "100"], { signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, isError("aborted", /sleep/));
  assert.equal(double.last("close").id, double.last("run").id);

  await assert.rejects(double.machine.run([]), isError("argument", /program/));
  await assert.rejects(double.machine.run(["a\0b"]), isError("argument", /NUL/));
  await assert.rejects(double.machine.readFile("x"), isError("argument", /absolute/));
});

test("files are written and read by commands, and their errors are sentences", async () => {
  const double = new Double();
  const write = double.machine.writeFile("/etc/x", "y", { mode: 0o600 });
  const run = double.last("run");
  assert.deepEqual(run.argv.slice(-2), ["/etc/x", "600"]);
  double.tell({ type: "took", id: run.id, bytes: 1 });
  double.tell({
    type: "output",
    id: run.id,
    stream: 2,
    bytes: bytes("sh: can't create /etc/x.9: Read-only file system\n"),
  });
  double.tell({ type: "exit", id: run.id, code: 1, signal: 0 });
  await assert.rejects(
    write,
    isError("failed", /^\/etc\/x: cannot write it: Read-only file system$/),
  );

  const read = double.machine.readFile("/bin/x");
  const { id } = double.last("run");
  double.tell({ type: "output", id, stream: 1, bytes: new Uint8Array([0, 255, 10]) });
  double.tell({ type: "exit", id, code: 0, signal: 0 });
  assert.deepEqual(await read, new Uint8Array([0, 255, 10]));
});

test("a program goes to the engine, its stub into the file system", async () => {
  const double = new Double();
  const added = double.machine.addProgram({ name: "hello", content: bytes("module") });
  await new Promise(setImmediate);
  double.tell({ type: "added", id: double.last("program").id, stub: bytes("stub") });
  await new Promise(setImmediate);
  const { id, argv } = double.last("run");
  assert.ok(argv.includes("/usr/local/bin/hello"));
  double.tell({ type: "exit", id, code: 0, signal: 0 });
  assert.equal(await added, "/usr/local/bin/hello");

  const bad = double.machine.addProgram({ name: "bad", content: bytes("module") });
  await new Promise(setImmediate);
  const error = { kind: "not-a-program" as const, message: "it is none" };
  double.tell({ type: "refused", id: double.last("program").id, error });
  await assert.rejects(bad, isError("not-a-program", /none/));
  await assert.rejects(
    double.machine.addProgram({ name: "../x", content: bytes("") }),
    isError("argument", /name/),
  );
});

test("at the end everybody is told, and the worker goes", async () => {
  const double = new Double();
  const screen = new Screen();
  const console = double.machine.terminal(screen);
  const running = double.machine.run("sleep 9");
  double.tell({ type: "outcome", outcome: { kind: "panic", message: "VFS: no root" } });
  await assert.rejects(running, isError("ended", /kernel panic: VFS: no root/));
  assert.match(await console.closed, /panic/);
  assert.equal((await double.machine.outcome).kind, "panic");
  await assert.rejects(double.machine.ready, isError("ended", /panic/));
  await assert.rejects(double.machine.run("true"), isError("ended", /panic/));
  assert.match(await double.machine.terminal(new Screen()).closed, /panic/);
  assert.ok(double.terminated);
  assert.equal(screen.listening, 0);
});

test("a worker that cannot be loaded, or breaks, is a failure with its kind", async () => {
  const lost = new Double();
  lost.break("");
  await assert.rejects(lost.machine.ready, isError("download", /could not be loaded/));
  const broken = new Double();
  broken.break("The worker failed: x");
  await assert.rejects(broken.machine.ready, isError("crash", /failed: x/));
  const refused = new Double({}, Promise.reject(new MachineError("download", "no such program")));
  await assert.rejects(refused.machine.ready, isError("download", /no such program/));
});

test("the worker is told where its parts come from; a fetcher that breaks has its kind", async () => {
  const double = new Double();
  assert.equal(double.last("parts").from, double.delivery);
  double.breakFetcher({ kind: "download", message: "It did not come." });
  await assert.rejects(double.machine.ready, isError("download", /did not come/));
  assert.ok(double.cancelled && double.terminated);
});

test("a guest that does not power off is ended after a while", async () => {
  const double = new Double();
  const outcome = double.machine.shutdown(1);
  assert.equal(double.last("shutdown").type, "shutdown");
  assert.equal((await outcome).kind, "stopped");
  assert.ok(double.terminated);
});
