/**
 * When the host gets its turns: as soon as nothing else runs, or at a time it has
 * named. Never from within a host operation, which may stand on a stack that
 * suspends.
 */

/** Below this setTimeout is stretched anyway, in ms. */
const FLOOR = 4;

export class Turns {
  private readonly port: MessagePort;
  private asked = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;
  private readonly turn: () => number;

  /** `turn` does what there is to do, and tells in how many ms it wants to be called again; -1: when asked. */
  constructor(turn: () => number) {
    this.turn = turn;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => this.run();
    this.port = port2;
  }

  /** One turn, soon. */
  ask(): void {
    if (this.asked || this.over) return;
    this.asked = true;
    this.port.postMessage(0);
  }

  stop(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.port.close();
  }

  private run(): void {
    this.asked = false;
    if (this.over) return;
    clearTimeout(this.timer);
    const wait = this.turn();
    if (wait < 0 || this.asked) return;
    if (wait < FLOOR) this.ask();
    else this.timer = setTimeout(() => this.ask(), wait);
  }
}
