// fanga send and fanga recv: messages through pipes, between real processes.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Kernel } from "../src/index.ts";
import { assertSameBytes, pattern } from "./expectations.ts";
import { assertWrong, fangaIn, nameOf, until } from "./fanga-streams.ts";
import { inWorld } from "./worlds.ts";

inWorld("processes", (world) => {
  let kernel: Kernel;
  const fanga = fangaIn(() => nameOf(kernel));

  beforeEach(() => {
    kernel = world.createKernel({ messageBytesMax: 8192 });
  });

  const received = (queue: { tryReceive(): { data: Uint8Array } | undefined }): string[] => {
    const all: string[] = [];
    for (let message = queue.tryReceive(); message; message = queue.tryReceive()) {
      all.push(Buffer.from(message.data).toString());
    }
    return all;
  };

  test("send makes each line of standard input a message, the last one without a newline too", async () => {
    const queue = kernel.queue({ name: "jobs", create: true });
    assert.equal((await fanga.run(["send", "jobs"], "one\n\ntwo words\r\nlast")).code, 0);
    assert.deepEqual(received(queue), ["one", "", "two words\r", "last"]);
  });

  test("send makes each word a message, and with --null and --whole what they say", async () => {
    const queue = kernel.queue({ name: "jobs", create: true });
    await fanga.run(["send", "jobs", "one", "two\nlines", "--", "--three"]);
    await fanga.run(["send", "--null", "jobs"], "a\nb\0\0c");
    await fanga.run(["send", "--whole", "jobs"], "all\nof it\0\n");
    await fanga.run(["send", "--whole", "jobs"], "");
    assert.deepEqual(received(queue), ["one", "two\nlines", "--three", "a\nb", "", "c", "all\nof it\0\n", ""]);
  });

  test("send gives messages a type and a priority, and recv chooses and shows them", async () => {
    const queue = kernel.queue({ name: "jobs", create: true });
    await fanga.run(["send", "--type", "7", "jobs", "seven"]);
    await fanga.run(["send", "--priority", "9", "jobs", "urgent"]);
    queue.trySend(Buffer.from([0xff, 0x00]), { type: 3 });
    const bySeven = await fanga.run(["recv", "--type", "7", "jobs"]);
    assert.equal(bySeven.output.toString(), "seven\n");
    const first = JSON.parse((await fanga.run(["recv", "--json", "jobs"])).output.toString());
    assert.deepEqual(
      { ...first, sender: typeof first.sender },
      { type: 1, priority: 9, sender: "number", text: "urgent" },
    );
    const bytes = JSON.parse((await fanga.run(["recv", "--json", "--type=-5", "jobs"])).output.toString());
    assert.deepEqual(bytes, { type: 3, priority: 0, sender: kernel.pid, base64: "/wA=" });
    queue.trySend(Buffer.from("a"), { type: 2 });
    queue.trySend(Buffer.from("b"), { type: 4, priority: 1 });
    const other = await fanga.run(["recv", "--long", "--type", "2", "--except", "jobs"]);
    assert.equal(other.output.toString(), `4 1 ${kernel.pid}\tb\n`);
  });

  test("any bytes come through as they are, from process to process", async () => {
    kernel.queue({ name: "frames", create: true });
    const sent = pattern(8192);
    assert.equal((await fanga.run(["send", "--whole", "frames"], sent)).code, 0);
    const { output } = await fanga.run(["recv", "--raw", "frames"]);
    assertSameBytes(output, sent);
  });

  test("two processes carry 20,000 lines at the pace of the slower one, in order", async () => {
    const queue = kernel.queue({ name: "lines", create: true, depth: 16 });
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join("");
    const sender = fanga.start(["send", "lines"]);
    sender.child.stdin?.end(lines);
    await until(() => queue.length === queue.depth, "the queue to be full");
    const receiver = fanga.start(["recv", "--count", "20000", "lines"]);
    const [{ output }, { code }] = await Promise.all([receiver.ending, sender.ending]);
    assert.equal(code, 0);
    assert.ok(output.toString() === lines, "what came is what was sent");
  });

  test("send reads no further while the queue is full", async () => {
    const queue = kernel.queue({ name: "slow", create: true, depth: 2 });
    const sender = fanga.start(["send", "slow"]);
    const line = `${"x".repeat(1000)}\n`;
    const written = sender.child.stdin?.write(line.repeat(4000)); // 4 MB: more than all buffers between us
    assert.equal(written, false);
    await until(() => queue.length === queue.depth, "the queue to be full");
    const waiting = sender.child.stdin?.writableLength ?? 0;
    assert.ok(waiting > 3_000_000, `${waiting} bytes wait in the pipe's own end`);
    for (let i = 0; i < 100; i++) await queue.receive({ timeout: 60_000 });
  });

  test("recv --follow prints messages as they come, and ends by SIGINT without losing one", async () => {
    const queue = kernel.queue({ name: "news", create: true });
    const follower = fanga.start(["recv", "--follow", "news"]);
    await queue.send(Buffer.from("first"));
    await follower.prints("first\n");
    await queue.send(Buffer.from("second"));
    await follower.prints("second\n");
    follower.child.kill("SIGINT");
    const { signal, output, complaints } = await follower.ending;
    assert.deepEqual([signal, output.toString(), complaints], ["SIGINT", "first\nsecond\n", ""]);
    queue.trySend(Buffer.from("third"));
    assert.deepEqual(received(queue), ["third"]);
  });

  test("recv --follow ends well when its queue is removed, of either kind", async () => {
    kernel.queue({ name: "news", create: true }).trySend(Buffer.from("x"));
    kernel.queue({ key: 77, create: true }).trySend(Buffer.from("y"));
    const followers = [fanga.start(["recv", "-f", "news"]), fanga.start(["recv", "-f", "key:77"])];
    await followers[0]?.prints("x");
    await followers[1]?.prints("y");
    assert.equal((await fanga.run(["rm", "queue:news", "key:77"])).code, 0);
    for (const follower of followers) assert.equal((await follower.ending).code, 0);
  });

  test("a time-out is exit code 1 and a line, for both", async () => {
    const queue = kernel.queue({ name: "jobs", create: true, depth: 1 });
    const late = await fanga.run(["recv", "--timeout", "0.05", "jobs"]);
    assert.deepEqual([late.code, late.complaints], [1, 'fanga: no message came to queue "jobs" within 0.05 s\n']);
    const none = await fanga.run(["recv", "--nonblock", "--type", "4", "jobs"]);
    assert.deepEqual([none.code, none.complaints], [1, 'fanga: there is no such message in queue "jobs" now\n']);
    queue.trySend(Buffer.from("full"));
    const full = await fanga.run(["send", "-w", "0.05", "jobs", "more"]);
    assert.deepEqual(
      [full.code, full.complaints],
      [1, 'fanga: queue "jobs" is full: message 1 was not sent after 0.05 s\n'],
    );
    assert.equal((await fanga.run(["send", "-n", "jobs", "more"])).code, 1);
    assert.deepEqual(received(queue), ["full"]);
  });

  test("a message that is too long is named, and those before it are sent", async () => {
    const queue = kernel.queue({ name: "short", create: true, messageBytesMax: 4 });
    const { code, complaints } = await fanga.run(["send", "short"], "one\ntwo\nthree\nfour\n");
    assert.equal(code, 1);
    assert.match(complaints, /^fanga: message 3 has more than 4 bytes: .*\n$/);
    assert.deepEqual(received(queue), ["one", "two"]);
    assert.equal((await fanga.run(["send", "--whole", "short"], "three")).code, 1);
  });

  test("send --create makes the queue, with its depth, and even the kernel", async () => {
    assert.equal((await fanga.run(["send", "--create", "--depth", "3", "--message-bytes", "1K", "new", "x"])).code, 0);
    const queue = kernel.queue({ name: "new" });
    assert.deepEqual([queue.depth, queue.messageBytesMax, queue.length], [3, 1024, 1]);
    const name = world.freshName();
    assert.equal((await fanga.run(["send", "--create", "-k", name, "q", "hello"])).code, 0);
    assert.equal((await fanga.run(["recv", "-k", name, "q"])).output.toString(), "hello\n");
  });

  test("recv takes no more when nobody reads its output any more, and ends as by SIGPIPE", async () => {
    const queue = kernel.queue({ name: "news", create: true });
    await queue.send(Buffer.from("read"));
    const { output, complaints } = await fanga.shell("{ fanga recv --follow news; echo $? >&2; } | head -n 1");
    assert.deepEqual([output.toString(), complaints], ["read\n", "141\n"]);
    queue.trySend(Buffer.from("kept"));
    assert.deepEqual(received(queue), ["kept"]);
  });

  test("a shell's pipeline goes through a queue and back", async () => {
    kernel.queue({ name: "pipeline", create: true });
    const { output } = await fanga.shell(
      "seq 1 100 | fanga send pipeline & fanga recv -c 100 pipeline | sort -rn | head -n 2; wait",
    );
    assert.equal(output.toString(), "100\n99\n");
  });

  test("a queue that is not there is exit code 1, and told with what there is", async () => {
    kernel.queue({ name: "jobs", create: true });
    const mistyped = await fanga.run(["recv", "jbos"]);
    assert.equal(mistyped.code, 1);
    assert.match(mistyped.complaints, /^fanga: there is no object "jbos" .*: did you mean "queue:jobs"\?.*\n$/);
    assert.equal((await fanga.run(["send", "key:0x4d2", "x"])).code, 1);
    const nowhere = await fanga.run(["recv", "-k", "nowhere-at-all", "jobs"]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.complaints, /^fanga: there is no kernel "nowhere-at-all"/);
  });
});

test("what is typed wrong is told in one line with exit code 2, before anything is opened", async () => {
  await assertWrong([
    ["send", /^send: QUEUE is missing: type fanga send \[OPTION…\] QUEUE \[MESSAGE…\]$/m],
    ["send --type 0 q x", /--type takes a whole number of at least 1, not "0"/],
    ["send --priority 32768 q x", /--priority takes a whole number from 0 to 32767/],
    ["send --depth 3 q x", /--depth is for a new queue: type --create too/],
    ["send --create --mode 888 q x", /--mode takes an octal mode such as 640, not "888"/],
    ["send --create --message-bytes 1X q", /--message-bytes takes a number of bytes such as 4096/],
    ["send --null --whole q", /--null and --whole exclude each other/],
    ["send --create id:3 x", /"id:3" is the id of one that is there: type a name or key:0xKEY/],
    ["send -n -w 1 q x", /--timeout and --nonblock exclude each other/],
    ["send fifo:q x", /"fifo:q" is no queue or sysv-queue/],
    ["recv sysv-queue:q", /a sysv-queue has a key and no name: type key:0xKEY/],
    ["recv --timeout soon q", /--timeout takes a number of at least 0, not "soon"/],
    ["recv --count 0 q", /--count takes a whole number of at least 1/],
    ["recv --count 2 --follow q", /--count and --follow exclude each other/],
    ["recv --raw --json q", /--raw and --json exclude each other: type one of them/],
    ["recv --except q", /--except needs a --type above 0/],
    ["recv --folow q", /there is no option "--folow": did you mean "--follow"\?/],
  ]);
});
