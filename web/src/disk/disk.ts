/**
 * A disk of the machine, kept in a file.
 *
 * What has been written is in the file when the call returns, so that nothing is
 * lost with the page; a file of the origin private file system belongs to one
 * agent at a time, so two machines never mount one disk.
 */

import type { Disk as MachineDisk } from "../engine/devices.ts";
import { concat } from "../bytes.ts";
import { EIO, ENOSPC } from "../errno.ts";

/** What of FileSystemSyncAccessHandle a disk needs. */
export interface Handle {
  getSize(): number;
  truncate(size: number): void;
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

const SECTOR = 512;
const BLOCK = 4096;

export class Disk implements MachineDisk {
  readonly sectors: number;
  readonly readOnly = false;
  private readonly handle: Handle;

  private constructor(handle: Handle, size: number) {
    this.handle = handle;
    this.sectors = Math.floor(Math.max(size, handle.getSize()) / SECTOR);
  }

  /**
   * The disk in a file. One that holds none yet becomes one of `size` bytes with the
   * file system `empty`: blocks, each behind its number (32 bits, little-endian). The
   * file grows with what is written: a browser that keeps it in memory, as for a
   * private window, takes up to a second for 256 MiB.
   */
  static in(handle: Handle, size: number, empty: Uint8Array): Disk {
    if (!isWhole(handle)) make(handle, empty);
    return new Disk(handle, size);
  }

  transfer(write: boolean, sector: number, parts: readonly Uint8Array[]): number {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const at = sector * SECTOR;
    if (at + length > this.sectors * SECTOR) return -EIO;
    try {
      // One call for all: each is a message to another process.
      if (write) {
        const whole = parts.length === 1 ? parts[0]! : concat(parts);
        return this.handle.write(whole, { at }) === length ? 0 : -ENOSPC;
      }
      const whole = parts.length === 1 ? parts[0]! : new Uint8Array(length);
      // Behind the file's end nothing has been written.
      whole.fill(0, this.handle.read(whole, { at }));
      if (whole !== parts[0]) scatter(whole, parts);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  flush(): number {
    try {
      this.handle.flush();
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  close(): void {
    this.handle.close();
  }
}

function scatter(whole: Uint8Array, parts: readonly Uint8Array[]): void {
  let from = 0;
  for (const part of parts) {
    part.set(whole.subarray(from, from + part.length));
    from += part.length;
  }
}

function errnoOf(error: unknown): number {
  return error instanceof Error && error.name === "QuotaExceededError" ? -ENOSPC : -EIO;
}

/** Its first block is written last. */
function isWhole(handle: Handle): boolean {
  const first = new Uint8Array(BLOCK);
  return handle.read(first, { at: 0 }) === BLOCK && first.some((byte) => byte !== 0);
}

function make(handle: Handle, empty: Uint8Array): void {
  // Whatever an earlier try has left.
  handle.truncate(0);
  const list = new DataView(empty.buffer, empty.byteOffset, empty.byteLength);
  const entry = 4 + BLOCK;
  for (let from = empty.length - entry; from >= 0; from -= entry) {
    const at = list.getUint32(from, true) * BLOCK;
    if (at === 0) handle.flush();
    const block = empty.subarray(from + 4, from + entry);
    if (handle.write(block, { at }) !== BLOCK) {
      throw new DOMException("the disk does not fit", "QuotaExceededError");
    }
  }
  handle.flush();
}
