/**
 * The Open POSIX Test Suite's: units that take seconds, of each kind that the page has.
 * What wants memory to be shared between processes fails with ENODEV.
 */
import { testSuite } from "./suite.ts";

const QUICK = [
  "aio_write",
  "definitions",
  "kill",
  "mq_notify",
  "pthread_exit",
  "pthread_kill",
  "sigqueue",
  "timer_delete",
];

await testSuite({
  name: "posixtestsuite",
  quick: QUICK,
  all: [
    ...QUICK,
    "aio_cancel",
    "aio_fsync",
    "aio_read",
    "behavior-WIFEXITED",
    "clock_getres",
    "fsync",
    "killpg",
    "lio_listio",
    "mlockall",
    "mq_open",
    "munmap",
    "pthread_atfork",
    "pthread_attr_setstack",
    "pthread_barrier_init",
    "pthread_cond_init",
    "pthread_detach",
    "pthread_getschedparam",
    "pthread_join",
    "pthread_mutex_trylock",
    "pthread_once",
    "pthread_rwlock_init",
    "pthread_setschedparam",
    "pthread_sigmask",
    "pthread_spin_init",
    "pthread_testcancel",
    "raise",
    "sched_setscheduler",
    "sem_wait",
    "shm_unlink",
    "sigaltstack",
    "sigprocmask",
    "sigtimedwait",
    "sigwaitinfo",
    "stress-threads-pthread_mutex_lock",
  ],
});
