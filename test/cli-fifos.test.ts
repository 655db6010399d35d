// fanga mkfifo and fanga cat: streams through named pipes, between real processes.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Kernel } from "../src/index.ts";
import { assertSameBytes, pattern } from "./expectations.ts";
import { HUNG_MS } from "./fanga.ts";
import { assertWrong, fangaIn, nameOf, until } from "./fanga-streams.ts";
import { inWorld } from "./worlds.ts";

inWorld("processes", (world) => {
  let kernel: Kernel;
  const fanga = fangaIn(() => nameOf(kernel));

  beforeEach(() => {
    kernel = world.createKernel();
  });

  test("mkfifo makes named pipes of a capacity, and goes on after one that is there", async () => {
    kernel.mkfifo("old");
    const { code, complaints } = await fanga.run(["mkfifo", "--capacity", "64K", "a", "old", "fifo:b"]);
    assert.deepEqual([code, complaints], [1, 'fanga: mkfifo: there is a fifo "old" already\n']);
    for (const name of ["a", "b"]) assert.equal(kernel.tryOpenFifo(name, "read").capacity, 65_536);
  });

  test("three megabytes go from one cat to the other, whole and in order", async () => {
    kernel.mkfifo("log");
    const reader = fanga.start(["cat", "log"], "ignore");
    const data = pattern(3_000_000);
    const written = await fanga.run(["cat", "--write", "log"], data);
    assert.equal(written.code, 0);
    const { code, output } = await reader.ending;
    assert.equal(code, 0);
    assertSameBytes(output, data);
  });

  test("cat --write reads no further while the pipe is full", async () => {
    kernel.mkfifo("log");
    const writer = fanga.start(["cat", "--write", "log"]);
    const reader = await kernel.openFifo("log", "read", { timeout: HUNG_MS });
    writer.child.stdin?.write(pattern(4_000_000));
    await until(() => reader.length === reader.capacity, "the pipe to be full");
    const waiting = writer.child.stdin?.writableLength ?? 0;
    assert.ok(waiting > 3_000_000, `${waiting} bytes wait in the pipe's own end`);
  });

  test("when the last reader has gone, cat --write says so and fails", async () => {
    kernel.mkfifo("log");
    const writer = fanga.start(["cat", "--write", "log"]);
    const reader = await kernel.openFifo("log", "read", { timeout: HUNG_MS });
    writer.child.stdin?.write("x".repeat(100_000));
    await until(() => reader.length === reader.capacity, "the pipe to be full");
    reader.close();
    const { code, complaints } = await writer.ending;
    assert.deepEqual([code, complaints], [1, 'fanga: fifo "log": nobody reads it any more\n']);
  });

  test("a writer that is killed is end-of-file for cat", async () => {
    kernel.mkfifo("log");
    const reader = fanga.start(["cat", "log"], "ignore");
    const writer = fanga.start(["cat", "--write", "log"]);
    writer.child.stdin?.write("before the crash");
    await reader.prints("before the crash");
    writer.child.kill("SIGKILL");
    assert.equal((await reader.ending).code, 0);
  });

  test("cat reads several one after the other, and with --follow one again and again", async () => {
    kernel.mkfifo("a");
    kernel.mkfifo("b");
    const both = fanga.start(["cat", "a", "b"], "ignore");
    await fanga.run(["cat", "--write", "a"], "of a\n");
    await fanga.run(["cat", "--write", "b"], "of b\n");
    assert.equal((await both.ending).output.toString(), "of a\nof b\n");
    const follower = fanga.start(["cat", "--follow", "a"], "ignore");
    await fanga.run(["cat", "--write", "a"], "first\n");
    await follower.prints("first\n");
    await fanga.run(["cat", "--write", "a"], "second\n");
    await follower.prints("second\n");
    follower.child.kill("SIGINT");
    assert.equal((await follower.ending).signal, "SIGINT");
  });

  test("an end that nobody opens in time is exit code 1 and a line; so is a pipe that is not there", async () => {
    kernel.mkfifo("log");
    const late = await fanga.run(["cat", "--timeout", "0.05", "log"]);
    assert.deepEqual([late.code, late.complaints], [1, 'fanga: fifo "log": nobody writes to it after 0.05 s\n']);
    const now = await fanga.run(["cat", "--nonblock", "--write", "log"], "x");
    assert.deepEqual([now.code, now.complaints], [1, 'fanga: fifo "log": nobody reads it\n']);
    const missing = await fanga.run(["cat", "lgo"]);
    assert.equal(missing.code, 1);
    assert.match(
      missing.complaints,
      /^fanga: there is no object "lgo" .*did you mean "fifo:log"\?; fanga mkfifo makes one\n$/,
    );
  });
});

test("what is typed wrong is told in one line with exit code 2, before anything is opened", async () => {
  await assertWrong([
    ["mkfifo", /^mkfifo: NAME is missing/],
    ["mkfifo --mode rw log", /--mode takes an octal mode such as 640, not "rw"/],
    ["mkfifo --capacity lots log", /--capacity takes a number of bytes such as 4096, 64K or 1M/],
    ["mkfifo key:4", /a fifo has a name and no key/],
    ["cat", /FIFO is missing/],
    ["cat --write a b", /--write and --follow take one FIFO/],
    ["cat --write --follow a", /--write and --follow exclude each other/],
    ["cat queue:a", /"queue:a" is no fifo/],
  ]);
});
