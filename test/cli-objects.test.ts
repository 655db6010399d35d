// fanga shm, sem, kill and rm.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { hexDump } from "../src/cli/hex-dump.ts";
import { signalOfWord, wordOfSignal } from "../src/cli/signal-words.ts";
import { Kernel } from "../src/index.ts";
import { assertSameBytes, bytes, ipcError, pattern } from "./expectations.ts";
import { assertWrong, fangaIn, nameOf, until } from "./fanga-streams.ts";
import { inWorld } from "./worlds.ts";

inWorld("processes", (world) => {
  let kernel: Kernel;
  const fanga = fangaIn(() => nameOf(kernel));

  beforeEach(() => {
    kernel = world.createKernel();
  });

  const done = async (...words: string[]): Promise<string> => {
    const { code, output, complaints } = await fanga.run(words);
    assert.deepEqual([code, complaints], [0, ""], words.join(" "));
    return output.toString();
  };
  const failed = async (...words: string[]): Promise<string> => {
    const { code, output, complaints } = await fanga.run(words);
    assert.deepEqual([code, output.toString()], [1, ""], complaints);
    assert.match(complaints, /^fanga: [^\n]+\n$/);
    return complaints;
  };

  test("shm makes a segment, fills it from standard input, and prints its bytes in both forms", async () => {
    await done("shm", "create", "--bytes", "8K", "frames");
    assert.match(await failed("shm", "create", "-b", "1", "frames"), /there is a segment "frames" already/);
    const segment = kernel.sharedMemory({ name: "frames" });
    assert.equal(segment.byteLength, 8192);
    const data = pattern(8000);
    assert.equal((await fanga.run(["shm", "write", "--offset", "100", "frames"], data)).code, 0);
    assertSameBytes(segment.bytes.subarray(100, 8100), data);
    const raw = await fanga.run(["shm", "dump", "--raw", "frames"]);
    assertSameBytes(raw.output, segment.bytes);
    segment.bytes.set(bytes("Hello\n"), 0x20);
    const line = "00000020  48 65 6c 6c 6f 0a 00 00                           |Hello...|\n00000028\n";
    segment.bytes.fill(0, 0x26, 0x28);
    assert.equal(await done("shm", "dump", "--offset", "0x20", "--length", "8", "frames"), line);
    assert.match(await failed("shm", "dump", "farmes"), /did you mean "shm:frames"\?; fanga shm create makes one/);
    const tooMuch = await fanga.run(["shm", "write", "--offset", "8K", "frames"], "x");
    assert.deepEqual([tooMuch.code, /0 bytes were written/.test(tooMuch.complaints)], [1, true]);
  });

  test("sem makes a semaphore, takes from it, waits, and gives back", async () => {
    await done("sem", "create", "--value", "1", "places");
    await done("sem", "wait", "places");
    assert.equal(await failed("sem", "wait", "--nonblock", "places"), 'fanga: semaphore "places" is 0\n');
    assert.equal(await failed("sem", "wait", "-w", "0.05", "places"), 'fanga: semaphore "places" is 0 after 0.05 s\n');
    const waiting = fanga.start(["sem", "wait", "places"]);
    const semaphore = kernel.semaphore({ name: "places" });
    await done("sem", "post", "--count", "3", "places");
    assert.equal((await waiting.ending).code, 0);
    assert.equal(semaphore.value, 2);
    assert.equal(await done("sem", "get", "places"), "2\n");
    assert.match(await failed("sem", "create", "places"), /there is a semaphore "places" already/);
    assert.match(await failed("sem", "get", "plcaes"), /did you mean "semaphore:places"/);
  });

  test("kill sends a signal by its name or number, with a value, and looks whether a task is there", async () => {
    const came: [string, bigint][] = [];
    kernel.signals.on("SIGUSR1", ({ name, value }) => came.push([name, value]));
    kernel.signals.on(40, ({ name, value }) => came.push([name, value]));
    const pid = String(kernel.pid);
    await done("kill", "-s", "USR1", pid);
    await done("kill", "-SIGUSR1", pid);
    await done("kill", "-10", pid);
    await done("kill", "-s", "RTMIN+8", "--queue", "77", "--", "-1");
    await until(() => came.length >= 2 && came.some(([name]) => name === "SIGRTMIN+8"), "the signals to come");
    assert.deepEqual(came.at(-1), ["SIGRTMIN+8", 77n]);
    assert.ok(came.slice(0, -1).every(([name]) => name === "SIGUSR1"));
    await done("kill", "-0", pid);
    assert.equal(await failed("kill", "-0", "12345"), "fanga: kill: there is no task 12345\n");
    assert.equal(await failed("kill", "--", "-12345"), "fanga: kill: there is no group 12345\n");
  });

  test("kill ends a command that waits, and lists the signals", async () => {
    kernel.queue({ name: "empty", create: true });
    const waiting = fanga.start(["recv", "empty"]);
    await until(() => kernel.tasks().length === 2, "it to attach");
    const pid = kernel.tasks().find((task) => task.osPid === waiting.osPid)?.pid;
    await done("kill", "-9", String(pid));
    assert.equal((await waiting.ending).signal, "SIGKILL");
    assert.match(await done("kill", "-l"), /^HUP INT QUIT .* RTMIN\+32\n$/);
    assert.equal(await done("kill", "-l", "9", "TERM", "143"), "KILL\n15\nTERM\n");
    assert.match(await done("kill", "-L"), /^ +9 +KILL +terminate +Kill \(cannot be caught\)$/m);
  });

  test("rm removes an object of every kind, by name, key and id", async () => {
    kernel.queue({ name: "q", create: true });
    kernel.queue({ key: 5, create: true });
    kernel.mkfifo("f");
    kernel.sharedMemory({ name: "m", create: true, bytes: 10 });
    kernel.sharedMemory({ key: 6, create: true, bytes: 10 });
    const all = { name: "all", create: true } as const;
    for (const one of [kernel.semaphore(all), kernel.mutex(all), kernel.rwlock(all), kernel.condition(all)])
      one.close();
    kernel.barrier({ ...all, parties: 2 }).close();
    const set = kernel.sys.semget(7, 2, 0o1600);
    const words = [
      "q",
      "key:5",
      "fifo:f",
      "m",
      "shm:key:6",
      "semaphore:all",
      "mutex:all",
      "rwlock:all",
      "condition:all",
    ];
    await done("rm", ...words, "barrier:all", `id:${set}`);
    assert.throws(() => kernel.queue({ name: "q" }), ipcError("ENOENT", "msgget"));
    assert.throws(() => kernel.queue({ key: 5 }), ipcError("ENOENT", "msgget"));
    assert.throws(() => kernel.tryOpenFifo("f", "read"), ipcError("ENOENT", "open"));
    assert.throws(() => kernel.sharedMemory({ name: "m" }), ipcError("ENOENT", "shmget"));
    assert.throws(() => kernel.sharedMemory({ key: 6 }), ipcError("ENOENT", "shmget"));
    assert.throws(() => kernel.mutex({ name: "all" }), ipcError("ENOENT", "pthread_mutex_init"));
    assert.throws(() => kernel.barrier({ name: "all" } as never), ipcError("ENOENT", "pthread_barrier_init"));
    assert.ok(kernel.sys.semget(7, 2, 0o600) < 0);
  });

  test("rm goes on after what is not there, and --force makes no failure of it", async () => {
    kernel.queue({ name: "one", create: true });
    assert.match(await failed("rm", "none", "one"), /^fanga: rm: there is no object "none"/);
    assert.throws(() => kernel.queue({ name: "one" }), ipcError("ENOENT", "msgget"));
    await done("rm", "--force", "none");
    kernel.queue({ name: "same", create: true });
    kernel.mkfifo("same");
    const which = await fanga.run(["rm", "same"]);
    assert.equal(which.code, 2);
    assert.match(
      which.complaints,
      /"same" is several objects: type one of (queue:same, fifo:same|fifo:same, queue:same)/,
    );
    await done("rm", "--all");
    assert.throws(() => kernel.tryOpenFifo("same", "read"), ipcError("ENOENT", "open"));
  });

  test("rm removes a kernel that nobody uses, and one that is used with --force", async () => {
    const name = nameOf(kernel);
    assert.match(await failed("rm", `kernel:${name}`), /has 1 task: type --force to remove it/);
    await done("rm", "--force", `kernel:${name}`);
    assert.ok(!Kernel.names().includes(name));
    const other = world.freshName();
    Kernel.open(other, { create: true }).close();
    await done("rm", `kernel:${other}`);
    assert.match(await failed("rm", `kernel:${other}`), /there is no kernel/);
    await done("rm", "-f", `kernel:${other}`);
  });
});

test("a hexadecimal dump leaves out rows that only repeat the one before", () => {
  const data = new Uint8Array(16 * 5 + 3);
  data.set(bytes("~ \u007f"), 16 * 4);
  assert.equal(
    [...hexDump(data)].join(""),
    `00000000  ${"00 ".repeat(8)} ${"00 ".repeat(8)} |${".".repeat(16)}|
*
00000040  7e 20 7f 00 00 00 00 00  ${"00 ".repeat(8)} |~ ${".".repeat(14)}|
00000050  00 00 00                                          |...|
00000053
`,
  );
  assert.equal([...hexDump(new Uint8Array())].join(""), "");
});

test("signals are known by every spelling, and every number has a name", () => {
  for (const word of ["9", "KILL", "SIGKILL", "kill", "sigkill"]) assert.equal(signalOfWord(word), 9);
  assert.deepEqual(["RTMIN", "RTMIN+3", "SIGRTMAX", "rtmax-1"].map(signalOfWord), [32, 35, 64, 63]);
  for (const word of ["65", "RTMIN-1", "RTMAX+1", "KIL", "", "-9"]) assert.equal(signalOfWord(word), undefined, word);
  for (let number = 1; number <= 64; number++) assert.equal(signalOfWord(wordOfSignal(number)), number);
});

test("what is typed wrong is told in one line with exit code 2, before anything is opened", async () => {
  await assertWrong([
    ["shm", /a command is missing: type one of fanga shm create, fanga shm dump, fanga shm write/],
    ["shm mak frames", /there is no command "shm mak"/],
    ["shm create frames", /its size is missing: type --bytes BYTES, such as --bytes 64K/],
    ["shm create --bytes 0 frames", /its size is missing/],
    ["shm create --bytes -- frames", /--bytes/],
    ["shm dump", /SEGMENT is missing/],
    ["shm dump --offset x frames", /--offset takes a number of bytes/],
    ["sem post --count 0 places", /--count takes a whole number/],
    ["sem create --value -1 places", /--value/],
    ["sem wait key:7", /a semaphore has a name and no key/],
    ["kill", /PID is missing: type the pid of a task, as fanga ps shows it/],
    ["kill -s KIL 7", /there is no signal "KIL": did you mean "KILL"\?/],
    ["kill -KIL 7", /there is no signal "KIL": did you mean "KILL"\?/],
    ["kill 0", /0 would be fanga's own group, in which it is alone/],
    ["kill seven", /"seven" is no pid: type a number/],
    ["kill -l NOSUCH", /there is no signal "NOSUCH"/],
    ["rm", /OBJECT is missing: type one, or --all/],
    ["rm --all queue:jobs", /--all is every object: type it without others/],
    ["rm quue:jobs", /"quue:jobs" begins with no kind: did you mean "queue:jobs"\?/],
  ]);
});
