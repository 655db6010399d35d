// Signals that are read: signalfd(2), and kernel.signals.open.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EOPNOTSUPP } from "../src/abi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLIN } from "../src/abi/flags.ts";
import { type Kernel, SignalReader } from "../src/index.ts";
import { ipcError, typeError } from "./expectations.ts";
import { bounded, overWorlds } from "./worlds.ts";

const [SIGHUP, SIGUSR1, SIGUSR2, REAL_TIME] = [1, 10, 12, 40] as const;
const SET = 1024;
const FILE = 2048;
const POLLED = 4096;
const INFO_BYTES = 128;
const BAD = 2 ** 30;
const [F_GETFL, F_GETFD] = [3, 1];

const bit = (...numbers: number[]): bigint => numbers.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n);
const view = (kernel: Kernel): DataView => new DataView(kernel.memory.buffer);

function placeSet(kernel: Kernel, ...signals: number[]): number {
  view(kernel).setBigUint64(SET, bit(...signals), true);
  return SET;
}

/** Makes a file for signals, and blocks them. */
function openFile(kernel: Kernel, flags: number, ...signals: number[]): number {
  kernel.signals.block(...signals);
  const descriptor = kernel.sys.signalfd4(-1, placeSet(kernel, ...signals), 8, flags);
  assert.ok(descriptor >= 0, `${descriptor}`);
  return descriptor;
}

/** The signal, code, sender and value of what was read, by its place. */
function infoAt(kernel: Kernel, index: number): (number | bigint)[] {
  const at = FILE + INFO_BYTES * index;
  const numbers = [0, 8, 12, 16].map((part) => view(kernel).getInt32(at + part, true));
  return [...numbers, view(kernel).getBigUint64(at + 48, true)];
}

overWorlds((world) => {
  test("a read gives as many pending signals of the set as there is room for, lowest first, and EAGAIN when there is none", () => {
    const kernel = world.createKernel();
    const { sys, pid } = kernel;
    const uid = sys.getuid();
    const file = openFile(kernel, O_NONBLOCK, SIGHUP, SIGUSR1, REAL_TIME);
    assert.equal(sys.read(file, FILE, INFO_BYTES), EAGAIN);
    kernel.signals.block(SIGUSR2);
    kernel.kill(pid, REAL_TIME, 7);
    kernel.kill(pid, REAL_TIME, 8);
    for (const signal of [SIGUSR1, SIGUSR2, SIGHUP]) kernel.kill(pid, signal);
    assert.equal(sys.read(file, FILE, 3 * INFO_BYTES + 5), 3 * INFO_BYTES);
    assert.deepEqual(
      [0, 1, 2].map((i) => infoAt(kernel, i)),
      [
        [SIGHUP, 0, pid, uid, 0n],
        [SIGUSR1, 0, pid, uid, 0n],
        [REAL_TIME, -1, pid, uid, 7n],
      ],
    );
    assert.equal(sys.read(file, FILE, 4 * INFO_BYTES), INFO_BYTES);
    assert.equal(infoAt(kernel, 0).at(-1), 8n);
    assert.deepEqual(kernel.signals.pending, ["SIGUSR2"], "it is not of the set");
    kernel.signals.clear("SIGUSR2");
  });

  test("a buffer that no structure fits into is EINVAL, a bad one EFAULT with the signal still pending", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const file = openFile(kernel, O_NONBLOCK, SIGUSR1);
    for (const bytes of [0, INFO_BYTES - 1]) assert.equal(sys.read(file, FILE, bytes), EINVAL);
    assert.equal(sys.read(file, BAD, INFO_BYTES), EAGAIN);
    kernel.kill(kernel.pid, SIGUSR1);
    assert.equal(sys.read(file, BAD, INFO_BYTES), EFAULT);
    assert.deepEqual(kernel.signals.pending, ["SIGUSR1"]);
    assert.equal(sys.write(file, FILE, INFO_BYTES), EINVAL);
    assert.equal(sys.fchmod(file, 0o600), EOPNOTSUPP);
    kernel.signals.clear("SIGUSR1");
  });

  test("signalfd gives an existing file other signals, and refuses what is none", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const file = openFile(kernel, O_NONBLOCK, SIGUSR1);
    kernel.signals.block(SIGUSR2);
    kernel.kill(kernel.pid, SIGUSR2);
    assert.equal(sys.signalfd(file, placeSet(kernel, SIGUSR2, 9), 8), file);
    assert.equal(sys.read(file, FILE, INFO_BYTES), INFO_BYTES);
    const { reader } = kernel.pipe();
    assert.equal(sys.signalfd(reader.descriptor, SET, 8), EINVAL);
    assert.equal(sys.signalfd(500, SET, 8), EBADF);
    assert.equal(sys.signalfd(-1, SET, 4), EINVAL);
    assert.equal(sys.signalfd(-1, BAD, 8), EFAULT);
    assert.equal(sys.signalfd4(-1, SET, 8, 1), EINVAL);
  });

  test("its flags are those of other files, a duplicate reads the same, and with the last its memory is free", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const before = kernel.usage();
    const file = openFile(kernel, O_NONBLOCK | O_CLOEXEC, SIGUSR1);
    assert.equal(sys.fcntl(file, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    assert.equal(sys.fcntl(file, F_GETFD, 0), 1);
    const other = sys.dup(file);
    assert.equal(sys.signalfd(other, placeSet(kernel, REAL_TIME), 8), other);
    sys.close(other);
    kernel.signals.block(REAL_TIME);
    kernel.kill(kernel.pid, REAL_TIME);
    assert.equal(sys.read(file, FILE, INFO_BYTES), INFO_BYTES);
    sys.close(file);
    assert.deepEqual(kernel.usage(), before);
  });

  test("poll finds it readable while a signal of its set is pending, and says POLLIN alone", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const file = openFile(kernel, 0, SIGUSR1);
    view(kernel).setInt32(POLLED, file, true);
    view(kernel).setUint16(POLLED + 4, 0xffff, true);
    assert.equal(sys.poll(POLLED, 1, 0), 0);
    kernel.kill(kernel.pid, SIGUSR1);
    assert.equal(sys.poll(POLLED, 1, -1), 1);
    assert.equal(view(kernel).getUint16(POLLED + 6, true), POLLIN);
    assert.equal(sys.read(file, FILE, INFO_BYTES), INFO_BYTES);
    assert.equal(sys.poll(POLLED, 1, 0), 0);
  });

  for (const form of ["sync", "awaited", "iterated", "polled", "awaited poll"] as const) {
    test(`a task reads signals that another sends, with their values (${form})`, async () => {
      const kernel = world.createKernel();
      const args = { signals: ["SIGUSR1", REAL_TIME] as const, form, count: 4 };
      const task = await world.startTask(kernel, "readSignals", args);
      assert.equal(await task.report(), "ready");
      for (const value of [7, 8, 9]) {
        kernel.kill(task.pid, REAL_TIME, value);
        assert.equal(await task.report(), `SIGRTMIN+8:${value}`);
      }
      kernel.kill(task.pid, "SIGUSR1");
      assert.equal(await task.report(), "SIGUSR1:0");
    });
  }

  test("what is read is the reading task's own, also through a descriptor that it inherited", async () => {
    const kernel = world.createKernel();
    const file = openFile(kernel, O_NONBLOCK, SIGUSR1);
    kernel.kill(kernel.pid, SIGUSR1);
    const args = { parentPid: kernel.pid, descriptor: file };
    const task = await world.startTask(kernel, "readInherited", args);
    assert.equal(await task.result(), EAGAIN);
    assert.equal(kernel.sys.read(file, FILE, INFO_BYTES), INFO_BYTES);
  });

  test("a reader has its verbs, its signals and its end", async () => {
    const kernel = world.createKernel();
    const reader = kernel.signals.open(["SIGUSR1", "SIGKILL"]);
    assert.deepEqual([reader.signals, kernel.signals.blocked], [["SIGUSR1"], ["SIGUSR1"]]);
    assert.equal(reader.tryReceive(), undefined);
    assert.throws(() => reader.receiveSync({ timeout: 1 }), ipcError("ETIMEDOUT", "read"));
    await assert.rejects(reader.receive({ timeout: 1 }), ipcError("ETIMEDOUT", "read"));
    reader.change(["SIGUSR2"]);
    kernel.signals.block("SIGUSR2");
    kernel.kill(kernel.pid, "SIGUSR2");
    assert.equal((await reader.receive(bounded)).name, "SIGUSR2");
    const waits = [reader.receive(), reader.receive()];
    const iterated = (async () => {
      for await (const _ of reader) assert.fail("no signal came");
    })();
    await Promise.resolve();
    reader.close();
    for (const wait of waits) await assert.rejects(wait, ipcError("EBADF", "read"));
    await iterated;
    assert.throws(() => reader.tryReceive(), typeError("read"));
  });

  test("a descriptor that a system call made is a reader, and poll takes both", async () => {
    const kernel = world.createKernel();
    const descriptor = openFile(kernel, 0, SIGUSR1);
    const reader = kernel.fromDescriptor(descriptor);
    assert.ok(reader instanceof SignalReader);
    assert.deepEqual(kernel.pollSync([{ handle: reader }], { timeout: 0 }), []);
    const waiting = kernel.poll([{ handle: reader }, { handle: kernel.pipe().reader }], bounded);
    await new Promise((resolve) => setImmediate(resolve));
    kernel.kill(kernel.pid, SIGUSR1);
    assert.deepEqual(
      (await waiting).map(({ item, readable }) => [item.handle, readable]),
      [[reader, true]],
    );
    assert.equal(kernel.pollSync([{ handle: descriptor }]).length, 1);
    reader.close();
  });

  test("a reader that sleeps goes on after a handler that wants it to", () => {
    const kernel = world.createKernel();
    using reader = kernel.signals.open(["SIGUSR1"]);
    kernel.signals.on("SIGALRM", () => kernel.kill(kernel.pid, "SIGUSR1"));
    kernel.sys.alarm(1);
    assert.equal(reader.receiveSync(bounded).name, "SIGUSR1");
  });

  test("a read of signals is EINTR where a handler wants no restart", () => {
    const kernel = world.createKernel();
    using reader = kernel.signals.open(["SIGUSR1"]);
    kernel.signals.on("SIGALRM", () => kernel.kill(kernel.pid, "SIGUSR1"), { restart: false });
    kernel.sys.alarm(1);
    assert.equal(kernel.sys.read(reader.descriptor, FILE, INFO_BYTES), EINTR);
    assert.deepEqual(kernel.signals.pending, ["SIGUSR1"]);
    kernel.signals.clear("SIGUSR1");
  });
});
