// fanga ls, ps and show: what is told of kernels, tasks and objects of real processes, and that looking disturbs nobody.

import assert from "node:assert/strict";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { test } from "node:test";
import { limitDefaults } from "../src/abi/limits.ts";
import { type InspectedTask, IpcError } from "../src/index.ts";
import { geometryOf, header, LAYOUT_VERSION, tableBytes } from "../src/memory/layout.ts";
import { beginningOf, beginningOfWait } from "../src/sync/node-pool.ts";
import { bytes } from "./expectations.ts";
import {
  fanga,
  fangaHere,
  fangaOk,
  kernelName,
  killHard,
  lookAt,
  openKernel,
  startProgram,
  startTask,
  until,
} from "./fanga.ts";
import { Random } from "./random.ts";

const taskOf = (name: string, osPid: number | undefined): InspectedTask | undefined =>
  lookAt(name).tasks.find((task) => task.osPid === osPid);

/** The cells of the line of a table that has all of some words. */
function lineWith(text: string, ...words: readonly string[]): string {
  const found = text.split("\n").find((line) => words.every((word) => line.split(/\s{2,}/).includes(word)));
  assert.ok(found, `no line has ${words.join(", ")}:\n${text}`);
  return found;
}

test("fanga ls tells of every kernel and object: kind, name, key, owner, mode, fill, waiters", async () => {
  const { kernel, name } = openKernel();
  const queue = kernel.queue({ name: "jobs", create: true, depth: 4, mode: 0o640 });
  for (const text of ["one", "two", "three"]) queue.trySend(bytes(text));
  kernel.queue({ key: 0x4d2, create: true });
  kernel.sharedMemory({ name: "frames", create: true, bytes: 3 * 2 ** 20 });
  kernel.mkfifo("log");
  const { writer } = kernel.pipe();
  writer.tryWrite(bytes("hello"));
  kernel.semaphore({ name: "places", create: true, value: 3 });
  assert.ok(kernel.sys.semget(77, 2, 0o1600) >= 0);
  kernel.mutex({ name: "accounts", create: true }).tryLock();
  kernel.rwlock({ name: "table", create: true }).tryReadLock();
  kernel.condition({ name: "changed", create: true });
  kernel.barrier({ name: "start", create: true, parties: 3 });
  const text = await fangaOk(["ls", "--kernel", name]);
  lineWith(text, name, "kernel", "1 task, 11 objects");
  const line = lineWith(text, "queue", "jobs", "3/4 messages");
  assert.match(line, / 640 /);
  lineWith(text, "sysv-queue", "-", "0x000004d2", "0/10 messages");
  lineWith(text, "shm", "frames", "3 MiB");
  lineWith(text, "fifo", "log", "0/4096 B");
  lineWith(text, "pipe", "-", "5/4096 B");
  lineWith(text, "semaphore", "places", "value 3");
  lineWith(text, "semaphore-set", "0x0000004d", "values 0 0");
  lineWith(text, "mutex", "accounts", `held by ${kernel.pid}`);
  lineWith(text, "rwlock", "table", `read by ${kernel.pid}`);
  lineWith(text, "condition", "changed");
  lineWith(text, "barrier", "start", "0/3 parties");
  const only = await fangaHere(["ls", "-k", name, "--kind", "fifo", "--kind", "mutex"]);
  assert.equal(only.stdout.split("\n").length, 5, "a heading, the kernel, two objects, and the end");

  const [seen] = JSON.parse(await fangaOk(["ls", "-k", name, "--json"]));
  assert.deepEqual([seen.name, seen.tasks, seen.objects.length], [name, 1, 11]);
  const jobs = seen.objects.find((object: { name: string }) => object.name === "jobs");
  const { kind, mode, waiters, state } = jobs;
  assert.deepEqual({ kind, mode, waiters }, { kind: "queue", mode: 0o640, waiters: 0 });
  assert.deepEqual([state.messages, state.depth, state.sent, state.received], [3, 4, 3, 0]);
});

test("a name that would do something to the terminal does nothing", async () => {
  const { kernel, name } = openKernel();
  kernel.mutex({ name: "a\x1b[2J\nb", create: true });
  const { stdout } = await fangaHere(["ls", "-k", name]);
  assert.ok(stdout.includes("a\\x1b[2J\\x0ab"), stdout);
  assert.ok(!stdout.includes("\x1b"));
});

test("fanga ps tells of each process what it waits for, how, and since when", async () => {
  const name = kernelName();
  const begun = Date.now();
  const first = startTask(name, `kernel.queue({ name: "jobs", create: true }).receiveSync({ type: 5 });`);
  const second = startTask(
    name,
    `setInterval(() => {}, 1000);
     kernel.queue({ name: "results", create: true }).receive();`,
  );
  const third = startTask(name, `kernel.signals.block("SIGUSR2"); kernel.signals.waitSync(["SIGUSR2"]);`);
  const fourth = startTask(
    name,
    `const { reader } = kernel.pipe(); const semaphore = kernel.semaphore({ name: "s", create: true, value: 1 });
     semaphore.waitSync(); kernel.pollSync([{ handle: reader, read: true }]);`,
  );
  await until(name, ({ tasks }) => tasks.length === 4 && tasks.every(({ waits }) => waits.length === 1));
  const text = await fangaOk(["ps", "-k", name]);
  lineWith(text, String(first.pid), "waiting", "a message in queue:jobs (type 5)");
  lineWith(text, String(second.pid), "running", "a message in queue:results [promise]");
  lineWith(text, String(third.pid), "waiting", "signal SIGUSR2");
  assert.match(lineWith(text, String(fourth.pid), "waiting"), /bytes in pipe id:\d+ \[polls\]/);
  const [seen] = JSON.parse((await fangaHere(["ps", "-k", name, "--json"])).stdout);
  for (const { osPid, waits, command } of seen.tasks) {
    const since = Date.parse(waits[0].since);
    assert.ok(since >= begun - 100 && since <= Date.now(), `task of process ${osPid} waits since ${waits[0].since}`);
    assert.match(command, /^node --input-type=module/);
  }
});

test("a wait has begun when it has begun: it is no younger after a look around, or a race that it has lost", async () => {
  const { kernel, name } = openKernel();
  const queue = kernel.queue({ name: "jobs", create: true });
  const poller = startTask(name, `kernel.pollSync([{ handle: kernel.queue({ name: "jobs" }), read: true }]);`);
  const sleeper = startTask(
    name,
    `const m = kernel.mutex({ name: "m", create: true }); for (;;) m.lockSync().unlock();`,
  );
  await until(name, ({ tasks }) => tasks.length === 3);
  sleeper.kill("SIGKILL");
  const sinceOf = (): number | undefined => taskOf(name, poller.pid)?.waits[0]?.sinceMs;
  const seen = await until(name, ({ tasks }) =>
    tasks.some(({ osPid, waits }) => osPid === poller.pid && waits.length > 0),
  );
  const since = seen.tasks.find(({ osPid }) => osPid === poller.pid)?.waits[0]?.sinceMs as number;
  assert.ok(since > 0);
  // Through several slices of its sleep, in each of which it enlists anew.
  await until(name, () => {
    const now = sinceOf();
    assert.ok(now === undefined || now === since, "it polls since it has begun to");
    return Date.now() - since > 500;
  });
  queue.trySend(bytes("!"));
});

test("when a wait began is told for years, and not at all where nobody knows", () => {
  const now = Date.parse("2031-05-06T07:08:09Z");
  assert.equal(beginningOf(0), undefined);
  const since = beginningOfWait();
  const told = beginningOf(since) as number;
  assert.ok(Date.now() - told < 10_000);
  assert.equal(beginningOf((now / 100 - 600) | 0, now), now - 60_000);
  assert.equal(beginningOf((now / 100 - 5 * 365 * 86400 * 10) | 0, now), now - 5 * 365 * 86400 * 1000);
  assert.equal(beginningOf((now / 100 + 600) | 0, now), undefined, "the clock was set back");
});

test("fanga ps tells who is stopped, who has died and is not buried", async () => {
  const name = kernelName();
  const killed = startTask(name, "setInterval(() => {}, 1000);");
  const stopped = startTask(name, "setInterval(() => {}, 1000);");
  await until(name, ({ tasks }) => tasks.length === 2);
  stopped.kill("SIGSTOP"); // and so buries nobody
  await killHard(killed);
  await until(name, ({ tasks }) => tasks.some(({ state }) => state === "stopped"));
  const text = await fangaOk(["ps", "-k", name]);
  lineWith(text, String(stopped.pid), "stopped");
  lineWith(text, String(killed.pid), "dead");
  await killHard(stopped);
});

test("fanga ps tells of a zombie, whose parent has not waited for it", async () => {
  const name = kernelName();
  const parent = startProgram("fanga-parent.js", name);
  const seen = await until(name, ({ tasks }) => tasks.some(({ state }) => state === "zombie"));
  const zombie = seen.tasks.find(({ state }) => state === "zombie");
  assert.equal(zombie?.waitStatus, 3 << 8);
  lineWith((await fangaHere(["ps", "-k", name])).stdout, "zombie");
  await killHard(parent);
  await until(name, ({ tasks }) => tasks.every(({ state }) => state === "dead"));
});

test("fanga ps --deadlocks names a deadlock of two processes: who waits, for what, and who holds it", async () => {
  const name = kernelName();
  const locks = `const [a, b] = ["a", "b"].map((name) => kernel.mutex({ name, create: true }));
    const step = kernel.barrier({ name: "both-have-one", create: true, parties: 2 });`;
  const one = startTask(name, `${locks} a.lockSync(); step.waitSync(); b.lockSync();`);
  const two = startTask(name, `${locks} b.lockSync(); step.waitSync(); a.lockSync();`);
  const { deadlocks, tasks } = await until(name, (kernel) => kernel.deadlocks.length > 0);
  assert.equal(deadlocks.length, 1);
  const pidOf = (osPid: number | undefined): number => tasks.find((task) => task.osPid === osPid)?.pid as number;
  const text = await fangaOk(["ps", "--deadlocks", "--kernel", name]);
  const [first, second] = [one, two].map((child) => pidOf(child.pid)) as [number, number];
  assert.match(text, new RegExp(`^deadlock of 2 tasks in kernel ${name}:$`, "m"));
  const told = (pid: number, osPid: number | undefined, lock: string, holder: number): RegExp =>
    new RegExp(
      `^  task ${pid} \\(process ${osPid}, node .*\\) has waited [0-9.]+s for mutex:${lock}, held by task ${holder}$`,
      "m",
    );
  assert.match(text, told(first, one.pid, "b", second));
  assert.match(text, told(second, two.pid, "a", first));
  const [seen] = JSON.parse((await fangaHere(["ps", "--deadlocks", "--json", "-k", name])).stdout);
  assert.deepEqual(
    seen.deadlocks[0].map(({ pid, object, heldBy }: Record<string, unknown>) => [pid, object, heldBy]),
    [
      ...(first < second
        ? [
            [first, "mutex:b", second],
            [second, "mutex:a", first],
          ]
        : [
            [second, "mutex:a", first],
            [first, "mutex:b", second],
          ]),
    ],
  );
  await killHard(one);
  await until(name, (kernel) => kernel.deadlocks.length === 0);
  assert.equal(await fangaOk(["ps", "--deadlocks", "-k", name]), "no deadlocks\n");
});

test("fanga show tells all of an object: state, who holds it, who waits in order of arrival, who has it open", async () => {
  const { kernel, name } = openKernel();
  kernel.mutex({ name: "accounts", create: true, type: "recursive" }).tryLock();
  const lock = `kernel.mutex({ name: "accounts" }).lockSync();`;
  const one = startTask(name, lock);
  await until(name, ({ objects }) => objects[0]?.waits.length === 1);
  const two = startTask(name, lock);
  await until(name, ({ objects }) => objects[0]?.waits.length === 2);
  const text = await fangaOk(["show", "-k", name, "accounts"]);
  assert.match(text, /^kind +mutex$/m);
  assert.match(text, /^type +recursive$/m);
  assert.match(text, new RegExp(`^state +held by ${kernel.pid}$`, "m"));
  const [, held, waiters, open] =
    /\nheld by\n([\s\S]*)\nwaiters, in order of arrival\n([\s\S]*)\nopen in\n([\s\S]*)$/.exec(text) ?? [];
  assert.match(held as string, new RegExp(`^ +${kernel.pid} +${process.pid} `, "m"));
  const arrived = (waiters as string).split("\n").map((line) => line.trim().split(/\s+/)[1]);
  assert.deepEqual(arrived.slice(1, 3), [String(one.pid), String(two.pid)]);
  assert.equal((open as string).match(/read-write/g)?.length, 3);
  const seen = JSON.parse((await fangaHere(["show", "-k", name, "mutex:accounts", "--json"])).stdout);
  assert.deepEqual([seen.kernel, seen.kind, seen.holders], [name, "mutex", [kernel.pid]]);
  assert.equal(seen.waits.length, 2);
});

test("every kind of object can be shown", async () => {
  const { kernel, name } = openKernel();
  kernel.queue({ key: 5, create: true }).trySend(bytes("x"));
  kernel.sharedMemory({ name: "shm", create: true, bytes: 10 });
  kernel.mkfifo("fifo");
  kernel.pipe();
  kernel.semaphore({ name: "semaphore", create: true, value: 1 });
  assert.ok(kernel.sys.semget(6, 2, 0o1600) >= 0);
  kernel.rwlock({ name: "rwlock", create: true }).tryWriteLock();
  kernel.condition({ name: "condition", create: true });
  kernel.barrier({ name: "barrier", create: true, parties: 2 });
  kernel.queue({ name: "queue", create: true });
  kernel.mutex({ name: "mutex", create: true });
  kernel.signals.open(["SIGUSR1"]);
  const shown: RegExp[] = [
    /sent +1, last \d{4}-/,
    /bytes +10 \(10 B\)/,
    /ends +0 to read/,
    /signals +SIGUSR1/,
    /values +0 0/,
  ];
  let all = "";
  for (const { id } of lookAt(name).objects) {
    const { stdout, status } = await fangaHere(["show", "-k", name, `id:${id}`]);
    assert.equal(status, 0);
    all += stdout;
  }
  for (const kind of [
    "sysv-queue",
    "shm",
    "fifo",
    "pipe",
    "semaphore",
    "semaphore-set",
    "rwlock",
    "condition",
    "signals",
  ]) {
    assert.match(all, new RegExp(`^kind +${kind}$`, "m"));
  }
  for (const pattern of shown) assert.match(all, pattern);
});

const tablesOf = (name: string): Buffer => {
  const file = openSync(`/dev/shm/fangaos.${name}`, "r");
  const copy = Buffer.alloc(tableBytes(geometryOf(limitDefaults)) + 65536);
  readSync(file, copy, 0, copy.length, 0);
  closeSync(file);
  return copy;
};

test("looking writes nothing, makes no task and takes no lock, and tells also of a kernel that hangs", async () => {
  const name = kernelName();
  const task = startTask(name, `kernel.queue({ name: "jobs", create: true }).receiveSync();`);
  await until(name, ({ tasks }) => tasks.some(({ state }) => state === "waiting"));
  task.kill("SIGSTOP");
  await until(name, ({ tasks }) => tasks.some(({ state }) => state === "stopped"));
  const before = tablesOf(name);
  // As if its task had been stopped while it held the lock of the kernel's tables: who attached would wait for it.
  const pid = lookAt(name).tasks[0]?.pid as number;
  writeWord(name, header.KERNEL_LOCK, pid);
  for (const words of [["ls"], ["ps"], ["ps", "--deadlocks"], ["show", "queue:jobs"], ["top", "-n", "1"]]) {
    const { status } = await fangaHere([...words, "--kernel", name]);
    assert.equal(status, 0, words.join(" "));
  }
  assert.match(await fangaOk(["ls", "--kernel", name, "--json"]), new RegExp(`"lockedBy": ${pid}`));
  writeWord(name, header.KERNEL_LOCK, 0);
  assert.ok(tablesOf(name).equals(before), "not a byte of the tables has changed");
});

function writeWord(name: string, word: number, value: number): void {
  const file = openSync(`/dev/shm/fangaos.${name}`, "r+");
  writeSync(file, new Int32Array([value]), 0, 4, 4 * word);
  closeSync(file);
}

test("a kernel of another version, or whose file is damaged, is a line on standard error; the others are told of", async () => {
  const { name } = openKernel();
  const { name: foreign } = openKernel();
  writeWord(foreign, header.VERSION, 99);
  const { status, stdout, stderr } = await fanga(["ls"]);
  assert.equal(status, 1);
  lineWith(stdout, name, "kernel");
  assert.match(stderr, new RegExp(`^fanga: EOPNOTSUPP: .*kernel "${foreign}": its layout is version 99`, "m"));
  writeWord(foreign, header.VERSION, LAYOUT_VERSION);
  writeWord(foreign, header.TASKS_MAX, -1);
  for (const command of ["ls", "ps"]) {
    const damaged = await fangaHere([command, "-k", foreign]);
    assert.equal(damaged.status, 1);
    assert.match(damaged.stderr, /^fanga: EIO: .* its header is damaged: [^\n]+\n$/);
  }
});

test("whatever is written into a region, looking at it ends, with what is there or an error", () => {
  const seed = Math.trunc(Math.random() * 2 ** 31);
  const random = new Random(seed);
  const { kernel, name } = openKernel();
  for (let i = 0; i < 8; i++) kernel.queue({ name: `queue-${i}`, create: true }).trySend(bytes("x"));
  kernel.rwlock({ name: "lock", create: true }).tryReadLock();
  kernel.semaphore({ name: "semaphore", create: true });
  assert.ok(kernel.sys.semget(6, 2, 0o1600) >= 0);
  const words = (tableBytes(geometryOf(limitDefaults)) + 16384) / 4;
  const copy = new Int32Array(tablesOf(name).buffer.slice(0, 4 * words));
  for (let round = 0; round < 150; round++) {
    const damaged: number[] = [];
    for (let i = 0; i < 40; i++) {
      const word = random.below(words);
      damaged.push(word);
      writeWord(name, word, random.below(2 ** 32) | 0);
    }
    try {
      lookAt(name);
    } catch (error) {
      assert.ok(error instanceof IpcError, `seed ${seed}, round ${round}: ${(error as Error).stack}`);
    }
    for (const word of damaged) writeWord(name, word, copy[word] as number);
  }
});
