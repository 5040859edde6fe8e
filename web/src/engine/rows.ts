/** The table of `glue/access.wat`: a row of functions for each process memory. */

export const ROW = 16;

/** Slots of a row; the numbers stand in `access.wat` and `cpu.wat` too. */
export const Slot = {
  copyFrom: 0,
  copyTo: 1,
  clear: 2,
  strncpy: 3,
  strnlen: 4,
  sp: 5,
  tls: 6,
  set: 7,
  start: 8,
  thread: 9,
  signal: 10,
  resignal: 11,
} as const;
