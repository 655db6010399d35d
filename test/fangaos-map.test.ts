// The map of the mission has no row without a test that is there, and no part of the mission without a row.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const map = readFileSync(`${root}docs/fangaos-map.md`, "utf8");

interface Row {
  readonly mission: string;
  readonly here: string;
  readonly proof: string;
}

const rows: Row[] = [...map.matchAll(/^\| (?!mission \|)([^|]+) \|([^|]*)\|([^|]*)\|$/gm)]
  .map(([, mission, here, proof]) => ({
    mission: mission?.trim() ?? "",
    here: here?.trim() ?? "",
    proof: proof?.trim() ?? "",
  }))
  .filter(({ mission }) => !mission.startsWith("---"));

const sourceOf = (file: string): string => readFileSync(`${root}test/${file}.test.ts`, "utf8");

/** What the mission lists, by a few of its words; the map has a row for each. */
const listed = [
  ...["Message Queues", "Pipes", "Shared Memory", "Signals", "Synchronization Primitives"],
  ...["messages: VecDeque<Message>", "max_size", "waiting_tasks", "Maximum message size: 256 bytes", "FIFO ordering"],
  ...["Blocking support for receivers", "Configurable queue size", "SYS_MSGGET", "SYS_MSGSND", "SYS_MSGRCV"],
  ...["buffer: VecDeque<u8>", "`readers`, `writers`", "waiting_readers", "Fixed-size circular buffer"],
  ...["Reference counting for readers/writers", "Non-blocking read/write operations", "EOF detection"],
  ...["Broken pipe detection", "Read returns 0", "Write fails with error", "Partial reads/writes", "SYS_PIPE"],
  ...["phys_addr", "`size`", "ref_count", "attached_tasks", "Reference counting for automatic cleanup"],
  ...["Track which processes have attached", "Physical address-based mapping", "Arbitrary size segments"],
  ...["Lifecycle", "SYS_SHMGET", "SYS_SHMAT", "SYS_SHMDT", "SYS_SHMCTL", "SignalHandler", "SYS_KILL", "Semaphore"],
  ...["TaskMutex", "EINVAL -22", "EBADF -9", "ENOMEM -12", "ENOSYS -38", "EFAULT -14", "EACCES -13", "EPERM -1"],
  ...["ESRCH -3", "Full file descriptor table integration", "Named pipes (FIFOs)", "Signal handlers"],
  ...["Advanced semaphore operations", "Read/write locks", "Condition variables", "Message queue priorities"],
  ...["Shared memory permissions", "Permission Checks", "Buffer Overflow Protection", "Reference Counting: prevents"],
  ...["Signal Masking", "Pointer Validation", "Producer-Consumer with Pipe", "Shared Memory Communication"],
  ...["Signal Handling (Rust)", "send, receive, full queue", "read, write, EOF, broken pipe", "attach/detach"],
];

test("the map has a row for everything that the mission lists", () => {
  const missing = listed.filter((words) => !rows.some(({ mission }) => mission.includes(words)));
  assert.deepEqual(missing, []);
});

for (const { mission, here, proof } of rows) {
  if (here === "*control half*") continue;
  test(`the map's row "${mission}" is proven by a test that is there`, () => {
    const [, file, sentence] = /^([a-z-]+): (.+)$/.exec(proof) ?? [];
    assert.ok(file && sentence, `the row has no proof: ${proof}`);
    const source = sourceOf(file);
    const family = /^random calls of ([a-z-]+) give what Linux gives$/.exec(sentence)?.[1];
    // Tests made of data have their sentence in parts.
    const words = family ? "random calls of " : sentence;
    assert.ok(source.includes(words), `test/${file}.test.ts has no test "${sentence}"`);
  });
}
