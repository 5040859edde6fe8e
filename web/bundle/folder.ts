/** The folder that is made: names, sums, sizes. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** Digits of a sum in a name: see sw.ts. */
const DIGITS = 10;

export class Folder {
  private readonly files = new Map<string, Uint8Array>();
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  add(name: string, content: Uint8Array | string): void {
    if (this.files.has(name)) throw new Error(`${name} is made twice`);
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const file = path.join(this.root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, bytes);
    this.files.set(name, bytes);
  }

  /** Under a name that no other contents have; the name. */
  addHashed(name: string, content: Uint8Array): string {
    const { name: stem, ext } = path.parse(name);
    const sum = createHash("sha256").update(content).digest("hex").slice(0, DIGITS);
    const hashed = `${stem}-${sum}${ext}`;
    this.add(hashed, content);
    return hashed;
  }

  /** The files of a folder for which `keep` holds, changed by `edits`. */
  addStatic(
    folder: string,
    keep: (name: string) => boolean,
    edits: Record<string, (text: string) => string>,
  ): void {
    for (const name of fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
      const file = path.join(folder, name);
      if (!fs.statSync(file).isFile() || !keep(name)) continue;
      const edit = edits[name];
      const bytes = fs.readFileSync(file);
      this.add(name, edit ? edit(bytes.toString()) : bytes);
    }
  }

  /** Name and sum of each file, as `fetch` checks them. */
  integrity(): Record<string, string> {
    const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");
    const names = [...this.files.keys()].sort();
    return Object.fromEntries(names.map((name) => [name, `sha256-${sum(this.files.get(name)!)}`]));
  }

  version(): string {
    const all = JSON.stringify(this.integrity());
    return createHash("sha256").update(all).digest("hex").slice(0, DIGITS);
  }

  summary(): string {
    return [...this.files].map(([name, bytes]) => `${bytes.length} ${name}`).join("\n");
  }
}
