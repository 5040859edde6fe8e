/** Machines that go on from an image, beside those that boot. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { boot, compiled, stopMachines, type Guest, type Settings } from "./boot.ts";

afterEach(stopMachines);

const goOn = (settings: Settings = {}) => boot(settings);
const bootUp = (settings: Settings = {}) =>
  boot({ image: compiled("kernel-data.wasm"), ...settings });

test("what has gone on is what has booted", async () => {
  const seen = [];
  for (const begin of [goOn, bootUp]) {
    const guest = await begin();
    seen.push({
      "command line": await guest.sh("cat /proc/cmdline"),
      devices: await guest.sh(
        "cat /proc/devices; ls -lR /dev | sed 's/ [A-Z][a-z][a-z] .*:.. / /'",
      ),
      "file systems": await guest.sh("cat /proc/filesystems /proc/mounts"),
      files: await guest.sh("find / -xdev | grep -v '^/tmp' | sort"),
      interrupts: await guest.sh("cut -c 18- /proc/interrupts"),
      limits: await guest.sh("cat /proc/self/limits /proc/sys/kernel/threads-max"),
      network: await guest.sh(
        "ifconfig -a | grep -v packets | sed 's/HWaddr.*//'; cat /proc/net/protocols | cut -c 1-30",
      ),
      threads: await guest.sh(
        "ps -o comm >/run/ps; cat /run/ps | grep -v -E 'kworker/[0u]|job' | sort",
      ),
    });
    await guest.off();
  }
  assert.deepEqual(seen[0], seen[1]);
});

test("there is as much memory, and as much of it is free", async () => {
  for (const what of ["MemTotal", "MemFree"]) {
    const guests = [await goOn(), await bootUp()];
    const read = (guest: Guest) => guest.sh(`awk '/${what}/ { print $2 }' /proc/meminfo`);
    const [gone, booted] = (await Promise.all(guests.map(read))).map(Number);
    assert.ok(Math.abs(gone! - booted!) < 2048, `${what}: ${gone} and ${booted} KiB`);
  }
});

test("no two have the same random numbers", async () => {
  const read = "cat /proc/sys/kernel/random/boot_id; head -c 32 /dev/urandom | base64";
  const seen = new Set<string>();
  for (let n = 0; n < 4; n++) {
    const guest = await goOn();
    for (const line of (await guest.sh(read)).trim().split("\n")) seen.add(line);
    guest.machine.stop();
  }
  assert.equal(seen.size, 8);
});

test("it is as late as on the host, and later all the time", async () => {
  const guest = await goOn();
  const before = Math.floor(Date.now() / 1000);
  const date = Number(await guest.sh("date +%s"));
  assert.ok(date >= before && date <= Date.now() / 1000, `${date}, ${before}`);
  const uptime = async () => Number((await guest.sh("cut -d ' ' -f 1 /proc/uptime")).trim());
  const first = await uptime();
  await guest.sh("sleep 0.3");
  const second = await uptime();
  assert.ok(second >= first + 0.3, `${first} ${second}`);
  // Files that are made now have the time of now.
  assert.equal(await guest.sh("touch /tmp/new; find /tmp/new -mmin -1"), "/tmp/new\n");
});

test("what the host gives is what counts, not what the image had", async () => {
  const parameters = "console=ttyK0 lkl.user_memory=131072K";
  const guest = await goOn({ parameters, processMemory: 96 << 20 });
  assert.equal(await guest.sh("cat /proc/cmdline"), `${parameters}\n`);
  const total = Number(await guest.sh("awk '/MemTotal/ { print $2 }' /proc/meminfo"));
  assert.ok(total > 131072 && total < 131072 + 65536, `${total} KiB`);
  const large = await guest.run({
    argv: ["dd", "if=/dev/zero", "of=/dev/null", "bs=100M", "count=1"],
  });
  assert.match(large.stderr, /out of memory|memory exhausted/i);
});

test("the log is told from its beginning, once", async () => {
  const { devices } = await goOn();
  assert.equal(devices.log.match(/Linux version/g)?.length, 1);
  assert.equal(devices.log.match(/goes on from an image: console=ttyK0/g)?.length, 1);
});

test("files come on top of the root file system that is there", async () => {
  const large = new Uint8Array(20 << 20).fill(7);
  const guest = await goOn({
    files: (archive) => {
      archive.file("/etc/issue", new TextEncoder().encode("other\n"));
      archive.file("/root/large", large);
    },
  });
  assert.equal(await guest.sh("cat /etc/issue; wc -c </root/large"), `other\n${large.length}\n`);
  const free = "awk '/MemFree/ { print $2 }' /proc/meminfo";
  const before = Number(await guest.sh(free));
  await guest.sh("rm /root/large");
  // The archive has been given back as well as the file.
  const after = Number(await guest.sh(free));
  assert.ok(after - before > 19 << 10 && after > 50 << 10, `${before} ${after}`);
});

test("the kernel's threads go on", async () => {
  const guest = await goOn();
  // kdevtmpfs makes nodes, workers write back, kswapd looks for memory.
  await guest.sh(
    "dd if=/dev/zero of=/tmp/disk bs=1M count=8 2>/dev/null; mke2fs -F /tmp/disk >/dev/null 2>&1",
  );
  await guest.sh("mkdir /tmp/mnt && mount -o loop /tmp/disk /tmp/mnt && echo text >/tmp/mnt/file");
  await guest.sh("sync && umount /tmp/mnt && mount -o loop /tmp/disk /tmp/mnt");
  assert.equal(await guest.sh("cat /tmp/mnt/file"), "text\n");
  const full = await guest.run({ argv: ["sh", "-c", "cat /dev/zero >/tmp/full"] });
  assert.match(full.stderr, /No space left|out of memory/i);
  assert.equal(
    await guest.sh("rm /tmp/full; for i in $(seq 100); do true & done; wait; echo ok"),
    "ok\n",
  );
  await guest.off();
});
