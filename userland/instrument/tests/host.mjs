// A reference engine for instrumented programs: the contract of ARCHITECTURE.md
// ("An instrumented program") with a kernel of a few calls. No task ever waits:
// a child runs to its end before its parent goes on, so one stack is enough and
// any JavaScript engine will do. `node host.mjs [--memory MIB] [--time] [--cwd
// DIR] PROGRAM.wasm [ARG...]`; without the contract's exports a module runs too,
// as long as it neither forks nor jumps.
import { openSync, readSync, writeSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const PAGE = 65536;
const NR = {
  dup: 23, dup3: 24, fcntl: 25, ioctl: 29, openat: 56, close: 57, pipe2: 59, lseek: 62, read: 63, write: 64,
  readv: 65, writev: 66, exit: 93, exit_group: 94, waitid: 95, set_tid_address: 96, setitimer: 103,
  kill: 129, tkill: 130, tgkill: 131, rt_sigaction: 134, rt_sigprocmask: 135, rt_sigreturn: 139,
  getpid: 172, getppid: 173, getuid: 174, geteuid: 175, getgid: 176, getegid: 177, gettid: 178,
  brk: 214, munmap: 215, mremap: 216, execve: 221, mmap: 222, mprotect: 226, madvise: 233, wait4: 260,
  statx: 291, clock_gettime64: 403,
};
const NAME = Object.fromEntries(Object.entries(NR).map(([name, nr]) => [nr, name]));
const E = { NOENT: 2, CHILD: 10, AGAIN: 11, NOMEM: 12, INVAL: 22, NOSYS: 38 };
const SIG = { ALRM: 14, CHLD: 17 };
const SAVING = 1, RESTORING = 2;
const HANDLERS_FORK = 0x100;
const FORK_ROOM = 64 * 1024;
const RED_ZONE = 128;

// What unwinds a program that has ended.
class Ended { constructor(status) { this.status = status; } }

class Exec { constructor(args) { this.args = args; } }

// One tag for the whole machine: the engine's trampolines may name it.
const longjmp = new WebAssembly.Tag({ parameters: ['i32', 'i32'] });

export class Machine {
  constructor({ memory = 32, trace = false, write, cwd = '.', stdin } = {}) {
    Object.assign(this, { pages: memory * 16, trace, cwd, stdin, pid: 0, processes: new Map() });
    this.write = write ?? ((fd, bytes) => writeSync(fd, bytes));
    this.figures = { forks: 0, bytes: 0, saving: 0, copying: 0, restoring: 0, polls: 0 };
  }

  run(module, args, env = []) {
    const process = new Process(this, module, ++this.pid, 0);
    if (this.stdin) process.files.set(0, openSync(resolve(this.cwd, this.stdin), 'r'));
    process.load(args, env);
    return process.run();
  }
}

class Process {
  constructor(machine, module, pid, parent) {
    Object.assign(this, { machine, module, pid, parent });
    this.zombies = [];
    this.handlers = new Map();
    this.blocked = 0n;
    this.pending = [];
    this.signals = []; // handlers that stand on this stack, innermost last
    this.files = new Map();
    this.alarm = 0;
    this.saved = null;
  }

  // One instance for each memory: its data segments are written when it is made.
  // Tasks that share the memory take turns in it.
  instantiate(memory) {
    this.memory = memory;
    this.space = { task: this };
    const { space } = this;
    // A module that is not instrumented runs as far as it does not jump.
    const stub = () => { throw new Error('the module is not instrumented'); };
    const jumps = WebAssembly.Module.imports(this.module).some((i) => i.kind === 'tag');
    const linux = {
      syscall: (nr, ...args) => space.task.syscall(nr, args),
      fork: () => space.task.fork(false),
      vfork: () => space.task.fork(true),
      poll: () => space.task.poll(),
      setjmp: () => 0,
      longjmp: jumps ? longjmp : stub,
    };
    this.exports = new WebAssembly.Instance(this.module, { env: { memory }, linux }).exports;
    this.state = this.exports.__linux_state ?? { value: 0 };
    this.canForkInHandlers = !!((this.exports.__linux_abi?.value ?? 0) & HANDLERS_FORK);
  }

  // The memory, the globals and the instance of a new child.
  inherit(from, shared) {
    if (shared) {
      const { memory, space, exports, state, canForkInHandlers } = from;
      Object.assign(this, { memory, space, exports, state, canForkInHandlers });
      return;
    }
    this.instantiate(new WebAssembly.Memory({ initial: from.memory.buffer.byteLength / PAGE }));
    this.u8.set(from.u8);
    for (const [name, global] of Object.entries(from.exports)) {
      if (!(global instanceof WebAssembly.Global)) continue;
      try { this.exports[name].value = global.value; } catch { /* it is a constant */ }
    }
  }

  get u8() { return new Uint8Array(this.memory.buffer); }
  get view() { return new DataView(this.memory.buffer); }
  text(at) {
    const u8 = this.u8;
    return Buffer.from(u8.slice(at, u8.indexOf(0, at))).toString();
  }

  load(args, env) {
    this.instantiate(new WebAssembly.Memory({ initial: this.machine.pages }));
    const image = new DataView(WebAssembly.Module.customSections(this.module, 'linux.image')[0]);
    this.brk = this.floor = image.getUint32(8, true);
    let top = this.machine.pages * PAGE;
    this.top = top;
    const string = (s) => {
      const bytes = Buffer.from(s + '\0');
      top -= bytes.length;
      this.u8.set(bytes, top);
      return top;
    };
    const argv = args.map(string), envp = env.map(string);
    const random = (top -= 16);
    const aux = [6, 4096, 25, random, 0, 0];
    const words = [args.length, ...argv, 0, ...envp, 0, ...aux];
    this.sp = (top - 4 * words.length) & ~15;
    words.forEach((word, n) => this.view.setUint32(this.sp + 4 * n, word, true));
    this.exports.__stack_pointer.value = this.sp;
    this.mapped = (top - 1024 * 1024) & -PAGE; // below the stack, downward
    this.alive = true;
  }

  // The trampoline below a task's first frame: calls the entry until it ends or
  // all its frames are in the buffer.
  run() {
    for (;;) {
      try {
        this.exports._start(this.sp);
        if (this.state.value !== SAVING) throw new Error('_start returned');
      } catch (error) {
        if (error instanceof Ended) {
          if (this.machine.trace) console.error(`${this.pid} ended ${error.status}`);
          return error.status;
        }
        if (error instanceof Exec) {
          this.load(error.args, []);
          continue;
        }
        if (error instanceof RangeError) return SIG_SEGV; // the stack is full
        if (error instanceof WebAssembly.Exception && error.is(longjmp)) return SIG_SEGV;
        if (error instanceof WebAssembly.RuntimeError) {
          if (this.machine.trace) console.error(error.stack);
          return error.message.includes('unreachable') ? 4 : SIG_SEGV;
        }
        throw error;
      }
      this.forked();
    }
  }

  // ---- fork

  fork(shared) {
    if (this.state.value === RESTORING) return this.restored();
    if (this.signals.length && !this.canForkInHandlers) return -E.AGAIN;
    const end = (this.exports.__stack_pointer.value - RED_ZONE) & ~15;
    const room = this.room ?? FORK_ROOM;
    this.saved = { shared, start: end - room, sp: this.exports.__stack_pointer.value };
    this.exports.__linux_frames.value = end - room;
    this.exports.__linux_frames_end.value = end;
    this.state.value = SAVING;
    this.began = performance.now();
    return 0;
  }

  // The innermost call, made again.
  restored() {
    this.state.value = 0;
    this.machine.figures.restoring += performance.now() - this.began;
    const { answer, start } = this.saved;
    if (this.exports.__linux_frames.value !== start) throw new Error('frames are left');
    this.saved = null;
    // Without an answer the program has turned back: the buffer was too small.
    return answer ?? -E.NOMEM;
  }

  // All frames are in the buffer.
  forked() {
    const { start, shared, sp } = this.saved;
    const top = this.exports.__linux_frames.value;
    const frames = this.u8.slice(start, top);
    const { figures } = this.machine;
    const all = performance.now();
    figures.saving += all - this.began;
    const child = new Process(this.machine, this.module, ++this.machine.pid, this.pid);
    Object.assign(child, {
      sp: this.sp, brk: this.brk, floor: this.floor, top: this.top, mapped: this.mapped, room: this.room,
      handlers: new Map(this.handlers), blocked: this.blocked, files: new Map(this.files),
      signals: this.signals.map((s) => ({ ...s })), outer: this.outer?.slice(),
    });
    child.inherit(this, shared);
    child.restore(frames, start, top, sp, 0);
    figures.forks++;
    figures.bytes += frames.length;
    figures.copying += performance.now() - all;
    child.space.task = child;
    const status = child.run();
    this.space.task = this;
    this.zombies.push([child.pid, status]);
    if (shared) { // the child took from the same memory
      this.brk = child.brk;
      this.mapped = child.mapped;
    }
    this.restore(frames, start, top, sp, child.pid);
    this.raise(SIG.CHLD);
  }

  restore(frames, start, top, sp, answer) {
    this.u8.set(frames, start);
    this.saved = { start, answer };
    this.exports.__stack_pointer.value = sp;
    this.exports.__linux_frames.value = top;
    this.state.value = RESTORING;
    this.began = performance.now();
  }

  // ---- signals

  raise(sig) {
    if (sig !== 0 && !this.pending.includes(sig)) this.pending.push(sig);
  }

  // Runs what is pending, on the way back to user mode. `answer` is what the
  // interrupted call gives.
  deliver(answer) {
    if (this.state.value === RESTORING) {
      // The frames above belong to a handler: it is entered again.
      this.signals.push(this.outer.pop());
      return this.handle(true);
    }
    for (;;) {
      const n = this.pending.findIndex((s) => !(this.blocked >> BigInt(s - 1) & 1n));
      if (n < 0) return answer;
      const [sig] = this.pending.splice(n, 1);
      const action = this.handlers.get(sig) ?? { handler: 0 };
      if (action.handler === 1 || (action.handler === 0 && sig === SIG.CHLD)) continue;
      if (action.handler === 0) throw new Ended(sig);
      const sp = this.exports.__stack_pointer.value;
      const frame = (sp - RED_ZONE - 1024) & ~15;
      this.signals.push({ sig, action, sp, frame, blocked: this.blocked, answer });
      this.blocked |= action.mask | (action.flags & 0x40000000 ? 0n : 1n << BigInt(sig - 1));
      this.exports.__stack_pointer.value = frame;
      answer = this.handle(false);
      if (this.state.value === SAVING) return answer;
    }
  }

  handle(again) {
    const depth = this.signals.length;
    const { sig, action, sp, frame, blocked, answer } = this.signals[depth - 1];
    try {
      this.exports.__wasm_signal(action.handler, sig, frame, frame, action.flags & 4 ? 1 : 0);
    } catch (error) {
      // A jump out of the handler: it and those on top of it are gone.
      this.signals.length = Math.min(this.signals.length, depth - 1);
      throw error;
    }
    const record = this.signals.pop();
    if (this.state.value === SAVING) {
      (this.outer ??= []).push(record);
      return 0;
    }
    this.exports.__stack_pointer.value = sp;
    this.blocked = blocked;
    return answer;
  }

  poll() {
    this.machine.figures.polls++;
    if (this.state.value !== RESTORING && this.alarm && performance.now() >= this.alarm) {
      this.alarm = 0;
      this.raise(SIG.ALRM);
    }
    if (this.pending.length || this.state.value === RESTORING) this.deliver(0);
    return 10000;
  }

  // ---- system calls

  syscall(nr, args) {
    if (this.state.value === RESTORING) return this.deliver(0);
    const name = NAME[nr];
    const answer = name ? this[`sys_${name}`](...args.map(Number)) : -E.NOSYS;
    if (this.machine.trace) console.error(`${this.pid} ${name ?? nr}(${args}) = ${answer}`);
    return this.pending.length ? this.deliver(answer) : answer;
  }

  sys_exit(code) { throw new Ended((code & 0xff) << 8); }
  sys_exit_group(code) { throw new Ended((code & 0xff) << 8); }
  sys_set_tid_address() { return this.pid; }
  sys_getpid() { return this.pid; }
  sys_gettid() { return this.pid; }
  sys_getppid() { return this.parent; }
  sys_getuid() { return 0; }
  sys_geteuid() { return 0; }
  sys_getgid() { return 0; }
  sys_getegid() { return 0; }
  sys_mprotect() { return 0; }
  sys_madvise() { return 0; }
  sys_munmap() { return 0; }
  sys_fcntl() { return 0; }
  sys_ioctl() { return -25; }

  sys_execve(path, argv) {
    if (this.text(path) !== '/proc/self/exe') return -E.NOENT;
    const args = [];
    for (let at; (at = this.view.getUint32(argv, true)); argv += 4) args.push(this.text(at));
    throw new Exec(args);
  }

  sys_brk(to) {
    if (to < this.floor || to > this.mapped) return this.brk;
    return (this.brk = to);
  }

  sys_mmap(_at, size) {
    const at = (this.mapped - size) & -4096;
    if (at < this.brk) return -E.NOMEM;
    this.u8.fill(0, at, at + size);
    return (this.mapped = at);
  }

  sys_mremap(old, size, wanted) {
    const at = this.sys_mmap(0, wanted);
    if (at > 0) this.u8.copyWithin(at, old, old + Math.min(size, wanted));
    return at;
  }

  sys_wait4(pid, status, options) {
    const n = this.zombies.findIndex(([p]) => pid <= 0 || p === pid);
    if (n < 0) return options & 1 && this.zombies.length ? 0 : -E.CHILD;
    const [[found, value]] = this.zombies.splice(n, 1);
    if (status) this.view.setUint32(status, value, true);
    return found;
  }

  sys_waitid(type, id, info) {
    const n = this.zombies.findIndex(([p]) => type === 0 || p === id);
    if (n < 0) return -E.CHILD;
    const [[found, value]] = this.zombies.splice(n, 1);
    if (info) {
      const killed = value & 0x7f;
      [SIG.CHLD, 0, killed ? 2 : 1, found, 0, killed || value >> 8].forEach((word, k) =>
        this.view.setInt32(info + 4 * k, word, true));
    }
    return 0;
  }

  sys_rt_sigaction(sig, to, from) {
    const view = this.view;
    const was = this.handlers.get(sig) ?? { handler: 0, flags: 0, mask: 0n };
    if (to) {
      this.handlers.set(sig, {
        handler: view.getUint32(to, true),
        flags: view.getUint32(to + 4, true),
        mask: view.getBigUint64(to + 8, true),
      });
    }
    if (from) {
      view.setUint32(from, was.handler, true);
      view.setUint32(from + 4, was.flags, true);
      view.setBigUint64(from + 8, was.mask, true);
    }
    return 0;
  }

  sys_rt_sigprocmask(how, set, old) {
    const was = this.blocked;
    if (set) {
      const mask = this.view.getBigUint64(set, true);
      this.blocked = how === 0 ? was | mask : how === 1 ? was & ~mask : mask;
    }
    if (old) this.view.setBigUint64(old, was, true);
    return 0;
  }

  sys_kill(pid, sig) { return this.sys_tkill(pid, sig); }
  sys_tgkill(_group, tid, sig) { return this.sys_tkill(tid, sig); }
  sys_tkill(tid, sig) {
    if (tid !== this.pid) return -3;
    this.raise(sig);
    return 0;
  }

  sys_setitimer(_which, to) {
    const [s, us] = [8, 12].map((o) => this.view.getInt32(to + o, true));
    this.alarm = s || us ? performance.now() + s * 1000 + us / 1000 : 0;
    return 0;
  }

  sys_clock_gettime64(_clock, to) {
    const now = BigInt(Math.round(performance.now() * 1e6));
    this.view.setBigInt64(to, now / 1000000000n, true);
    this.view.setBigInt64(to + 8, now % 1000000000n, true);
    return 0;
  }

  sys_openat(_dir, path) {
    try {
      const host = openSync(resolve(this.machine.cwd, this.text(path)), 'r');
      const fd = Math.max(2, ...this.files.keys()) + 1;
      this.files.set(fd, host);
      return fd;
    } catch { return -E.NOENT; }
  }

  sys_close(fd) {
    this.files.delete(fd);
    return 0;
  }

  sys_lseek() { return -29; }
  sys_statx() { return -E.NOSYS; }

  // Whoever wrote has ended before anyone reads, so an empty pipe is at its end.
  sys_pipe2(ends) {
    const pipe = [];
    for (const n of [0, 4]) {
      const fd = Math.max(2, ...this.files.keys()) + 1;
      this.files.set(fd, pipe);
      this.view.setInt32(ends + n, fd, true);
    }
    return 0;
  }

  sys_dup(fd) { return this.sys_dup3(fd, Math.max(2, ...this.files.keys()) + 1); }
  sys_dup3(from, to) {
    this.files.set(to, this.files.get(from) ?? from);
    return to;
  }

  sys_read(fd, at, size) {
    const file = this.files.get(fd) ?? fd;
    if (!Array.isArray(file)) return readSync(file, this.u8, at, size, null);
    const bytes = file.shift();
    if (!bytes) return 0;
    this.u8.set(bytes.subarray(0, size), at);
    if (bytes.length > size) file.unshift(bytes.subarray(size));
    return Math.min(size, bytes.length);
  }

  sys_readv(fd, vector, count) {
    return this.each(vector, count, (at, size) => this.sys_read(fd, at, size));
  }

  sys_write(fd, at, size) {
    const file = this.files.get(fd) ?? fd;
    const bytes = this.u8.slice(at, at + size);
    if (Array.isArray(file)) file.push(bytes);
    else this.machine.write(file, bytes);
    return size;
  }

  sys_writev(fd, vector, count) {
    return this.each(vector, count, (at, size) => this.sys_write(fd, at, size));
  }

  each(vector, count, move) {
    let total = 0;
    for (let n = 0; n < count; n++) {
      const [at, size] = [0, 4].map((o) => this.view.getUint32(vector + 8 * n + o, true));
      if (!size) continue;
      const moved = move(at, size);
      total += moved;
      if (moved < size) break;
    }
    return total;
  }
}

const SIG_SEGV = 11;

function main(argv) {
  const options = {};
  let time = false;
  while (argv[0]?.startsWith('--')) {
    const option = argv.shift();
    if (option === '--memory') options.memory = Number(argv.shift());
    else if (option === '--cwd') options.cwd = argv.shift();
    else if (option === '--trace') options.trace = true;
    else if (option === '--time') time = true;
    else throw new Error(`unknown option ${option}`);
  }
  const module = new WebAssembly.Module(readFileSync(argv[0]));
  const machine = new Machine(options);
  const began = performance.now();
  // A program that is named like several is told which by its first argument.
  const args = argv[0].endsWith('busybox.wasm') ? ['busybox', ...argv.slice(1)] : argv;
  const status = machine.run(module, args);
  const spent = performance.now() - began;
  if (time) console.error(JSON.stringify({ milliseconds: spent, ...machine.figures }));
  process.exit(status & 0x7f ? 128 + (status & 0x7f) : status >> 8);
}

if (process.argv[1]?.endsWith('host.mjs')) main(process.argv.slice(2));
