/** What Emscripten makes of `web/host`: see `scripts/xtask/src/web/host.rs`. */
declare module "*/build/host.js" {
  /** The C functions, and the module's memory: another view after every growth. */
  export interface HostModule {
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    _page_buffer(length: number): number;
    _page_signals(): number;
    _page_turn(): number;
    _page_event(): number;
    _page_shut_down(patience: number): void;
    _page_finish(kind: number, length: number): void;
    _page_initrd(rootfs: number, files: number): number;
    _page_command_line(userMemory: number, length: number): number;
    _page_stream_read(stream: number, length: number): number;
    _page_stream_write(stream: number, length: number): number;
    _page_stream_poll(stream: number): number;
    _page_stream_winsize(stream: number): number;
    _page_stream_end(stream: number): void;
    _page_stream_close(stream: number): void;
    _page_stream_event(): number;
    _page_job_next(length: number): number;
    _page_job_started(job: number, pid: number): void;
    _page_job_exit(job: number, status: number): void;
    _page_ready(): void;
    _page_shutting_down(): void;
    _page_console_open(rows: number, columns: number): number;
    _page_console_press(console: number, length: number): number;
    _page_console_shown(console: number, length: number): number;
    _page_console_resize(console: number, rows: number, columns: number): void;
    _page_console_state(console: number): number;
    _page_console_close(console: number): void;
    _page_task_run(length: number): number;
    _page_task_feed(task: number, length: number): number;
    _page_task_end_input(task: number): void;
    _page_task_take(task: number, output: number, length: number): number;
    _page_task_state(task: number): number;
    _page_task_signal(task: number, signal: number): void;
    _page_task_forget(task: number): void;
  }

  interface Settings {
    instantiateWasm(
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance) => void,
    ): object;
  }

  export default function factory(settings: Settings): Promise<HostModule>;
}
