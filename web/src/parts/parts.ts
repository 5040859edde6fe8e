/**
 * What a machine is made of: files of the deployed folder, whose names and sizes are
 * filled in when it is bundled.
 */

export interface Part {
  name: string;
  bytes: number;
}

declare const WASMLINUX_PARTS: Record<
  "kernel" | "booted" | "data" | "rest" | "busybox" | "busyboxRest" | "rootfs" | "disk" | "host",
  Part
>;
/** The script that fetches them. */
declare const WASMLINUX_FETCHER: string;

const { booted, data, rest, busyboxRest, ...always } = WASMLINUX_PARTS;

/** All that a machine needs which goes on from an image, or boots. */
export function partsFor(goesOn: boolean): Record<keyof Loaded, Part> {
  return { ...always, image: goesOn ? booted : data };
}

export const partNames = [...Object.keys(always), "image"] as (keyof Loaded)[];
/** The halves of the kernel and of BusyBox that come behind the prompt. */
export const restOfKernel = rest;
export const restOfBusybox = busyboxRest;
export const fetcherScript: string = WASMLINUX_FETCHER;

export interface Loaded {
  kernel: WebAssembly.Module;
  /** What its memory begins with. */
  image: WebAssembly.Module;
  busybox: WebAssembly.Module;
  host: WebAssembly.Module;
  rootfs: Uint8Array;
  /** The file system of a new disk. */
  disk: Uint8Array;
}
