/** BusyBox's own tests. */
import { readFileSync } from "node:fs";
import { testSuite } from "./suite.ts";

await testSuite({
  name: "busybox",
  quick: ["awk", "sed", "tar", "ash-misc", "ash-signals", "ash-standalone"],
  more: (archive, guest) =>
    archive.file("/suite/.config", readFileSync(`${guest}/busybox.config`), 0o100644),
});
