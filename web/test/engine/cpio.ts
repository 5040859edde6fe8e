/** Archives for the kernel's initramfs: newc, a header and its bytes for each file. */
import { concat } from "../../src/bytes.ts";

const TRAILER = "TRAILER!!!";

export class Cpio {
  private readonly parts: Uint8Array[] = [];
  private inode = 1_000_000;

  file(path: string, bytes: Uint8Array, mode = 0o100755): this {
    this.entry(path.replace(/^\//, ""), mode, bytes);
    return this;
  }

  folder(path: string): this {
    this.entry(path.replace(/^\//, ""), 0o40755, new Uint8Array());
    return this;
  }

  link(path: string, target: string): this {
    this.entry(path.replace(/^\//, ""), 0o120777, new TextEncoder().encode(target));
    return this;
  }

  finish(): Uint8Array {
    this.entry(TRAILER, 0, new Uint8Array());
    return concat(this.parts);
  }

  private entry(name: string, mode: number, bytes: Uint8Array): void {
    const path = new TextEncoder().encode(name + "\0");
    const fields = [this.inode++, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, path.length, 0];
    const hex = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    const header = new TextEncoder().encode("070701" + hex);
    this.parts.push(header, path, padding(header.length + path.length));
    this.parts.push(bytes, padding(bytes.length));
  }
}

/** The kernel unpacks archives one after another. */
function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
