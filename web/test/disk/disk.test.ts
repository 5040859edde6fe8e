import assert from "node:assert/strict";
import { test } from "node:test";
import { Disk, type Handle } from "../../src/disk/disk.ts";

const BLOCK = 4096;
const SIZE = 16 * BLOCK;

/** A file in memory; may be told to end at the n-th write, or to be full. */
class File implements Handle {
  bytes = new Uint8Array(0);
  flushed = 0;
  writesLeft = Infinity;
  room = Infinity;
  getSize = () => this.bytes.length;
  truncate(size: number) {
    const old = this.bytes;
    this.bytes = new Uint8Array(size);
    this.bytes.set(old.subarray(0, size));
  }
  read(into: Uint8Array, { at }: { at: number }) {
    const some = this.bytes.subarray(at, at + into.length);
    into.set(some);
    return some.length;
  }
  write(from: Uint8Array, { at }: { at: number }) {
    if (this.writesLeft-- <= 0) throw new Error("killed");
    if (at + from.length > this.room) throw new DOMException("full", "QuotaExceededError");
    if (at + from.length > this.bytes.length) this.truncate(at + from.length);
    this.bytes.set(from, at);
    return from.length;
  }
  flush() {
    this.flushed++;
  }
  close() {}
}

function entry(number: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(4 + BLOCK).fill(fill);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}
const EMPTY = new Uint8Array([...entry(0, 1), ...entry(3, 2), ...entry(15, 3)]);

test("a new disk holds the empty file system", () => {
  const file = new File();
  const disk = Disk.in(file, SIZE, EMPTY);
  assert.equal(disk.sectors, SIZE / 512);
  assert.deepEqual(
    [0, 1, 3, 14, 15].map((block) => file.bytes[block * BLOCK]),
    [1, 0, 2, 0, 3],
  );
});

test("what nobody has written is zero, and takes no room in the file", () => {
  const file = new File();
  const disk = Disk.in(file, 4 * SIZE, EMPTY);
  assert.equal(disk.sectors, (4 * SIZE) / 512);
  const sector = new Uint8Array(512).fill(7);
  const last = disk.sectors - 1;
  assert.equal(disk.transfer(false, last, [sector]), 0);
  assert.ok(sector.every((byte) => byte === 0));
  assert.equal(file.getSize(), SIZE);
  const across = [new Uint8Array(512).fill(7), new Uint8Array(512).fill(7)];
  assert.equal(disk.transfer(false, SIZE / 512 - 1, across), 0);
  assert.deepEqual([across[0]![0], across[1]![0]], [3, 0]);
  assert.equal(disk.transfer(true, last, [sector.fill(9)]), 0);
  assert.equal(file.getSize(), 4 * SIZE);
});

test("a disk that is there stays as it is", () => {
  const file = new File();
  Disk.in(file, SIZE, EMPTY).transfer(true, 8, [new Uint8Array(512).fill(9)]);
  assert.equal(Disk.in(file, SIZE / 2, EMPTY).sectors, SIZE / 512);
  assert.equal(file.bytes[BLOCK], 9);
});

test("one whose making was interrupted is made again", () => {
  for (let writes = 0; writes < 3; writes++) {
    const file = new File();
    file.writesLeft = writes;
    assert.throws(() => Disk.in(file, SIZE, EMPTY), /killed/);
    file.writesLeft = Infinity;
    Disk.in(file, SIZE, EMPTY);
    assert.deepEqual(
      [0, 3, 15].map((block) => file.bytes[block * BLOCK]),
      [1, 2, 3],
    );
  }
});

test("parts follow each other", () => {
  const disk = Disk.in(new File(), SIZE, EMPTY);
  const written = [1, 2, 3].map((fill) => new Uint8Array(512 * fill).fill(fill));
  assert.equal(disk.transfer(true, 40, written), 0);
  const read = [3, 2, 1].map((length) => new Uint8Array(512 * length));
  assert.equal(disk.transfer(false, 40, read), 0);
  const flat = (parts: Uint8Array[]) => parts.flatMap((part) => [...part]);
  assert.deepEqual(flat(read), flat(written));
});

test("beyond the end is EIO, a full store ENOSPC, anything else EIO", () => {
  const file = new File();
  const disk = Disk.in(file, SIZE, EMPTY);
  const sector = [new Uint8Array(512)];
  assert.equal(disk.transfer(false, disk.sectors, sector), -5);
  assert.equal(disk.transfer(true, disk.sectors - 1, [...sector, ...sector]), -5);
  file.room = 0;
  assert.equal(disk.transfer(true, 1, sector), -28);
  file.room = Infinity;
  file.writesLeft = 0;
  assert.equal(disk.transfer(true, 1, sector), -5);
});

test("a flush reaches the file", () => {
  const file = new File();
  const disk = Disk.in(file, SIZE, EMPTY);
  const before = file.flushed;
  assert.equal(disk.flush(), 0);
  assert.equal(file.flushed, before + 1);
});
