/**
 * Files from the person's computer: a program goes to /usr/local/bin and runs, any
 * other file to /root.
 */
import { MachineError } from "../api/errors.ts";
import { notice } from "./notices.ts";
import type { Machine } from "../api/types.ts";

const FOLDER = "/root";
const WASM = [0, 0x61, 0x73, 0x6d];

export function acceptDrops(area: HTMLElement, machine: () => Machine | undefined): void {
  const dropping = (on: boolean) => area.classList.toggle("dropping", on);
  area.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    dropping(true);
  });
  area.addEventListener("dragleave", () => dropping(false));
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    dropping(false);
    void addFiles(event.dataTransfer.files, machine());
  });
}

export async function addFiles(files: Iterable<File>, machine: Machine | undefined): Promise<void> {
  if (!machine) return;
  for (const file of files) {
    try {
      notice(await addFile(file, machine));
    } catch (error) {
      const why = error instanceof MachineError ? error.message : "it cannot be read.";
      notice(`${file.name}: ${why}`, true);
    }
  }
}

/** What was done with it. */
async function addFile(file: File, machine: Machine): Promise<string> {
  const content = new Uint8Array(await file.arrayBuffer());
  if (WASM.every((byte, i) => content[i] === byte)) {
    const name = file.name.replace(/\.wasm$/, "");
    await machine.addProgram({ name, content });
    return `${name} can be run now.`;
  }
  // A folder arrives as a file of its name that cannot be read: arrayBuffer throws.
  const path = `${FOLDER}/${file.name}`;
  await machine.writeFile(path, content);
  return `${path}: ${content.length.toLocaleString()} bytes.`;
}
