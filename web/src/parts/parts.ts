/**
 * What a machine is made of: files of the deployed folder, whose names and sizes are
 * filled in when it is bundled.
 */

export interface Part {
  name: string;
  bytes: number;
}

export type Parts = Record<"kernel" | "rest" | "busybox" | "rootfs" | "disk" | "host", Part>;

declare const WASMLINUX_PARTS: Parts;

export const parts: Parts = WASMLINUX_PARTS;
