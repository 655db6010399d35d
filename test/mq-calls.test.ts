// POSIX message queues by their calls: what Linux does, in the order in which Linux finds what is wrong. Random calls beside
// Linux itself are in the differential test.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EFAULT,
  EINTR,
  EINVAL,
  EMFILE,
  EMSGSIZE,
  ENAMETOOLONG,
  ENOENT,
  EPERM,
  ETIMEDOUT,
} from "../src/abi/errno.ts";
import {
  F_GETFD,
  F_GETFL,
  FD_CLOEXEC,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  SIGEV_NONE,
  SIGEV_SIGNAL,
  SIGEV_THREAD,
} from "../src/abi/flags.ts";
import type { Kernel } from "../src/index.ts";
import { bytes, text } from "./expectations.ts";
import { placeText } from "./place-text.ts";
import { overWorlds, untilAsleep } from "./worlds.ts";

const NAME = 64;
const ATTRIBUTES = 8192;
const TIME = 8320;
const EVENT = 8448;
const PRIORITY = 8576;
const MESSAGE = 16_384;
const BAD = 2 ** 30;
const LONGEST = 256;
const SIGNAL_MAX = 64;

interface Attributes {
  readonly depth?: number;
  readonly longest?: number;
}

function placeLongs(kernel: Kernel, at: number, ...values: number[]): number {
  const view = new DataView(kernel.memory.buffer, at);
  values.forEach((value, i) => {
    view.setBigInt64(8 * i, BigInt(value), true);
  });
  return at;
}

/** mq_open, with attributes where some are given. */
function open(kernel: Kernel, name: string, flags: number, attributes?: Attributes, mode = 0o600): number {
  placeText(kernel, NAME, name);
  const { depth = 10, longest = LONGEST } = attributes ?? {};
  const pointer = attributes ? placeLongs(kernel, ATTRIBUTES, 0, depth, longest) : 0;
  return kernel.sys.mq_open(NAME, flags, mode, pointer);
}

function unlink(kernel: Kernel, name: string): number {
  placeText(kernel, NAME, name);
  return kernel.sys.mq_unlink(NAME);
}

function send(kernel: Kernel, descriptor: number, words: string, priority = 0, time = 0): number {
  const data = bytes(words);
  kernel.memory.set(data, MESSAGE);
  return kernel.sys.mq_timedsend(descriptor, MESSAGE, data.length, priority, time);
}

/** What is received, as "priority:text"; or the error. */
function receive(kernel: Kernel, descriptor: number, time = 0): string | number {
  const length = kernel.sys.mq_timedreceive(descriptor, MESSAGE, LONGEST, PRIORITY, time);
  if (length < 0) return length;
  const priority = new DataView(kernel.memory.buffer).getUint32(PRIORITY, true);
  return `${priority}:${text(kernel.memory.slice(MESSAGE, MESSAGE + length))}`;
}

/** mq_notify of a struct sigevent. */
function notify(kernel: Kernel, descriptor: number, how: number, signal = 0): number {
  const view = new DataView(kernel.memory.buffer, EVENT);
  view.setInt32(8, signal, true);
  view.setInt32(12, how, true);
  return kernel.sys.mq_notify(descriptor, EVENT);
}

overWorlds((world) => {
  test("a name stays in its directory, and has at most 255 bytes", () => {
    const kernel = world.createKernel();
    const wrong: [string, number][] = [
      ["", ENOENT],
      ["nothing", ENOENT],
      ["...", ENOENT],
      [".", EACCES],
      ["..", EACCES],
      ["/x", EACCES],
      ["x/y", EACCES],
      [`x/${"n".repeat(300)}`, EACCES],
      ["n".repeat(255), ENOENT],
      ["n".repeat(256), ENAMETOOLONG],
      ["n".repeat(5000), ENAMETOOLONG],
    ];
    for (const [name, expected] of wrong) {
      assert.equal(open(kernel, name, O_RDWR), expected, `mq_open of ${name.slice(0, 8)}`);
      assert.equal(unlink(kernel, name), expected, `mq_unlink of ${name.slice(0, 8)}`);
    }
    assert.equal(kernel.sys.mq_open(BAD, O_RDWR, 0, 0), EFAULT);
    assert.ok(open(kernel, "n".repeat(255), O_RDWR | O_CREAT) >= 0);
  });

  test("a queue is made with a depth and a longest message within bounds; one that is there does not ask for them", () => {
    const kernel = world.createKernel();
    for (const attributes of [{ depth: 0 }, { depth: -1 }, { longest: 0 }, { longest: -1 }, { longest: LONGEST + 1 }]) {
      assert.equal(open(kernel, "q", O_RDWR | O_CREAT, attributes), EINVAL, JSON.stringify(attributes));
      assert.equal(open(kernel, "q", O_RDWR, attributes), ENOENT);
    }
    placeText(kernel, NAME, "q");
    assert.equal(kernel.sys.mq_open(NAME, O_RDWR | O_CREAT, 0o600, BAD), EFAULT);
    assert.ok(open(kernel, "q", O_RDWR | O_CREAT) >= 0);
    assert.ok(open(kernel, "q", O_RDWR | O_CREAT, { depth: 0 }) >= 0);
    assert.equal(open(kernel, "q", O_RDWR | O_CREAT | O_EXCL, { depth: 0 }), EEXIST);
    assert.equal(open(kernel, "q", O_ACCMODE), EINVAL);
    assert.equal(open(kernel, "q", O_ACCMODE | O_CREAT | O_EXCL), EEXIST);
  });

  test("a queue may be made open for neither direction", () => {
    const kernel = world.createKernel();
    const neither = open(kernel, "q", O_ACCMODE | O_CREAT | O_NONBLOCK);
    assert.ok(neither >= 0);
    assert.equal(send(kernel, neither, "x"), EBADF);
    assert.equal(receive(kernel, neither), EBADF);
    assert.equal(kernel.sys.mq_getsetattr(neither, 0, ATTRIBUTES), 0);
    assert.equal(kernel.sys.fcntl(neither, F_GETFL, 0), O_ACCMODE | O_NONBLOCK);
  });

  test("without a free descriptor mq_open is EMFILE before it looks for the queue, and makes none", () => {
    const kernel = world.createKernel({ descriptorsMax: 16 });
    while (kernel.sys.dup(0) >= 0);
    assert.equal(open(kernel, "", O_RDWR), ENOENT, "an empty name is none");
    assert.equal(open(kernel, "n".repeat(5000), O_RDWR), ENAMETOOLONG, "longer than any path");
    for (const name of ["x/y", "nothing", "n".repeat(256)]) assert.equal(open(kernel, name, O_RDWR), EMFILE, name);
    assert.equal(open(kernel, "q", O_RDWR | O_CREAT, { depth: 0 }), EMFILE);
    assert.equal(open(kernel, "q", O_RDWR | O_CREAT), EMFILE);
    assert.equal(kernel.usage().objects, 0);
  });

  test("what is wrong is found in Linux's order: the time, the priority, the descriptor, the length, the buffer", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const queue = open(kernel, "q", O_RDWR | O_CREAT, { depth: 1, longest: 64 });
    const none = 99;
    const noTime = placeLongs(kernel, TIME, 0, 1_000_000_000);
    assert.equal(sys.mq_timedsend(none, BAD, 65, 32_768, BAD), EFAULT);
    assert.equal(sys.mq_timedsend(none, BAD, 65, 0, noTime), EINVAL);
    assert.equal(sys.mq_timedsend(none, BAD, 65, 32_768, 0), EINVAL);
    assert.equal(sys.mq_timedsend(none, BAD, 65, 32_767, 0), EBADF);
    assert.equal(sys.mq_timedsend(queue, BAD, 65, 32_767, 0), EMSGSIZE);
    assert.equal(sys.mq_timedsend(queue, BAD, 64, 32_767, 0), EFAULT);
    assert.equal(sys.mq_timedsend(queue, BAD, 0, 32_767, 0), 0, "no byte is read");
    assert.equal(sys.mq_timedreceive(none, BAD, 63, BAD, noTime), EINVAL);
    assert.equal(sys.mq_timedreceive(none, BAD, 63, BAD, 0), EBADF);
    assert.equal(sys.mq_timedreceive(queue, BAD, 63, BAD, 0), EMSGSIZE);
    assert.equal(sys.mq_timedreceive(queue, BAD, 64, 0, 0), EFAULT);
    assert.equal(receive(kernel, queue), "32767:", "it is still there");
  });

  test("a descriptor sends or receives as it was opened, and one of no queue does neither", () => {
    const kernel = world.createKernel();
    const writer = open(kernel, "q", O_WRONLY | O_CREAT);
    const reader = open(kernel, "q", O_RDONLY);
    assert.equal(receive(kernel, writer), EBADF);
    assert.equal(send(kernel, reader, "x"), EBADF);
    assert.equal(send(kernel, 0, "x"), EBADF, "a stream of the host's");
    assert.equal(kernel.sys.mq_getsetattr(0, 0, ATTRIBUTES), EBADF);
    assert.equal(send(kernel, writer, "x", 3), 0);
    assert.equal(receive(kernel, reader), "3:x");
  });

  test("a message of a higher priority is received first, and of one priority the one that was sent first", () => {
    const kernel = world.createKernel();
    const queue = open(kernel, "q", O_RDWR | O_CREAT);
    for (const [words, priority] of [
      ["a", 1],
      ["b", 32_767],
      ["c", 1],
      ["d", 0],
    ] as const) {
      assert.equal(send(kernel, queue, words, priority), 0);
    }
    assert.deepEqual(
      [1, 2, 3, 4].map(() => receive(kernel, queue)),
      ["32767:b", "1:a", "1:c", "0:d"],
    );
  });

  test("a wait ends at its time on the clock, and O_NONBLOCK does not begin one", () => {
    const kernel = world.createKernel();
    const queue = open(kernel, "q", O_RDWR | O_CREAT, { depth: 1 });
    const past = placeLongs(kernel, TIME, 1000, 0);
    assert.equal(receive(kernel, queue, past), ETIMEDOUT);
    const begun = Date.now();
    const end = begun + 60;
    const soon = placeLongs(kernel, TIME, Math.floor(end / 1000), (end % 1000) * 1e6);
    assert.equal(receive(kernel, queue, soon), ETIMEDOUT);
    assert.ok(Date.now() >= end);
    assert.equal(
      send(kernel, queue, "x", 0, placeLongs(kernel, TIME, 1000, 0)),
      0,
      "there is room: no time is looked at",
    );
    assert.equal(send(kernel, queue, "y", 0, TIME), ETIMEDOUT);
    const nonBlocking = open(kernel, "q", O_RDWR | O_NONBLOCK);
    assert.equal(send(kernel, nonBlocking, "y", 0, TIME), EAGAIN);
    assert.equal(receive(kernel, nonBlocking), "0:x");
    assert.equal(receive(kernel, nonBlocking, TIME), EAGAIN);
  });

  test("mq_timedreceive sleeps until another task sends, mq_timedsend until another receives", async () => {
    const kernel = world.createKernel();
    const queue = open(kernel, "q", O_RDWR | O_CREAT, { depth: 1 });
    const calls = [
      { name: "mq_open", args: ["q", O_RDWR, 0, 0] },
      { name: "mq_timedreceive", args: [queue, MESSAGE, LONGEST, PRIORITY, 0] },
      { name: "mq_timedsend", args: [queue, MESSAGE, 5, 0, 0] },
      { name: "mq_timedsend", args: [queue, MESSAGE, 4, 0, 0] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    assert.equal(await task.report(), queue, "the first free one there too");
    await untilAsleep(kernel, task.pid);
    assert.equal(send(kernel, queue, "hello"), 0);
    assert.equal(await task.report(), 5);
    assert.equal(await task.report(), 0);
    await untilAsleep(kernel, task.pid);
    assert.equal(receive(kernel, queue), "0:hello");
    assert.equal(await task.report(), 0);
    assert.equal(receive(kernel, queue), "0:hell");
  });

  test("a task that is interrupted while it sleeps gets EINTR", async () => {
    const kernel = world.createKernel();
    const queue = open(kernel, "q", O_RDWR | O_CREAT);
    const calls = [
      { name: "mq_open", args: ["q", O_RDWR, 0, 0] },
      { name: "mq_timedreceive", args: [queue, MESSAGE, LONGEST, 0, 0] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    await task.report();
    await untilAsleep(kernel, task.pid);
    assert.equal(kernel.interrupt(task.pid), true);
    assert.equal(await task.report(), EINTR);
  });

  test("mq_notify takes one registration at a time, of a kind and a signal that there are", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const queue = open(kernel, "q", O_RDWR | O_CREAT);
    assert.equal(sys.mq_notify(99, BAD), EFAULT);
    assert.equal(notify(kernel, 99, SIGEV_SIGNAL, SIGNAL_MAX + 1), EINVAL);
    assert.equal(notify(kernel, 99, SIGEV_NONE), EBADF);
    assert.equal(sys.mq_notify(queue, 0), 0, "nothing to take back");
    for (const [how, signal] of [
      [SIGEV_SIGNAL, -1],
      [SIGEV_THREAD, 0],
      [7, 0],
    ] as const) {
      assert.equal(notify(kernel, queue, how, signal), EINVAL, String(how));
    }
    assert.equal(notify(kernel, queue, SIGEV_SIGNAL, SIGNAL_MAX), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE), EBUSY);
    assert.equal(sys.mq_notify(queue, 0), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE, 999), 0, "no signal is sent");
  });

  test("a registration ends with the message that comes into the empty queue, not with one that somebody waits for", async () => {
    const kernel = world.createKernel();
    const queue = open(kernel, "q", O_RDWR | O_CREAT);
    assert.equal(send(kernel, queue, "first"), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE), 0);
    assert.equal(send(kernel, queue, "second"), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE), EBUSY, "the queue was not empty");
    receive(kernel, queue);
    receive(kernel, queue);
    const calls = [
      { name: "mq_open", args: ["q", O_RDWR, 0, 0] },
      { name: "mq_timedreceive", args: [queue, MESSAGE, LONGEST, 0, 0] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    await task.report();
    await untilAsleep(kernel, task.pid);
    assert.equal(send(kernel, queue, "third"), 0);
    assert.equal(await task.report(), 5);
    assert.equal(notify(kernel, queue, SIGEV_NONE), EBUSY, "the receiver had it");
    assert.equal(send(kernel, queue, "fourth"), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE), 0);
  });

  test("a message that waited for room is none that comes into an empty queue, for who had asked before there was room", async () => {
    const kernel = world.createKernel();
    const queue = open(kernel, "q", O_RDWR | O_CREAT, { depth: 1 });
    send(kernel, queue, "first");
    const calls = [
      { name: "mq_open", args: ["q", O_RDWR, 0, 0] },
      { name: "mq_timedsend", args: [3, "second", 6, 0, 0] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    assert.equal(await task.report(), 3);
    await untilAsleep(kernel, task.pid);
    assert.equal(notify(kernel, queue, SIGEV_NONE), 0);
    assert.equal(receive(kernel, queue), "0:first");
    assert.equal(await task.report(), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE), EBUSY, "the registration stands");
    assert.equal(receive(kernel, queue), "0:second");
    send(kernel, queue, "third");
    assert.equal(notify(kernel, queue, SIGEV_NONE), 0, "it was told of this one");
    await task.result();
  });

  test("a registration ends when its task closes a descriptor of the queue, or is killed", async () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const queue = open(kernel, "q", O_RDWR | O_CREAT);
    assert.equal(notify(kernel, queue, SIGEV_NONE), 0);
    assert.equal(sys.close(sys.dup(queue)), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE), 0, "any descriptor of it");
    assert.equal(sys.mq_notify(queue, 0), 0);
    const event = "\0".repeat(12); // how: 0, SIGEV_SIGNAL; signal 0
    const calls = [
      { name: "mq_open", args: ["q", O_RDWR, 0, 0] },
      { name: "mq_notify", args: [queue, event] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls, hold: true });
    await task.report();
    assert.equal(await task.report(), 0);
    assert.equal(notify(kernel, queue, SIGEV_NONE), EBUSY);
    assert.equal(sys.mq_notify(queue, 0), 0, "another's stays");
    assert.equal(notify(kernel, queue, SIGEV_NONE), EBUSY);
    task.kill();
    await task.exited;
    kernel.reap();
    assert.equal(notify(kernel, queue, SIGEV_NONE), 0);
  });

  test("a queue's descriptor always closes on exec, and keeps the flags that it was opened with", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    for (const flags of [O_RDWR | O_CREAT, O_RDONLY | O_CLOEXEC | O_APPEND]) {
      const queue = open(kernel, "q", flags);
      assert.equal(sys.fcntl(queue, F_GETFD, 0), FD_CLOEXEC);
      assert.equal(sys.fcntl(queue, F_GETFL, 0), flags & ~O_CREAT);
    }
  });

  test("mq_getsetattr tells of the queue, and sets O_NONBLOCK alone", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const queue = open(kernel, "q", O_RDWR | O_CREAT, { depth: 4, longest: 32 });
    send(kernel, queue, "one");
    const attributes = (): number[] =>
      [0, 1, 2, 3].map((i) => Number(new DataView(kernel.memory.buffer).getBigInt64(ATTRIBUTES + 8 * i, true)));
    assert.equal(sys.mq_getsetattr(queue, 0, ATTRIBUTES), 0);
    assert.deepEqual(attributes(), [0, 4, 32, 1]);
    placeLongs(kernel, TIME, O_NONBLOCK, 9, 9, 9);
    assert.equal(sys.mq_getsetattr(queue, TIME, ATTRIBUTES), 0);
    assert.deepEqual(attributes(), [0, 4, 32, 1], "as it was before");
    assert.equal(sys.mq_getsetattr(queue, 0, ATTRIBUTES), 0);
    assert.deepEqual(attributes(), [O_NONBLOCK, 4, 32, 1]);
    placeLongs(kernel, TIME, O_NONBLOCK | O_RDWR);
    assert.equal(sys.mq_getsetattr(99, TIME, ATTRIBUTES), EINVAL);
    assert.equal(sys.mq_getsetattr(99, BAD, BAD), EFAULT);
    assert.equal(sys.mq_getsetattr(99, 0, BAD), EBADF);
    assert.equal(sys.mq_getsetattr(queue, 0, BAD), EFAULT);
  });

  test("a queue opens as its mode permits, and its name is removed by its owner alone", (t) => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    if (sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    sys.umask(0o022);
    open(kernel, "q", O_RDWR | O_CREAT, undefined, 0o666);
    sys.setresuid(-1, 1000, -1);
    assert.equal(open(kernel, "q", O_RDWR), EACCES, "less the umask");
    assert.ok(open(kernel, "q", O_RDONLY) >= 0);
    assert.equal(unlink(kernel, "q"), EPERM);
    assert.ok(open(kernel, "own", O_RDWR | O_CREAT, undefined, 0) >= 0, "its maker has it open whatever the mode");
    assert.equal(open(kernel, "own", O_RDONLY), EACCES);
    assert.equal(open(kernel, "deep", O_RDWR | O_CREAT, { depth: 11 }), EINVAL);
    assert.equal(unlink(kernel, "own"), 0);
    sys.setresuid(-1, 0, -1);
    assert.equal(unlink(kernel, "q"), 0);
    assert.equal(unlink(kernel, "q"), ENOENT);
  });
});
