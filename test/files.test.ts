// The system calls of the family of files, as Linux makes them.

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
  EISDIR,
  EMFILE,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTTY,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
} from "../src/abi/errno.ts";
import {
  AT_FDCWD,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETFD,
  F_SETFL,
  F_SETPIPE_SZ,
  FD_CLOEXEC,
  FIONREAD,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
  S_IFIFO,
} from "../src/abi/flags.ts";
import type { Kernel } from "../src/index.ts";
import { placeText } from "./place-text.ts";
import { overWorlds, until, untilAsleep, untilPolling } from "./worlds.ts";

const PIPEFD = 64;
const PATH = 1024;
const DATA = 16 * 1024;
const BAD = 2 ** 30;
const ALL_EVENTS = 0x7fff;

const int = (kernel: Kernel, address: number): number => new DataView(kernel.memory.buffer).getInt32(address, true);

function newPipe(kernel: Kernel, flags = 0): [reader: number, writer: number] {
  assert.equal(kernel.sys.pipe2(PIPEFD, flags), 0);
  return [int(kernel, PIPEFD), int(kernel, PIPEFD + 4)];
}

/** The address of a path. */
function path(kernel: Kernel, name: string): number {
  placeText(kernel, PATH, name);
  return PATH;
}

const mkfifo = (kernel: Kernel, name: string, mode = 0o666): number =>
  kernel.sys.mknod(path(kernel, name), S_IFIFO | mode, 0);
const open = (kernel: Kernel, name: string, flags: number): number => kernel.sys.open(path(kernel, name), flags, 0);

function writeText(kernel: Kernel, descriptor: number, text: string): number {
  placeText(kernel, DATA, text);
  return kernel.sys.write(descriptor, DATA, text.length);
}

function readText(kernel: Kernel, descriptor: number, count: number): string | number {
  const result = kernel.sys.read(descriptor, DATA, count);
  return result < 0 ? result : Buffer.from(kernel.memory.subarray(DATA, DATA + result)).toString();
}

/** What poll says now of one descriptor. */
function events(kernel: Kernel, descriptor: number, wanted = ALL_EVENTS): number {
  const at = new DataView(kernel.memory.buffer, 256, 8);
  at.setInt32(0, descriptor, true);
  at.setInt16(4, wanted, true);
  kernel.sys.poll(256, 1, 0);
  return at.getUint16(6, true);
}

overWorlds((world) => {
  test("pipe makes a read end and a write end, the lowest free descriptors, of 4096 bytes", () => {
    const kernel = world.createKernel();
    assert.deepEqual(newPipe(kernel), [3, 4]);
    assert.equal(kernel.sys.fcntl(3, F_GETFL), O_RDONLY);
    assert.equal(kernel.sys.fcntl(4, F_GETFL), O_WRONLY);
    assert.equal(kernel.sys.fcntl(4, F_GETPIPE_SZ), 4096);
    assert.equal(writeText(kernel, 4, "hello"), 5);
    assert.equal(readText(kernel, 3, 100), "hello");
  });

  test("pipe2 takes O_CLOEXEC and O_NONBLOCK and refuses other flags", () => {
    const { sys } = world.createKernel();
    assert.equal(sys.pipe2(PIPEFD, O_CLOEXEC | O_NONBLOCK), 0);
    assert.equal(sys.fcntl(3, F_GETFD), FD_CLOEXEC);
    assert.equal(sys.fcntl(4, F_GETFL), O_WRONLY | O_NONBLOCK);
    assert.equal(sys.pipe2(PIPEFD, O_APPEND), EINVAL);
    assert.equal(sys.pipe2(PIPEFD, O_DIRECT), EINVAL);
  });

  test("a pipe whose descriptors have no place to be written to leaves nothing open", () => {
    const kernel = world.createKernel();
    const before = kernel.usage().objects;
    assert.equal(kernel.sys.pipe(BAD), EFAULT);
    assert.equal(kernel.sys.pipe(0), EFAULT);
    assert.equal(kernel.usage().objects, before);
    assert.deepEqual(newPipe(kernel), [3, 4]);
  });

  test("a pipe that finds one descriptor only is EMFILE and leaves nothing open", () => {
    const kernel = world.createKernel({ descriptorsMax: 6 });
    newPipe(kernel);
    assert.equal(kernel.sys.pipe(PIPEFD), EMFILE);
    assert.equal(kernel.sys.pipe(BAD), EMFILE);
    assert.equal(kernel.sys.dup(3), 5);
  });

  test("read and write of the wrong end, or of nothing, are EBADF", () => {
    const { sys } = world.createKernel();
    sys.pipe(PIPEFD);
    for (const result of [sys.read(4, DATA, 1), sys.write(3, DATA, 1), sys.read(99, DATA, 1), sys.write(-1, DATA, 1)]) {
      assert.equal(result, EBADF);
    }
  });

  test("a count of 0 moves nothing, whatever the pointer and even where no reader is left", () => {
    const { sys } = world.createKernel();
    sys.pipe(PIPEFD);
    assert.equal(sys.read(3, 0, 0), 0);
    assert.equal(sys.write(4, BAD, 0), 0);
    sys.close(3);
    assert.equal(sys.write(4, DATA, 0), 0);
  });

  test("a pointer beyond a task's addresses is EFAULT at once", () => {
    const { sys } = world.createKernel();
    sys.pipe(PIPEFD);
    assert.equal(sys.read(3, -1, 0), EFAULT);
    assert.equal(sys.read(3, DATA, -1), EFAULT);
    assert.equal(sys.write(4, DATA, 2 ** 48), EFAULT);
  });

  test("a bad buffer is EFAULT once there is something to move, and moves nothing", () => {
    const kernel = world.createKernel();
    newPipe(kernel, O_NONBLOCK);
    assert.equal(kernel.sys.read(3, BAD, 1), EAGAIN);
    assert.equal(kernel.sys.write(4, BAD, 1), EFAULT);
    writeText(kernel, 4, "kept");
    assert.equal(kernel.sys.read(3, BAD, 1), EFAULT);
    assert.equal(kernel.sys.read(3, kernel.memory.length - 2, 4), EFAULT);
    assert.equal(readText(kernel, 3, 10), "kept");
    kernel.sys.close(4);
    assert.equal(kernel.sys.read(3, BAD, 1), 0);
  });

  test("with O_NONBLOCK an empty pipe and a full pipe are EAGAIN", () => {
    const { sys } = world.createKernel();
    sys.pipe2(PIPEFD, O_NONBLOCK);
    assert.equal(sys.read(3, DATA, 1), EAGAIN);
    assert.equal(sys.write(4, DATA, 4095), 4095);
    assert.equal(sys.write(4, DATA, 2), EAGAIN, "up to PIPE_BUF all or nothing");
    assert.equal(sys.write(4, DATA, 5000), 1, "above PIPE_BUF what there is room for");
    assert.equal(sys.write(4, DATA, 5000), EAGAIN);
    assert.equal(sys.write(4, BAD, 1), EAGAIN);
  });

  test("reading is end-of-file once no writer is left, and writing EPIPE once no reader is", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    newPipe(kernel);
    writeText(kernel, 4, "last");
    sys.close(4);
    assert.equal(readText(kernel, 3, 2), "la");
    assert.equal(readText(kernel, 3, 9), "st");
    assert.equal(sys.read(3, DATA, 9), 0);
    newPipe(kernel);
    const writer = int(kernel, PIPEFD + 4);
    sys.close(int(kernel, PIPEFD));
    assert.equal(sys.write(writer, DATA, 1), EPIPE);
    assert.equal(sys.write(writer, BAD, 1), EPIPE);
  });

  test("a read sleeps until another task writes", async () => {
    const kernel = world.createKernel();
    assert.equal(mkfifo(kernel, "f"), 0);
    const calls = [
      { name: "open", args: ["/f", O_RDONLY, 0] },
      { name: "read", args: [3, DATA, 100] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    assert.equal(open(kernel, "f", O_WRONLY), 3);
    assert.equal(await task.report(), 3);
    await untilAsleep(kernel, task.pid);
    writeText(kernel, 3, "woken");
    assert.equal(await task.report(), 5);
  });

  test("a write larger than the pipe goes on as a reader makes room, until all is written", async () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    const calls = [
      { name: "open", args: ["f", O_WRONLY, 0] },
      { name: "write", args: [3, DATA, 10_000] },
      { name: "close", args: [3] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    open(kernel, "f", O_RDONLY);
    let total = 0;
    for (;;) {
      const count = kernel.sys.read(3, DATA, 999);
      if (count === 0) break;
      total += count;
    }
    assert.equal(total, 10_000);
    assert.deepEqual(await task.result(), [3, 10_000, 0]);
  });

  test("a write that was interrupted, or lost its reader, returns what it had written", async () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    for (const end of ["interrupt", "close"] as const) {
      const calls = [
        { name: "open", args: ["f", O_WRONLY, 0] },
        { name: "write", args: [3, DATA, 10_000] },
      ] as const;
      const task = await world.startTask(kernel, "runCalls", { calls });
      const reader = open(kernel, "f", O_RDONLY);
      await untilAsleep(kernel, task.pid);
      if (end === "interrupt") assert.ok(kernel.interrupt(task.pid));
      kernel.sys.close(reader);
      assert.deepEqual(await task.result(), [3, 4096], end);
      await task.exited;
    }
  });

  test("a read, an open and a poll that another task interrupts are EINTR", async () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    const calls = [
      { name: "open", args: ["f", O_RDONLY, 0] },
      { name: "pipe", args: [PIPEFD] },
      { name: "read", args: [3, DATA, 1] },
      { name: "poll", args: ["\u0003\0\0\0\u0001", 1, -1] },
      { name: "poll", args: [0, 0, -1] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls, hold: true });
    for (const expected of [[EINTR, 0], [EINTR], [EINTR], [EINTR]]) {
      await until(() => kernel.interrupt(task.pid), "an interruption");
      for (const result of expected) assert.equal(await task.report(), result);
    }
    assert.equal(open(kernel, "f", O_WRONLY | O_NONBLOCK), ENXIO, "the interrupted open left nothing open");
    task.send("end");
    await task.result();
  });

  test("opening a FIFO waits for the other end, in both directions", async () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    for (const [own, other] of [
      [O_RDONLY, O_WRONLY],
      [O_WRONLY, O_RDONLY],
    ] as const) {
      const calls = [{ name: "open", args: ["f", other, 0] }] as const;
      const task = await world.startTask(kernel, "runCalls", { calls });
      await untilAsleep(kernel, task.pid);
      assert.equal(open(kernel, "f", own), 3);
      assert.equal(await task.report(), 3);
      await task.exited;
      kernel.reap();
      kernel.sys.close(3);
    }
  });

  test("O_NONBLOCK opens a FIFO to read at once, and to write only while it has a reader", () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    assert.equal(open(kernel, "f", O_WRONLY | O_NONBLOCK), ENXIO);
    assert.equal(open(kernel, "f", O_RDONLY | O_NONBLOCK | O_CLOEXEC), 3);
    assert.equal(open(kernel, "f", O_WRONLY | O_NONBLOCK), 4);
    assert.equal(kernel.sys.fcntl(3, F_GETFL), O_RDONLY | O_NONBLOCK | O_LARGEFILE);
    assert.equal(kernel.sys.fcntl(3, F_GETFD), FD_CLOEXEC);
    assert.equal(kernel.sys.fcntl(4, F_GETFD), 0);
  });

  test("a FIFO that is open to read and write waits for nobody and is both ends", () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    assert.equal(open(kernel, "f", O_RDWR | O_APPEND), 3);
    assert.equal(kernel.sys.fcntl(3, F_GETFL), O_RDWR | O_APPEND | O_LARGEFILE);
    assert.equal(events(kernel, 3), POLLOUT | POLLWRNORM);
    writeText(kernel, 3, "self");
    assert.equal(events(kernel, 3), POLLIN | POLLRDNORM);
    assert.equal(readText(kernel, 3, 10), "self");
    assert.equal(open(kernel, "f", O_WRONLY), 4);
    assert.equal(open(kernel, "f", O_RDONLY), 5);
  });

  test("paths of the one directory are resolved as Linux resolves them", () => {
    const kernel = world.createKernel();
    assert.equal(mkfifo(kernel, "/f"), 0);
    const N = O_NONBLOCK;
    const long = "a".repeat(256);
    const opens: [string, number, number][] = [
      ["f", N, 3],
      ["//./../f", N, 4],
      ["", N, ENOENT],
      ["n", N, ENOENT],
      ["f/", N, ENOTDIR],
      ["n/", N, ENOENT],
      ["f/x", N, ENOTDIR],
      ["n/x", N, ENOENT],
      ["f/.", N, ENOTDIR],
      [long, N, ENAMETOOLONG],
      [`${long}/x`, N, ENAMETOOLONG],
      ["/x".repeat(2048), N, ENAMETOOLONG],
      ["f", N | O_CREAT | O_EXCL, EEXIST],
      ["f", N | O_CREAT, 5],
      ["f", N | O_TRUNC | O_EXCL, 6],
      ["f", N | O_DIRECTORY, ENOTDIR],
      ["f", O_CREAT | O_DIRECTORY, EINVAL],
      ["f/", N | O_CREAT, EISDIR],
      ["n/", N | O_CREAT | O_EXCL, EISDIR],
      ["n", N | O_CREAT, EOPNOTSUPP],
      ["f", N | O_DIRECT, EINVAL],
      ["f", 3, EINVAL],
      ["/", N, EOPNOTSUPP],
      [".", O_RDWR, EISDIR],
      ["/..", O_CREAT, EISDIR],
      ["/.", O_CREAT | O_EXCL, EEXIST],
    ];
    for (const [name, flags, expected] of opens) assert.equal(open(kernel, name, flags), expected, `${name} ${flags}`);
    assert.equal(kernel.sys.open(BAD, N, 0), EFAULT);
    assert.equal(kernel.sys.open(0, N, 0), EFAULT);
    assert.equal(kernel.sys.open(BAD, O_CREAT | O_DIRECTORY, 0), EINVAL);
  });

  test("openat takes AT_FDCWD or an absolute path, and knows no other directory", () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    const openat = (directory: number, name: string): number =>
      kernel.sys.openat(directory, path(kernel, name), O_NONBLOCK, 0);
    assert.equal(openat(AT_FDCWD, "f"), 3);
    assert.equal(openat(99, "/f"), 4);
    assert.equal(openat(99, "f"), EBADF);
    assert.equal(openat(3, "f"), ENOTDIR);
    assert.equal(openat(99, ""), ENOENT);
  });

  test("mknod makes FIFOs, less the umask, and nothing else", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const long = "a".repeat(256);
    const made: [string, number, number][] = [
      ["f", S_IFIFO | 0o666, 0],
      ["f", S_IFIFO, EEXIST],
      ["f/", S_IFIFO, EEXIST],
      ["n/", S_IFIFO, ENOENT],
      ["f/x", S_IFIFO, ENOTDIR],
      ["n/x", S_IFIFO, ENOENT],
      ["", S_IFIFO, ENOENT],
      ["/", S_IFIFO, EEXIST],
      ["..", S_IFIFO, EEXIST],
      [long, S_IFIFO, ENAMETOOLONG],
      ["c", 0o020666, EPERM],
      ["f", 0o020666, EEXIST],
      ["d", 0o040777, EPERM],
      ["x", 0o150000, EINVAL],
    ];
    for (const [name, mode, expected] of made) {
      assert.equal(sys.mknod(path(kernel, name), mode, 0), expected, `${name} ${mode.toString(8)}`);
    }
    assert.equal(sys.mknod(BAD, S_IFIFO, 0), EFAULT);
    assert.equal(sys.mknod(BAD, 0o040000, 0), EPERM);
  });

  test("unlink removes a FIFO's name, and those who have it open carry on", () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    open(kernel, "f", O_RDWR);
    const unlink = (name: string): number => kernel.sys.unlink(path(kernel, name));
    for (const name of ["/", ".", "/.."]) assert.equal(unlink(name), EISDIR);
    assert.equal(unlink("f/"), ENOTDIR);
    assert.equal(unlink("n"), ENOENT);
    assert.equal(unlink(""), ENOENT);
    assert.equal(unlink("f"), 0);
    assert.equal(unlink("f"), ENOENT);
    writeText(kernel, 3, "on");
    assert.equal(readText(kernel, 3, 9), "on");
  });

  test("a FIFO opened with O_ASYNC keeps it: F_SETFL takes back only what it has set", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    mkfifo(kernel, "f");
    const [opened, set] = [O_ASYNC, 0].map((flags) => open(kernel, "f", O_RDWR | flags)) as [number, number];
    for (const [flags, ofOpened, ofSet] of [
      [O_ASYNC, O_ASYNC, O_ASYNC],
      [0, O_ASYNC, 0],
    ] as const) {
      for (const descriptor of [opened, set]) assert.equal(sys.fcntl(descriptor, F_SETFL, flags), 0);
      assert.equal(sys.fcntl(opened, F_GETFL, 0), O_RDWR | O_LARGEFILE | ofOpened);
      assert.equal(sys.fcntl(set, F_GETFL, 0), O_RDWR | O_LARGEFILE | ofSet);
    }
  });

  test("chown takes the set-ID bits of a mode from who may change it, and is EPERM for others", async (t) => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    if (sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    const modes = ["644", "2644", "2654", "4644"];
    for (const mode of modes) {
      mkfifo(kernel, mode, 0o600);
      assert.equal(sys.chown(path(kernel, mode), 1000, 1000), 0);
      assert.equal(sys.chmod(path(kernel, mode), Number.parseInt(mode, 8)), 0);
    }
    const change = modes.map((mode) => ({ name: "chown", args: [mode, -1, -1] }) as const);
    const chownAs = async (uid: number, gid: number): Promise<unknown[]> => {
      const calls = [
        { name: "setgroups", args: [0, 0] },
        { name: "setresgid", args: [gid, gid, gid] },
        { name: "setresuid", args: [uid, uid, uid] },
        ...change,
      ] as const;
      const task = await world.startTask(kernel, "runCalls", { calls });
      const results = [];
      for (const _ of calls) results.push(await task.report());
      await task.result();
      await task.exited;
      return results.slice(3);
    };
    const asStranger = (): Promise<unknown[]> => chownAs(1001, 1001);
    assert.deepEqual(await asStranger(), [0, EPERM, EPERM, EPERM]);
    assert.deepEqual(await chownAs(1001, 1000), [0, 0, EPERM, EPERM], "a member of the group, which executes nothing");
    assert.deepEqual(await asStranger(), [0, EPERM, EPERM, EPERM], "nothing has changed");
    assert.deepEqual(await chownAs(1000, 1000), [0, 0, 0, 0]);
    assert.deepEqual(
      await asStranger(),
      [0, EPERM, 0, 0],
      "the group's owner keeps set-group-ID of what is not executed",
    );
    assert.deepEqual(await chownAs(1000, 1001), [0, 0, 0, 0]);
    assert.deepEqual(await asStranger(), [0, 0, 0, 0]);
  });

  test("another user opens, changes and removes only what its rights allow", async (t) => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    if (sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    mkfifo(kernel, "f", 0o644);
    mkfifo(kernel, "own", 0o600);
    assert.equal(sys.chown(path(kernel, "own"), 1000, 50), 0);
    const N = O_NONBLOCK;
    const calls = [
      [{ name: "setgroups", args: [0, 0] }, 0],
      [{ name: "setresgid", args: [100, 100, 100] }, 0],
      [{ name: "setresuid", args: [1000, 1000, 1000] }, 0],
      [{ name: "open", args: ["f", N | O_RDWR, 0] }, EACCES],
      [{ name: "open", args: ["f", N | O_TRUNC, 0] }, EACCES],
      [{ name: "open", args: ["f", N | 3, 0] }, EACCES],
      [{ name: "open", args: ["f", N | O_NOATIME, 0] }, EPERM],
      [{ name: "open", args: ["f", N, 0] }, 3],
      [{ name: "fcntl", args: [3, F_SETFL, O_NOATIME] }, EPERM],
      [{ name: "unlink", args: ["f"] }, EPERM],
      [{ name: "chmod", args: ["f", 0o777] }, EPERM],
      [{ name: "fchmod", args: [3, 0o777] }, EPERM],
      [{ name: "fchown", args: [3, -1, -1] }, 0],
      [{ name: "chown", args: ["f", 1000, -1] }, EPERM],
      [{ name: "chown", args: ["own", -1, 0] }, EPERM],
      [{ name: "chown", args: ["own", 1000, 50] }, 0],
      [{ name: "chown", args: ["own", -1, 100] }, 0],
      [{ name: "chown", args: ["own", -1, 50] }, EPERM],
      [{ name: "chown", args: ["own", 0, -1] }, EPERM],
      [{ name: "chmod", args: ["own", 0o400] }, 0],
      [{ name: "open", args: ["own", N | O_RDWR, 0] }, EACCES],
      [{ name: "open", args: ["own", N, 0] }, 4],
      [{ name: "fcntl", args: [4, F_SETPIPE_SZ, 2 ** 20] }, 2 ** 20],
      [{ name: "fcntl", args: [4, F_SETPIPE_SZ, 2 ** 20 + 1] }, EPERM],
      [{ name: "unlink", args: ["own"] }, 0],
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls: calls.map(([call]) => call) });
    for (const [call, expected] of calls) assert.equal(await task.report(), expected, JSON.stringify(call));
  });

  test("dup, dup2, dup3 and F_DUPFD make descriptors of one description", () => {
    const { sys } = world.createKernel({ descriptorsMax: 16 });
    sys.pipe2(PIPEFD, O_CLOEXEC);
    assert.equal(sys.dup(3), 5);
    assert.equal(sys.fcntl(5, F_GETFD), 0);
    assert.equal(sys.fcntl(5, F_SETFL, O_NONBLOCK), 0);
    assert.equal(sys.fcntl(3, F_GETFL), O_NONBLOCK);
    assert.equal(sys.dup(99), EBADF);
    assert.equal(sys.dup2(3, 3), 3);
    assert.equal(sys.dup2(99, 99), EBADF);
    assert.equal(sys.dup2(3, 16), EBADF);
    assert.equal(sys.dup2(3, -1), EBADF);
    assert.equal(sys.dup2(3, 9), 9);
    assert.equal(sys.dup3(3, 3, 0), EINVAL);
    assert.equal(sys.dup3(99, 99, 0), EINVAL);
    assert.equal(sys.dup3(3, 8, O_NONBLOCK), EINVAL);
    assert.equal(sys.dup3(99, 8, 0), EBADF);
    assert.equal(sys.dup3(3, 8, O_CLOEXEC), 8);
    assert.equal(sys.fcntl(8, F_GETFD), FD_CLOEXEC);
    assert.equal(sys.fcntl(3, F_DUPFD, 7), 7);
    assert.equal(sys.fcntl(3, F_DUPFD_CLOEXEC, 7), 10);
    assert.equal(sys.fcntl(10, F_GETFD), FD_CLOEXEC);
    assert.equal(sys.fcntl(3, F_DUPFD, -1), EINVAL);
    assert.equal(sys.fcntl(3, F_DUPFD, 16), EINVAL);
    assert.equal(sys.fcntl(99, F_DUPFD, -1), EBADF);
    assert.equal(sys.fcntl(3, F_DUPFD, 15), 15);
    assert.equal(sys.fcntl(3, F_DUPFD, 15), EMFILE);
  });

  test("dup2 closes what the descriptor named before", () => {
    const kernel = world.createKernel();
    newPipe(kernel);
    newPipe(kernel);
    assert.equal(kernel.sys.dup2(3, 6), 6);
    assert.equal(kernel.sys.read(5, DATA, 1), 0, "its last writer is gone");
  });

  test("fcntl sets the flags of a descriptor and of a description, and nothing else", () => {
    const { sys } = world.createKernel();
    sys.pipe(PIPEFD);
    assert.equal(sys.fcntl(4, F_SETFD, 3), 0);
    assert.equal(sys.fcntl(4, F_GETFD), FD_CLOEXEC);
    assert.equal(sys.fcntl(4, F_SETFD, 2), 0);
    assert.equal(sys.fcntl(4, F_GETFD), 0);
    assert.equal(sys.fcntl(4, F_SETFL, O_APPEND | O_NONBLOCK | O_NOATIME | O_RDWR | O_CLOEXEC), 0);
    assert.equal(sys.fcntl(4, F_GETFL), O_WRONLY | O_APPEND | O_NONBLOCK | O_NOATIME);
    assert.equal(sys.fcntl(4, F_SETFL, O_DIRECT), EINVAL);
    assert.equal(sys.fcntl(4, 9999), EINVAL);
    assert.equal(sys.fcntl(99, 9999), EBADF);
  });

  test("F_SETPIPE_SZ rounds up to a power of two from 4096, and keeps what was written", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    newPipe(kernel, O_NONBLOCK);
    const resize = (bytes: number): number => sys.fcntl(4, F_SETPIPE_SZ, bytes);
    assert.equal(resize(0), 4096);
    assert.equal(resize(4097), 8192);
    assert.equal(sys.fcntl(3, F_GETPIPE_SZ), 8192);
    assert.equal(sys.write(4, DATA, 6000), 6000);
    assert.equal(resize(4096), EBUSY);
    assert.equal(resize(65_536), 65_536);
    assert.equal(sys.read(3, DATA, 60_000), 6000);
    assert.equal(resize(-1), EINVAL);
    assert.equal(resize(2 ** 31 + 1), EINVAL);
    assert.equal(resize(2 ** 32), 4096);
    assert.equal(sys.fcntl(1, F_GETPIPE_SZ), EBADF);
    assert.equal(sys.fcntl(99, F_SETPIPE_SZ, 4096), EBADF);
  });

  test("a larger pipe lets a writer go on that waits for room", async () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    const calls = [
      { name: "open", args: ["f", O_WRONLY, 0] },
      { name: "write", args: [3, DATA, 8000] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    const reader = open(kernel, "f", O_RDONLY);
    await untilAsleep(kernel, task.pid);
    assert.equal(kernel.sys.fcntl(reader, F_SETPIPE_SZ, 8192), 8192);
    assert.deepEqual(await task.result(), [3, 8000]);
  });

  test("FIONREAD tells the unread bytes of a pipe at either end", () => {
    const kernel = world.createKernel();
    newPipe(kernel);
    writeText(kernel, 4, "seven..");
    for (const end of [3, 4]) {
      assert.equal(kernel.sys.ioctl(end, FIONREAD, DATA), 0);
      assert.equal(int(kernel, DATA), 7);
    }
    assert.equal(kernel.sys.ioctl(3, FIONREAD, BAD), EFAULT);
    assert.equal(kernel.sys.ioctl(3, 0x1234, BAD), ENOTTY);
    assert.equal(kernel.sys.ioctl(99, 0x1234, BAD), EBADF);
  });

  test("poll tells what each end is ready for", () => {
    const kernel = world.createKernel();
    newPipe(kernel);
    assert.equal(events(kernel, 3), 0);
    assert.equal(events(kernel, 4), POLLOUT | POLLWRNORM);
    writeText(kernel, 4, "x");
    assert.equal(events(kernel, 3), POLLIN | POLLRDNORM);
    assert.equal(events(kernel, 3, POLLOUT), 0);
    assert.equal(events(kernel, 4), 0, "less than PIPE_BUF is free");
    kernel.sys.dup2(4, 6);
    kernel.sys.close(4);
    kernel.sys.close(6);
    assert.equal(events(kernel, 3, 0), POLLHUP);
    assert.equal(events(kernel, 3), POLLIN | POLLRDNORM | POLLHUP);
    newPipe(kernel);
    kernel.sys.close(int(kernel, PIPEFD));
    assert.equal(events(kernel, int(kernel, PIPEFD + 4)), POLLOUT | POLLWRNORM | POLLERR);
    assert.equal(events(kernel, 99, 0), POLLNVAL);
    assert.equal(events(kernel, -5), 0);
  });

  test("a FIFO's reader hangs up only after there was a writer", () => {
    const kernel = world.createKernel();
    mkfifo(kernel, "f");
    open(kernel, "f", O_RDONLY | O_NONBLOCK);
    assert.equal(events(kernel, 3), 0);
    const writer = open(kernel, "f", O_WRONLY);
    assert.equal(events(kernel, 3), 0);
    kernel.sys.close(writer);
    assert.equal(events(kernel, 3), POLLHUP);
    const second = open(kernel, "f", O_RDONLY | O_NONBLOCK);
    assert.equal(events(kernel, second), 0, "there was none since it opened");
  });

  test("poll checks the count and the place of its items, and passes the time without any", () => {
    const { sys } = world.createKernel({ descriptorsMax: 16 });
    assert.equal(sys.poll(PATH, 17, 0), EINVAL);
    assert.equal(sys.poll(PATH, -1, 0), EINVAL);
    assert.equal(sys.poll(BAD, 1, 0), EFAULT);
    assert.equal(sys.poll(0, 2 ** 32, 0), 0);
    const begun = performance.now();
    assert.equal(sys.poll(0, 0, 30), 0);
    assert.equal(sys.poll(BAD, 0, 0), 0, "nothing is written there");
    assert.equal(sys.poll(-4096, 0, 0), EFAULT, "where no task has memory");
    assert.ok(performance.now() - begun >= 29);
  });

  test("poll sleeps until one of its items is ready", async () => {
    const kernel = world.createKernel();
    for (const name of ["f", "g"]) mkfifo(kernel, name);
    const calls = [
      { name: "open", args: ["f", O_RDONLY | O_NONBLOCK, 0] },
      { name: "open", args: ["g", O_RDONLY | O_NONBLOCK, 0] },
      { name: "poll", args: ["\u0003\0\0\0\u0001\0\0\0\u0004\0\0\0\u0001", 2, -1] },
      { name: "read", args: [4, DATA, 9] },
      { name: "read", args: [3, DATA, 9] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    assert.deepEqual([await task.report(), await task.report()], [3, 4]);
    const writers = ["f", "g"].map((name) => open(kernel, name, O_WRONLY));
    await untilPolling(kernel, task.pid);
    writeText(kernel, writers[1] as number, "second");
    assert.deepEqual(await task.result(), [3, 4, 1, 6, EAGAIN]);
  });

  test("a queue's descriptor reads as its status, once, and takes no bytes", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const queue = kernel.queue({ depth: 1 });
    const { descriptor } = queue;
    assert.equal(events(kernel, descriptor), POLLOUT | POLLWRNORM);
    queue.trySend(new Uint8Array(5));
    assert.equal(events(kernel, descriptor), POLLIN | POLLRDNORM);
    assert.equal(sys.write(descriptor, BAD, 1), EINVAL);
    assert.equal(sys.read(descriptor, BAD, 1), EFAULT);
    assert.equal(readText(kernel, descriptor, 6), "QSIZE:");
    assert.equal(sys.ioctl(descriptor, FIONREAD, DATA), 0);
    assert.equal(int(kernel, DATA), 74);
    const rest = "5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n";
    assert.equal(readText(kernel, sys.dup(descriptor), 1000), rest);
    assert.equal(readText(kernel, descriptor, 1000), "");
    assert.equal(sys.fcntl(descriptor, F_GETPIPE_SZ), EBADF);
  });

  test("what is closed is EBADF from then on", () => {
    const { sys } = world.createKernel();
    sys.pipe(PIPEFD);
    assert.equal(sys.close(3), 0);
    assert.equal(sys.close(3), EBADF);
    assert.equal(sys.close(-1), EBADF);
    assert.equal(sys.fchmod(3, 0), EBADF);
    assert.equal(sys.fchown(3, -1, -1), EBADF);
    assert.equal(sys.fcntl(3, F_GETFD), EBADF);
  });
});
