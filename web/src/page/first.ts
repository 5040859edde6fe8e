/**
 * Machines begin to boot before the page's own code and xterm.js are there: what a
 * machine has to say meanwhile is kept.
 */
import { MachineError, start } from "../api/index.ts";
import type { BootOptions, Machine, Progress } from "../api/types.ts";

export interface Listener {
  progress(progress: Progress): void;
  log(text: string): void;
}

export class Begun {
  readonly machine: Machine | undefined;
  /** Why there is none. */
  readonly error: MachineError | undefined;
  /** Its workers run, or there is none. Until then they wait for what the page does. */
  readonly started: Promise<void>;
  private listener: Listener | undefined;
  private latest: Progress | undefined;

  constructor(options: BootOptions) {
    let settle!: () => void;
    this.started = new Promise((resolve) => (settle = resolve));
    try {
      this.machine = start({
        ...options,
        onProgress: (progress) => {
          this.latest = progress;
          settle();
          this.listener?.progress(progress);
        },
        // The machine keeps its log itself.
        onLog: (text) => this.listener?.log(text),
      });
      void this.machine.outcome.then(settle);
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      this.error = error;
      settle();
    }
  }

  listen(listener: Listener): void {
    this.listener = listener;
    if (this.latest) listener.progress(this.latest);
  }
}
