// The mission's system calls by their numbers, and each of its error codes by a call that gives it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrnoName, errnos } from "../src/abi/errno.ts";
import { IPC_CREAT, IPC_NOWAIT, IPC_PRIVATE, IPC_RMID } from "../src/abi/flags.ts";
import type { Kernel } from "../src/index.ts";
import { text } from "./expectations.ts";
import { overWorlds, untilAsleep } from "./worlds.ts";

const SYS_PIPE = 22;
const SYS_SHMGET = 29;
const SYS_SHMAT = 30;
const SYS_SHMCTL = 31;
const SYS_SHMDT = 67;
const SYS_MSGGET = 68;
const SYS_MSGSND = 69;
const SYS_MSGRCV = 70;

const KEY = 77;
const BAD = 2 ** 30;
/** Where in memory a message lies: its type, 8 bytes, then its text (msgop(2)). */
const MESSAGE = 64;

function placeMessage(kernel: Kernel, type: number, words: string): number {
  new DataView(kernel.memory.buffer).setBigInt64(MESSAGE, BigInt(type), true);
  return new TextEncoder().encodeInto(words, kernel.memory.subarray(MESSAGE + 8)).written;
}

const messageText = (kernel: Kernel, length: number): string =>
  text(kernel.memory.subarray(MESSAGE + 8, MESSAGE + 8 + length));

overWorlds((world) => {
  test("SYS_MSGGET (68), SYS_MSGSND (69) and SYS_MSGRCV (70) make a queue, send and receive", () => {
    const kernel = world.createKernel();
    const id = kernel.syscall(SYS_MSGGET, KEY, IPC_CREAT | 0o600);
    assert.ok(id >= 0);
    assert.equal(kernel.syscall(SYS_MSGGET, KEY, 0), id);
    const length = placeMessage(kernel, 5, "through a queue");
    assert.equal(kernel.syscall(SYS_MSGSND, id, MESSAGE, length, 0), 0);
    kernel.memory.fill(0);
    assert.equal(kernel.syscall(SYS_MSGRCV, id, MESSAGE, 256, 5, 0), length);
    assert.equal(messageText(kernel, length), "through a queue");
    assert.equal(kernel.sys.msgctl(id, IPC_RMID, 0), 0);
  });

  test("SYS_MSGRCV (70) sleeps until another task sends", async () => {
    const kernel = world.createKernel();
    const id = kernel.sys.msgget(KEY, IPC_CREAT | 0o600);
    const receiver = await world.startTask(kernel, "runCalls", {
      calls: [{ name: "msgrcv", args: [id, MESSAGE, 256, 0, 0] }],
    });
    await untilAsleep(kernel, receiver.pid);
    const length = placeMessage(kernel, 1, "wake up");
    assert.equal(kernel.sys.msgsnd(id, MESSAGE, length, 0), 0);
    assert.equal(await receiver.report(), length);
  });

  test("SYS_PIPE (22) returns two file descriptors: pipefd[0] to read, pipefd[1] to write", () => {
    const kernel = world.createKernel();
    assert.equal(kernel.syscall(SYS_PIPE, 16), 0);
    const [readEnd, writeEnd] = new Int32Array(kernel.memory.buffer, 16, 2);
    const length = placeMessage(kernel, 1, "through a pipe");
    assert.equal(kernel.sys.write(writeEnd as number, MESSAGE + 8, length), length);
    assert.equal(kernel.sys.write(readEnd as number, MESSAGE + 8, length), -errnos.EBADF.number);
    kernel.memory.fill(0);
    assert.equal(kernel.sys.read(readEnd as number, MESSAGE + 8, 256), length);
    assert.equal(messageText(kernel, length), "through a pipe");
  });

  test("SYS_SHMGET (29), SYS_SHMAT (30), SYS_SHMDT (67) and SYS_SHMCTL (31) take a segment through its life", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const id = kernel.syscall(SYS_SHMGET, KEY, 4096, IPC_CREAT | 0o600);
    assert.equal(kernel.syscall(SYS_SHMGET, KEY, 0, 0), id);
    const address = kernel.syscall(SYS_SHMAT, id, 0, 0);
    const again = kernel.syscall(SYS_SHMAT, id, 0, 0);
    assert.ok(address > 0 && again > 0 && address !== again);
    const here = kernel.memoryAt(address, 4096);
    assert.ok(here);
    here[4095] = 42;
    assert.equal(kernel.memoryAt(again + 4095, 1)?.[0], 42);
    assert.equal(kernel.memoryAt(address, 4097), undefined);
    assert.equal(kernel.syscall(SYS_SHMDT, address), 0);
    assert.equal(kernel.memoryAt(address, 1), undefined);
    assert.equal(kernel.syscall(SYS_SHMCTL, id, IPC_RMID, 0), 0);
    assert.equal(kernel.syscall(SYS_SHMGET, KEY, 0, 0), -errnos.ENOENT.number, "the key is free");
    assert.equal(kernel.usage().objects, before.objects + 1, "one attachment is left");
    assert.equal(kernel.syscall(SYS_SHMDT, again), 0);
    assert.deepEqual(kernel.usage(), before);
  });

  test("each of the mission's error codes is what a call gives", async (t) => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const queue = sys.msgget(IPC_PRIVATE, 0o600);
    const length = placeMessage(kernel, 0, "without a type");
    const given = {
      EINVAL: sys.msgsnd(queue, MESSAGE, length, 0),
      EBADF: sys.read(99, MESSAGE, 1),
      ENOMEM: sys.shmget(IPC_PRIVATE, 2 ** 31, 0o600),
      ENOSYS: kernel.syscall(100_000),
      EFAULT: sys.pipe(BAD),
      ESRCH: sys.kill(9999, 15),
    };
    for (const [name, result] of Object.entries(given)) assert.equal(result, -errnos[name as ErrnoName].number, name);
    if (sys.geteuid() !== 0) return t.diagnostic("EACCES and EPERM: only user 0 becomes another");
    const calls = [
      [{ name: "setresuid", args: [1000, 1000, 1000] }, 0],
      [{ name: "msgrcv", args: [queue, MESSAGE, 256, 0, IPC_NOWAIT] }, -errnos.EACCES.number],
      [{ name: "msgctl", args: [queue, IPC_RMID, 0] }, -errnos.EPERM.number],
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls: calls.map(([call]) => call) });
    for (const [call, expected] of calls) assert.equal(await task.report(), expected, JSON.stringify(call));
  });

  test("a pointer is checked whole before a call does anything", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const before = kernel.usage();
    const end = kernel.memory.length;
    assert.equal(sys.pipe(end - 4), -errnos.EFAULT.number);
    assert.deepEqual(kernel.usage(), before, "no pipe was made");
    const queue = sys.msgget(IPC_PRIVATE, 0o600);
    const length = placeMessage(kernel, 1, "stays");
    kernel.memory.copyWithin(end - 9, MESSAGE, MESSAGE + 9);
    assert.equal(sys.msgsnd(queue, end - 9, length, 0), -errnos.EFAULT.number);
    assert.equal(sys.msgrcv(queue, MESSAGE, 256, 0, IPC_NOWAIT), -errnos.ENOMSG.number, "nothing was sent");
    assert.equal(sys.msgsnd(queue, MESSAGE, length, 0), 0);
    assert.equal(sys.msgrcv(queue, end - 9, 256, 0, 0), -errnos.EFAULT.number);
    assert.equal(sys.msgrcv(queue, MESSAGE, 256, 0, IPC_NOWAIT), length, "the message is still there");
  });

  test("the system call interface never throws, whatever the arguments", () => {
    const kernel = world.createKernel();
    for (const number of [SYS_SHMAT, SYS_SHMCTL, SYS_SHMDT, SYS_MSGSND, SYS_PIPE]) {
      for (const value of [-1, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, 2n ** 64n - 1n]) {
        const result = kernel.syscall(number, value, value, value, value, value);
        assert.ok(Number.isInteger(result) && result < 0, `${number}(${value}) = ${result}`);
      }
    }
  });
});
