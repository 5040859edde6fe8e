/**
 * Guest test programs that fail in the browser, and what of the platform makes
 * them. One that passes although it stands here is an error, too.
 */
const NO_PROTECTION = "pages inside a memory cannot be closed: no fault at an address that exists";
export const NO_SHARING = "two memories cannot share a page: MAP_SHARED and shmat are ENODEV";
const ALL_AT_ONCE = "without faults every page of a mapping has memory from the start";
const NO_BARE_CLONE =
  "the system calls clone and clone3 without a stack are ENOSYS; fork and vfork are imports";
const NO_WAY_BACK = "a trap unwinds the program: its handler runs, but cannot go or jump back";

const NO_FORK_IN_CATCH =
  "fork in a handler of an exception, or in code that LLVM has put into one, is a trap";

export const EXPECTED: Record<string, string> = {
  advice: ALL_AT_ONCE,
  clone: NO_BARE_CLONE,
  cxx_fork: NO_FORK_IN_CATCH,
  cxx_static: NO_FORK_IN_CATCH,
  efault: NO_PROTECTION,
  exec_errors: "the usual stack has 1 MiB, of which arguments may take a quarter",
  fault: NO_PROTECTION,
  fault_resume: NO_PROTECTION,
  limits: "an address space ends at 1 GiB, and " + ALL_AT_ONCE,
  maps: NO_SHARING,
  memory_limits: NO_SHARING,
  mmap: NO_PROTECTION,
  mmap_kinds: NO_SHARING,
  mmap_shared: NO_SHARING,
  mremap: NO_PROTECTION,
  oom: ALL_AT_ONCE,
  pidfd: NO_BARE_CLONE,
  shared_file: NO_SHARING,
  shared_fork: NO_SHARING,
  shared_futex: NO_SHARING,
  signal_altstack: NO_WAY_BACK,
  signal_fault: NO_WAY_BACK,
  signal_overflow: NO_WAY_BACK,
  sysv_shm: NO_SHARING,
  user_access: NO_PROTECTION,
};
