/**
 * Time, and the event loop's turns.
 *
 * Nothing interrupts code in a worker, so due timers are found when the machine
 * looks: every 64 system calls, when a safepoint's budget is spent, at a task
 * switch now and then, and when idle. A task switch is a microtask, which
 * starves messages and timers of the page; so every {@link TURN} ms the machine
 * suspends for one turn of the event loop.
 */

/** How long the machine runs before the event loop gets a turn, in ms. */
const TURN = 8;
/** Below this setTimeout is no use: nested calls are stretched to it. In ms. */
const TIMER_FLOOR = 4;

export class Clock {
  /** Called when the timer is due. */
  onTimer: () => void = () => {};
  private deadline = Infinity;
  private lastTurn = performance.now();
  private readonly start = performance.now();
  private readonly queue: (() => void)[] = [];
  private readonly post: () => void;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => this.queue.shift()?.();
    this.post = () => port2.postMessage(0);
    // Under node the channel alone must not keep the process alive.
    (port1 as unknown as { unref?(): void }).unref?.();
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
      this.macrotask(() => {
        this.lastTurn = performance.now();
        resolve();
      }),
    );
  }

  /** Resolves when `woken()` or when the timer has fired. */
  sleep(woken: () => boolean, setWake: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      let timeout: ReturnType<typeof setTimeout> | undefined;
      const done = () => {
        clearTimeout(timeout);
        this.lastTurn = performance.now();
        resolve();
      };
      setWake(done);
      const wait = () => {
        this.fireIfDue(performance.now());
        if (woken()) return;
        const left = this.deadline - performance.now();
        if (left === Infinity) return;
        if (left < TIMER_FLOOR) this.macrotask(wait);
        else timeout = setTimeout(wait, Math.min(left, 0x7fffffff));
      };
      wait();
    });
  }

  private fireIfDue(now: number): void {
    if (now < this.deadline) return;
    this.deadline = Infinity;
    this.onTimer();
  }

  private macrotask(task: () => void): void {
    this.queue.push(task);
    this.post();
  }
}
