/** Names and sizes of the deployed files: filled in when the page is bundled. */

export interface Assets {
  worker: string;
  parts: Record<"kernel" | "busybox" | "rootfs" | "host", { name: string; bytes: number }>;
}

declare const WASMLINUX_ASSETS: Assets;

export const assets: Assets = WASMLINUX_ASSETS;
