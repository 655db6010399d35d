// fanga lock: what is promised to those who know flock(1), and that a crash of the holder gives the lock back and ends its command.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { KernelObserver } from "../src/api/observer.ts";
import type { Kernel } from "../src/index.ts";
import { assertSameBytes, pattern } from "./expectations.ts";
import { assertWrong, fangaIn, nameOf, type RunningCommand, until } from "./fanga-streams.ts";
import { inWorld, NOTICED_MS_MAX } from "./worlds.ts";

/** A command that says that it runs, and with which pid, and runs until its standard input ends. */
const HOLD = 'echo "held by $$"; cat > /dev/null; echo done';

inWorld("processes", (world) => {
  let kernel: Kernel;
  const fanga = fangaIn(() => nameOf(kernel));

  beforeEach(() => {
    kernel = world.createKernel();
  });

  /** Starts a command that holds a lock, and waits until it does; the pid of the command. */
  async function hold(...words: string[]): Promise<{ holder: RunningCommand; osPid: number }> {
    const holder = fanga.start(["lock", ...words, "--", "sh", "-c", HOLD]);
    await holder.prints("held by");
    await until(() => /held by \d+\n/.test(holder.printed), "its pid");
    return { holder, osPid: Number(/\d+/.exec(holder.printed)) };
  }

  async function untilWaiting(name: string, count = 1): Promise<void> {
    using observer = KernelObserver.open(nameOf(kernel));
    const waits = () => observer.look().objects.find((object) => object.name === name)?.waits.length;
    await until(() => waits() === count, `${count} to wait for ${name}`);
  }

  test("of two commands under one lock the second begins when the first has ended", async () => {
    const { holder } = await hold("door");
    const second = fanga.start(["lock", "door", "--", "echo", "second"]);
    await untilWaiting("door");
    assert.equal(second.printed, "");
    holder.child.stdin?.end();
    assert.deepEqual([(await holder.ending).code, (await second.ending).code], [0, 0]);
    assert.equal(second.printed, "second\n");
    assert.equal(kernel.mutex({ name: "door" }).owner, 0);
  });

  test("kill -9 of the holder gives the lock to the next in time, and its command does not run on", async (context) => {
    const { holder, osPid } = await hold("door");
    const next = fanga.start([
      "lock",
      "door",
      "--",
      "sh",
      "-c",
      'cat /proc/$0/stat; echo "died=$FANGA_OWNER_DIED"',
      String(osPid),
    ]);
    await untilWaiting("door");
    const killed = performance.now();
    holder.child.kill("SIGKILL");
    await next.prints("died=1");
    const took = performance.now() - killed;
    context.diagnostic(`the next command ran ${took.toFixed(0)} ms after the kill`);
    assert.ok(took < NOTICED_MS_MAX, `it took ${took} ms`);
    assert.match(next.printed, /^(?:\d+ \([^)]*\) [ZX] .*\n)?died=1\n$/, "the first command had ended");
    assert.equal((await next.ending).code, 0);
    const after = await fanga.run(["lock", "door", "--", "sh", "-c", 'echo "died=$FANGA_OWNER_DIED"']);
    assert.equal(after.output.toString(), "died=\n", "what is told once is not told again");
  });

  test("kill -9 of a holder for writing gives a read/write lock to those who wait to read", async () => {
    const { holder, osPid } = await hold("rwlock:data");
    const readers = [1, 2].map(() => fanga.start(["lock", "--shared", "data", "--", "echo", "read"]));
    await untilWaiting("data", 2);
    holder.child.kill("SIGKILL");
    for (const reader of readers) assert.equal((await reader.ending).output.toString(), "read\n");
    assert.match(stateOf(osPid), /[ZX]/, "the command has ended");
  });

  test("a command that is killed gives the lock back as one that ends", async () => {
    const { holder, osPid } = await hold("door");
    process.kill(osPid, "SIGKILL");
    assert.equal((await holder.ending).code, 128 + 9);
    const next = await fanga.run(["lock", "-n", "door", "--", "sh", "-c", 'echo "died=$FANGA_OWNER_DIED"']);
    assert.deepEqual([next.code, next.output.toString()], [0, "died=\n"]);
  });

  test("the exit code is the command's, or tells the signal that ended it, or that it could not be run", async () => {
    const codes = async (...words: string[]): Promise<number | null> =>
      (await fanga.run(["lock", "door", "--", ...words])).code;
    assert.equal(await codes("sh", "-c", "exit 37"), 37);
    assert.equal(await codes("sh", "-c", "kill -TERM $$"), 128 + 15);
    assert.equal(await codes("/etc/passwd"), 126);
    const missing = await fanga.run(["lock", "door", "--", "no-such-command"]);
    assert.deepEqual(
      [missing.code, missing.complaints],
      [127, "fanga: lock: no-such-command: there is no such command\n"],
    );
    assert.equal(kernel.mutex({ name: "door" }).owner, 0);
  });

  test("standard input, output and arguments are the command's own", async () => {
    const data = pattern(300_000);
    const { output } = await fanga.run(["lock", "door", "--", "cat"], data);
    assertSameBytes(output, data);
    const words = await fanga.run(["lock", "door", "--", "printf", "[%s]", "a b", "--shared", "", "ü"]);
    assert.equal(words.output.toString(), "[a b][--shared][][ü]");
  });

  test("signals are passed on to the command", async () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGUSR1", "SIGHUP"] as const) {
      const script = `trap 'echo got; exit 5' ${signal.slice(3)}; echo ready; read line`;
      const running = fanga.start(["lock", "door", "--", "sh", "-c", script]);
      await running.prints("ready");
      running.child.kill(signal);
      const { code, output } = await running.ending;
      assert.deepEqual([code, output.toString()], [5, "ready\ngot\n"], signal);
    }
  });

  test("a signal while it waits ends it, and the command never runs", async () => {
    const { holder } = await hold("door");
    const waiting = fanga.start(["lock", "door", "--", "echo", "never"]);
    await untilWaiting("door");
    waiting.child.kill("SIGTERM");
    const { signal, output } = await waiting.ending;
    assert.deepEqual([signal, output.toString()], ["SIGTERM", ""]);
    holder.child.stdin?.end();
    assert.equal((await holder.ending).code, 0);
  });

  test("a lock that is not had in time is exit code 1, or that of -E, and says who holds it", async () => {
    const { holder } = await hold("door");
    const holding = kernel.mutex({ name: "door" }).owner;
    const now = await fanga.run(["lock", "--nonblock", "door", "--", "echo", "never"]);
    const says = `fanga: lock: mutex "door" is held by task ${holding}, process ${holder.osPid}`;
    assert.deepEqual([now.code, now.complaints, now.output.length], [1, `${says}\n`, 0]);
    const later = await fanga.run(["lock", "-w", "0.1", "-E", "75", "door", "--", "echo", "never"]);
    assert.deepEqual([later.code, later.complaints], [75, `${says} after 0.1 s\n`]);
  });

  test("readers share a lock, and a writer has it alone", async () => {
    const first = await hold("--shared", "data");
    const second = await hold("--shared", "data");
    assert.equal(kernel.rwlock({ name: "data" }).readers, 2);
    const writer = await fanga.run(["lock", "-n", "data", "--", "true"]);
    assert.deepEqual(
      [writer.code, writer.complaints],
      [1, 'fanga: lock: read/write lock "data" is held for reading\n'],
    );
    first.holder.child.stdin?.end();
    second.holder.child.stdin?.end();
    assert.equal((await fanga.run(["lock", "data", "--", "true"])).code, 0);
  });

  test("programs and commands exclude each other by a mutex of one name", async () => {
    const guard = await kernel.mutex({ name: "door", create: true }).lock();
    assert.equal((await fanga.run(["lock", "-n", "door", "--", "true"])).code, 1);
    guard.unlock();
    const { holder } = await hold("door");
    assert.equal(kernel.mutex({ name: "door" }).tryLock(), undefined);
    holder.child.kill("SIGKILL");
    const next = await kernel.mutex({ name: "door" }).lock({ timeout: 60_000 });
    assert.equal(next.ownerDied, true);
  });

  test("where a mutex and a read/write lock have the name, it asks which; a mutex is not shared", async () => {
    kernel.mutex({ name: "door", create: true });
    const shared = await fanga.run(["lock", "-s", "door", "--", "true"]);
    assert.equal(shared.code, 1);
    assert.match(shared.complaints, /^fanga: lock: "door" is a mutex, which one task at a time holds: .*\n$/);
    kernel.rwlock({ name: "door", create: true });
    const which = await fanga.run(["lock", "door", "--", "true"]);
    assert.equal(which.code, 1);
    assert.match(which.complaints, /type mutex:door or rwlock:door\n$/);
    assert.equal((await fanga.run(["lock", "rwlock:door", "--", "true"])).code, 0);
  });

  test("a mutex that was lost with its owner is told in one line", async () => {
    const { holder } = await hold("door");
    holder.child.kill("SIGKILL");
    (await kernel.mutex({ name: "door" }).lock({ timeout: 60_000 })).unlock();
    const { code, complaints } = await fanga.run(["lock", "door", "--", "true"]);
    assert.equal(code, 1);
    assert.match(complaints, /^fanga: ENOTRECOVERABLE: [^\n]*\n$/);
  });
});

/** The state of a process, such as "S", or "X" where it is gone. */
function stateOf(osPid: number): string {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${osPid}/stat`, "latin1"))?.[1] ?? "X";
  } catch {
    return "X";
  }
}

test("what is typed wrong is told in one line with exit code 2, and nothing runs", async () => {
  await assertWrong([
    ["lock", /^lock: NAME is missing: type fanga lock \[OPTION…\] NAME -- COMMAND…$/m],
    ["lock door", /-- COMMAND… is missing/],
    ["lock door --", /-- COMMAND… is missing/],
    ["lock door true", /there is no place for "true"/],
    ["lock -s -x door -- true", /--shared and --exclusive exclude each other/],
    ["lock -s mutex:door -- true", /one task at a time holds a mutex: type rwlock:door/],
    ["lock -E 256 door -- true", /--conflict-exit-code takes a whole number from 0 to 255/],
    ["lock -w never door -- true", /--timeout takes a number of at least 0, not "never"/],
    ["lock key:5 -- true", /a lock has a name, not a key or an id as "key:5" is/],
    ["lock queue:door -- true", /"queue:door" is no mutex or rwlock/],
  ]);
});
