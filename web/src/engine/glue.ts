/** The modules of `glue/`: what they export and how they are put together. */
import type { Entries } from "./abi.ts";
import type { Access, Nobody, Ways } from "./rows.ts";

/** The glue modules, compiled. */
export interface Glue {
  access: WebAssembly.Module;
  cpu: WebAssembly.Module;
  user: WebAssembly.Module;
  program: WebAssembly.Module;
}

export type { Access, Ways };

export type Kernel = Entries & { __stack_pointer: WebAssembly.Global };

type UpcallGlobal = "upcall" | "handler" | "sig" | "info" | "ctx" | "sp" | "siginfo";

/** `access.wat`. */
export interface AccessExports extends Record<UpcallGlobal, WebAssembly.Global>, Nobody {
  rows: WebAssembly.Table;
  ended: WebAssembly.Global;
}

/** `cpu.wat`. */
export interface CpuExports {
  in_kernel: WebAssembly.Global;
  restoring: WebAssembly.Global;
  restarting: WebAssembly.Global;
  boot: WebAssembly.ExportValue;
  resume: WebAssembly.ExportValue;
  task_main: WebAssembly.ExportValue;
  task_restart: WebAssembly.ExportValue;
  task_fault: WebAssembly.ExportValue;
  syscall: WebAssembly.ExportValue;
  poll: WebAssembly.ExportValue;
  fork: WebAssembly.ExportValue;
  vfork: WebAssembly.ExportValue;
}
