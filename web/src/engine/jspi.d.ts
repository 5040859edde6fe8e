/** JavaScript Promise Integration, which TypeScript's library does not know yet. */
declare namespace WebAssembly {
  class Suspending {
    constructor(body: (...args: never[]) => unknown);
  }
  function promising(body: ExportValue): (...args: number[]) => Promise<void>;
}
