/**
 * Time, and the event loop's turns.
 *
 * Nothing interrupts code in a worker, so due timers are found when the machine
 * looks: every 64 system calls, when a safepoint's budget is spent, and when
 * idle. A task switch is a microtask, which starves messages and timers of the
 * page; so every {@link TURN} ms the machine suspends for one turn of the event
 * loop.
 */

/** How long the machine runs before the event loop gets a turn, in ms. */
const TURN = 8;
/** Below this setTimeout is no use: nested calls are stretched to it. In ms. */
const TIMER_FLOOR = 4;

export class Clock {
  private readonly onTimer: () => void;
  private deadline = Infinity;
  private lastTurn = performance.now();
  private readonly start: number;
  private readonly macrotasks = new Macrotasks();
  private timeout: ReturnType<typeof setTimeout> | undefined;
  /** Ends `sleep` early. */
  private wake: (() => void) | undefined;

  /** `ns` is what it shows at first. */
  constructor(onTimer: () => void, ns = 0) {
    this.onTimer = onTimer;
    this.start = performance.now() - ns / 1e6;
  }

  /** Monotonic, in ns. */
  ns(): number {
    return (performance.now() - this.start) * 1e6;
  }

  realtimeNs(): number {
    return (performance.timeOrigin + performance.now()) * 1e6;
  }

  setTimer(deltaNs: number): void {
    this.deadline = performance.now() + deltaNs / 1e6;
  }

  stopTimer(): void {
    this.deadline = Infinity;
  }

  /** Fires a due timer. True: the event loop should have a turn. */
  check(): boolean {
    const now = performance.now();
    this.fireIfDue(now);
    return now - this.lastTurn > TURN;
  }

  /** One turn of the event loop. */
  turn(): Promise<void> {
    return new Promise((resolve) =>
      this.macrotasks.add(() => {
        this.lastTurn = performance.now();
        resolve();
      }),
    );
  }

  /** Resolves when `interrupt` is called or the timer has fired. */
  sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = undefined;
        clearTimeout(this.timeout);
        this.lastTurn = performance.now();
        resolve();
      };
      this.wait();
    });
  }

  interrupt(): void {
    this.wake?.();
  }

  /** The machine has ended: nothing of it is left in the event loop. */
  close(): void {
    this.deadline = Infinity;
    this.interrupt();
    this.macrotasks.close();
  }

  private wait(): void {
    this.fireIfDue(performance.now());
    if (!this.wake) return;
    const left = this.deadline - performance.now();
    if (left === Infinity) return;
    const again = () => {
      if (this.wake) this.wait();
    };
    if (left < TIMER_FLOOR) this.macrotasks.add(again);
    else this.timeout = setTimeout(again, Math.min(left, 0x7fffffff));
  }

  private fireIfDue(now: number): void {
    if (now < this.deadline) return;
    this.deadline = Infinity;
    this.onTimer();
  }
}

/**
 * Tasks of the event loop, one a turn. A message is the fastest in a browser,
 * where setTimeout waits for 4 ms; node hands on up to a thousand messages before
 * it looks at anything else, and has setImmediate.
 */
class Macrotasks {
  private readonly queue: (() => void)[] = [];
  private readonly channel: MessageChannel | undefined;

  constructor() {
    if (immediate) return;
    this.channel = new MessageChannel();
    this.channel.port1.onmessage = () => this.queue.shift()?.();
  }

  add(task: () => void): void {
    this.queue.push(task);
    if (immediate) immediate(() => this.queue.shift()?.());
    else this.channel!.port2.postMessage(0);
  }

  /** Runs what waits, and keeps nothing in the event loop. */
  close(): void {
    for (const task of this.queue.splice(0)) task();
    this.channel?.port1.close();
  }
}

const immediate = (globalThis as { setImmediate?: (task: () => void) => void }).setImmediate;
