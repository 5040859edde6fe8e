/**
 * The other half of the kernel or of a program (`scripts/xtask/src/web/halves.rs`): it is
 * fetched behind the prompt, and whatever calls one of its functions before it is there
 * waits. Every call that can come there stands on a task's stack, so that the stack is
 * suspended; the event loop goes on, the machine stands still meanwhile.
 */

/** Gets it; each call is another try. */
export type GetRest = () => Promise<WebAssembly.Module>;

export class Rest {
  /** The host operation `rest`: 0 once it is there, 1 when there is nothing to go on for. */
  readonly wait: () => Promise<0 | 1>;
  private readonly get: GetRest;
  private readonly join: (rest: WebAssembly.Module) => void;
  private coming: Promise<void> | undefined;
  private end!: () => void;

  /** `join` makes a module known; `failed` hears why a call cannot go on. */
  constructor(
    get: GetRest,
    join: (rest: WebAssembly.Module) => void,
    failed: (error: unknown) => void,
  ) {
    this.get = get;
    this.join = join;
    const ended = new Promise<1>((resolve) => (this.end = () => resolve(1)));
    const arrived = (): Promise<0 | 1> =>
      this.fetch().then(
        () => 0,
        (error) => {
          failed(error);
          return 1;
        },
      );
    this.wait = () => Promise.race([arrived(), ended]);
  }

  /** Gets it if it is not there or on its way. */
  fetch(): Promise<void> {
    this.coming ??= this.get().then(this.join);
    // It may be there the next time.
    this.coming.catch(() => (this.coming = undefined));
    return this.coming;
  }

  /** The machine has ended: nobody waits any more. */
  close(): void {
    this.end();
  }
}
