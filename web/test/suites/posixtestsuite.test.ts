/**
 * The Open POSIX Test Suite's: units that take seconds, of each kind that the page has.
 * What wants memory to be shared between processes fails with ENODEV.
 */
import { readFileSync } from "node:fs";
import { NO_SHARING } from "../engine/expected.ts";
import { ROOT, testSuite } from "./suite.ts";

/** Most of what they do wants it, not always saying so; and a key of no certain value. */
const WITHOUT = ["mmap", "pthread_key_create", "sem_open", "sem_unlink"];

const described = readFileSync(`${ROOT}userland/suites/posixtestsuite/suite.toml`, "utf8");
const natively = [...described.matchAll(/^ +"(.*)",$/gm)].map(([, unit]) => unit!);

await testSuite({
  name: "posixtestsuite",
  quick: [
    "aio_write",
    "definitions",
    "kill",
    "mq_notify",
    "pthread_exit",
    "pthread_kill",
    "sigqueue",
    "timer_delete",
  ],
  all: natively.filter((unit) => !WITHOUT.includes(unit)),
  differs: (said) => (said.includes("No such device") ? NO_SHARING : undefined),
});
