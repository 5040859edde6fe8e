/**
 * What a machine's memory begins with: a module of nothing but data.
 *
 * There are two of a kernel: its own data, with which it boots; and the memory of a
 * machine that has its root file system and is about to begin its init, from which it
 * goes on (`arch/lkl/kernel/image.c`). Most of the functions that a boot calls are called
 * before, and a browser has to compile each.
 */

/** Bytes of the memory that is in the second one. */
export const BOOTED_MEMORY = 64 << 20;

/** Whether a machine can go on from it: it has no other parameters than the usual ones. */
export function canGoOn(memory: number, furtherParameters: string): boolean {
  return memory === BOOTED_MEMORY && furtherParameters === "";
}

/** Whether the module is the second one. */
export function isBooted(image: WebAssembly.Module): boolean {
  return WebAssembly.Module.exports(image).length > 0;
}

/**
 * Fills memory. What the kernel's clock showed in ns when the image was taken, or
 * undefined if it is the kernel's own data.
 */
export function fill(memory: WebAssembly.Memory, image: WebAssembly.Module): number | undefined {
  const { clock } = new WebAssembly.Instance(image, { env: { memory } }).exports;
  return (clock as WebAssembly.Global | undefined)?.value as number | undefined;
}
