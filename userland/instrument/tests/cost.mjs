// What instrumentation costs: BusyBox applets under the reference engine, each
// module in turn within each round, ratios of medians to the first module's.
// `node cost.mjs ROUNDS busybox-plain.wasm busybox-other.wasm...`; each name
// must begin with `busybox`, which is how BusyBox knows itself.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Machine } from './host.mjs';

const [rounds, ...paths] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'cost-'));

function files() {
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0);
  const bytes = new Uint8Array(48 << 20).map(() => random() >>> 24);
  writeFileSync(join(folder, 'bytes'), bytes);
  const lines = Array.from({ length: 300000 }, () => `${random()} ${random() % 1000} line`);
  writeFileSync(join(folder, 'lines'), lines.join('\n') + '\n');
}

const ROWS = {
  sha256: ['sha256sum', 'bytes'],
  md5: ['md5sum', 'bytes'],
  gzip: ['gzip', '-c'],
  sort: ['sort', 'lines'],
  awk: ['awk', 'BEGIN{for(i=0;i<1500000;i++){s+=i%7;t=t substr("abc",i%3,1);if(length(t)>99)t=""}print s}'],
  grep: ['grep', '-c', '9.*[0-4]7 line', 'lines'],
};

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

function run(module, args) {
  const machine = new Machine({ memory: 256, write: () => {}, cwd: folder, stdin: 'lines' });
  const began = performance.now();
  const status = machine.run(module, ['busybox', ...args]);
  if (status !== 0) throw new Error(`${args} ended with ${status}`);
  return performance.now() - began;
}

files();
const modules = paths.map((path) => new WebAssembly.Module(readFileSync(path)));
console.log(['row', ...paths.map((p) => basename(p, '.wasm').replace('busybox-', ''))].join('\t'));
for (const [row, args] of Object.entries(ROWS)) {
  const spent = modules.map(() => []);
  // The first round is the compiler's.
  for (let n = 0; n <= Number(rounds); n++) {
    modules.forEach((module, m) => {
      const time = run(module, args);
      if (n) spent[m].push(time);
    });
  }
  const medians = spent.map(median);
  const cells = medians.map((m, n) => (n ? (m / medians[0]).toFixed(2) : `${m.toFixed(0)} ms`));
  console.log([row, ...cells].join('\t'));
}
rmSync(folder, { recursive: true });
