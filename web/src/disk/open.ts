/** Disks in the origin private file system. */
import { Disk, type Handle } from "./disk.ts";

/** Why there is no disk: one sentence. */
export class NoDisk extends Error {}

const FOLDER = "wasmlinux";
/** Of a new disk, bytes. Only what is written takes room. */
const SIZE = 256 << 20;
/** ms: a page that is reloaded may still be giving its disk back. */
const PATIENCE = 2000;
const LOOK_AGAIN = 20;

interface SyncFile extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<Handle>;
}

/**
 * Opens the disk `name` of this origin, or makes it with the file system `empty`.
 * It is this agent's alone until the agent ends or closes it.
 */
export async function openDisk(name: string, empty: Promise<Uint8Array>): Promise<Disk> {
  if (!globalThis.isSecureContext || !navigator.storage?.getDirectory) {
    throw new NoDisk("A browser keeps files only of pages that come by https or from localhost.");
  }
  let handle: Handle | undefined;
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const file = await folder.getFileHandle(`${encodeURIComponent(name)}.disk`, { create: true });
    handle = await own(file as SyncFile);
    return Disk.in(handle, SIZE, await empty);
  } catch (error) {
    handle?.close();
    throw error instanceof NoDisk ? error : new NoDisk(sentence(error));
  }
}

/** The browser tells nobody when a file becomes free, so it is asked until then. */
async function own(file: SyncFile): Promise<Handle> {
  for (const end = performance.now() + PATIENCE; ;) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (!isInUse(error)) throw error;
      if (performance.now() >= end) {
        throw new NoDisk("Another tab has the disk: close its machine and reboot this one.");
      }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

function isInUse(error: unknown): boolean {
  return (error as Error)?.name === "NoModificationAllowedError";
}

function sentence(error: unknown): string {
  const { name, message } = error as Error;
  if (name === "QuotaExceededError") {
    return "The browser has no room for the disk: free some in its site settings.";
  }
  if (name === "SecurityError" || name === "NotAllowedError") {
    return "The browser keeps no files here: a private window, or its settings.";
  }
  return `The disk cannot be opened: ${message}.`;
}
