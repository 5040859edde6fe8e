/** Consoles of a page, with a guest that the test plays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

const IAC = 255;
/** WILL NAWS, its size, DO ECHO, DO SGA. */
const ANSWER = [IAC, 251, 31, IAC, 250, 31, 0, 80, 0, 24, IAC, 240, IAC, 253, 1, IAC, 253, 3];

/** A console whose telnetd has been answered. */
async function agreed(): Promise<[Rig, number]> {
  const rig = await Rig.ready();
  const id = rig.console();
  await rig.until("telnetd", () => rig.guest.jobs.size === 1);
  const { heard } = rig.guest.only("telnetd");
  await rig.until("the answer", () => heard.length >= ANSWER.length);
  assert.deepEqual(heard, ANSWER);
  return [rig, id];
}

test("a console is a telnet session", async () => {
  const [rig, id] = await agreed();
  const job = rig.guest.only("telnetd");
  assert.deepEqual(job.argv, ["telnetd", "-i", "-l", "/usr/sbin/login-shell"]);
  assert.ok(job.env.includes("TERM=xterm-256color"), String(job.env));
  rig.press(id, "hällo\u001d");
  await rig.until("the echo", () => rig.screen(id) === "hällo\u001d");
});

test("consoles wait for the boot", async () => {
  const rig = await Rig.booting();
  const id = rig.console();
  rig.press(id, "early");
  rig.settle();
  assert.equal(rig.guest.jobs.size, 0);
  rig.host.ready();
  await rig.until("the echo", () => rig.screen(id).endsWith("early"));
});

test("another size is told", async () => {
  const [rig, id] = await agreed();
  rig.host.resize(id, 50, 255);
  const told = [IAC, 250, 31, 0, IAC, IAC, 0, 50, IAC, 240];
  const { heard } = rig.guest.only("telnetd");
  await rig.until("the size", () => heard.length >= ANSWER.length + told.length);
  assert.deepEqual(heard.slice(ANSWER.length), told);
});

test("a paste of a megabyte arrives whole", async () => {
  const [rig, id] = await agreed();
  const paste = Uint8Array.from({ length: 1 << 20 }, (_, i) => 32 + ((i * 7) % 90));
  let full = 0;
  for (let at = 0; at < paste.length;) {
    const n = rig.host.press(id, paste.subarray(at));
    if (n < paste.length - at) full += 1;
    at += n;
    rig.step();
  }
  assert.ok(full > 0, "it never had to wait");
  const screen = rig.screens.get(id)!;
  await rig.until("the echo", () => screen.length >= paste.length);
  assert.ok(Buffer.from(screen).equals(paste));
});

test("a person who does not look stops the guest", async () => {
  const [rig, id] = await agreed();
  const [, stream] = rig.guest.only("telnetd").streams as [number, number];
  const screen = rig.screens.get(id)!;
  rig.screens.delete(id);
  let written = 0;
  for (let refused = 0; refused < 3; rig.settle()) {
    const n = rig.host.streamWrite(stream, new Uint8Array(4096).fill(121));
    if (n > 0) written += n;
    else refused += 1;
    assert.ok(written < 4 << 20, "nothing stops it");
  }
  rig.screens.set(id, screen);
  rig.look(id);
  await rig.until("all of it", () => screen.length === written);
});

test("64 consoles", async () => {
  const rig = await Rig.ready();
  const ids = Array.from({ length: 64 }, () => rig.console());
  for (const id of ids) rig.press(id, `console ${id}.`);
  await rig.until("all", () => ids.every((id) => rig.screen(id).endsWith(`console ${id}.`)));
});

test("a console ends with its shell, and its last words are shown", async () => {
  const [rig, id] = await agreed();
  const job = rig.guest.only("telnetd");
  rig.host.streamWrite(job.streams[0]!, new TextEncoder().encode("logout\r\n"));
  job.killed = 15;
  await rig.until("the end", () => !rig.isOpen(id));
  rig.look(id);
  assert.equal(rig.screen(id), "logout\r\n");
});

test("closing a console in the middle ends its shell and no other", async () => {
  const [rig, id] = await agreed();
  const other = rig.console();
  await rig.until("the other", () => rig.guest.jobs.size === 2);
  rig.press(id, "half of a li");
  rig.host.closeConsole(id);
  await rig.until("the shell's end", () => rig.guest.jobs.size === 1);
  rig.press(other, "still here");
  await rig.until("the other's echo", () => rig.screen(other).endsWith("still here"));
});

test("random bytes from the guest are no harm", async () => {
  const [rig, id] = await agreed();
  const [, stream] = rig.guest.only("telnetd").streams as [number, number];
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from({ length: 97 }, () => {
      // Often a command, an option, a subnegotiation.
      const kind = random() & 15;
      return kind < 4 ? IAC : kind < 7 ? 240 + (random() & 15) : kind < 8 ? 31 : random();
    });
    rig.host.streamWrite(stream, bytes);
    rig.step();
  }
  const other = rig.console();
  rig.press(other, "alive");
  await rig.until("another console", () => rig.screen(other).endsWith("alive"));
  rig.host.closeConsole(id);
});
