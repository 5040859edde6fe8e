/**
 * What a machine is made of: files beside this script, whose names and sizes are
 * filled in when it is bundled.
 */

export interface Part {
  name: string;
  bytes: number;
}

export type Parts = Record<"kernel" | "busybox" | "rootfs" | "disk" | "host", Part>;

declare const WASMLINUX_PARTS: Parts;

export const parts: Parts = WASMLINUX_PARTS;

export function address({ name }: Part): URL {
  return new URL(name, import.meta.url);
}
