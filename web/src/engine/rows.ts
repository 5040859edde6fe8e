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

/** Functions of `glue/user.wat` over one memory. */
export interface Access {
  copy_from: WebAssembly.ExportValue;
  copy_to: WebAssembly.ExportValue;
  clear: WebAssembly.ExportValue;
  strncpy: WebAssembly.ExportValue;
  strnlen: WebAssembly.ExportValue;
  wipe(page: number, end: number): void;
}

/** Functions of `glue/program.wat` over one instance. */
export interface Ways {
  sp(): number;
  tls(): number;
  set(sp: number, tls: number): void;
  start(): void;
  thread(): void;
  signal(): number;
  resignal(): number;
}

/** Exports of `glue/access.wat` that stand for "no process" in a row. */
export interface Nobody {
  none_copy: WebAssembly.ExportValue;
  none_clear: WebAssembly.ExportValue;
  none_strncpy: WebAssembly.ExportValue;
  none_strnlen: WebAssembly.ExportValue;
  none_get: WebAssembly.ExportValue;
}

export class Rows {
  private readonly table: WebAssembly.Table;
  private readonly nobody: Nobody;
  /** Row 0 belongs to nobody. */
  private next = 1;
  private readonly unused: number[] = [];

  constructor(table: WebAssembly.Table, nobody: Nobody) {
    this.table = table;
    this.nobody = nobody;
  }

  take(): number {
    const row = this.unused.pop() ?? this.next++;
    const end = (row + 1) * ROW;
    if (this.table.length < end) this.table.grow(Math.max(end - this.table.length, 32 * ROW));
    this.clear(row);
    return row;
  }

  give(row: number): void {
    this.clear(row);
    this.unused.push(row);
  }

  setAccess(row: number, access: Access): void {
    this.set(row, Slot.copyFrom, access.copy_from);
    this.set(row, Slot.copyTo, access.copy_to);
    this.set(row, Slot.clear, access.clear);
    this.set(row, Slot.strncpy, access.strncpy);
    this.set(row, Slot.strnlen, access.strnlen);
  }

  setWays(row: number, ways: Ways): void {
    this.set(row, Slot.sp, ways.sp);
    this.set(row, Slot.tls, ways.tls);
    this.set(row, Slot.set, ways.set);
    this.set(row, Slot.start, ways.start);
    this.set(row, Slot.thread, ways.thread);
    this.set(row, Slot.signal, ways.signal);
    this.set(row, Slot.resignal, ways.resignal);
  }

  private clear(row: number): void {
    const { none_copy, none_clear, none_strncpy, none_strnlen, none_get } = this.nobody;
    const access = { copy_from: none_copy, copy_to: none_copy, clear: none_clear };
    this.setAccess(row, {
      ...access,
      strncpy: none_strncpy,
      strnlen: none_strnlen,
      wipe: () => {},
    });
    this.set(row, Slot.sp, none_get);
    this.set(row, Slot.tls, none_get);
    for (let slot: number = Slot.set; slot < ROW; slot++) this.set(row, slot, null);
  }

  private set(row: number, slot: number, value: WebAssembly.ExportValue | null): void {
    this.table.set(row * ROW + slot, value);
  }
}
