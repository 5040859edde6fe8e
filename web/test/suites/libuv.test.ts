/** libuv's own: sockets, pipes, terminals, signals, timers, threads, processes. */
import { testSuite } from "./suite.ts";

await testSuite({
  name: "libuv",
  quick: ["condvar", "fork", "ipc", "pipe", "poll", "process", "signal", "timer", "tty"],
});
