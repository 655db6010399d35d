// What one task may take of what all share (setrlimit(2)): beyond its limit it gets an error, and the others still get what they ask for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { errnos } from "../src/abi/errno.ts";
import type { Kernel } from "../src/index.ts";
import { makingQueue } from "../src/kernel/making.ts";
import type { System } from "../src/kernel/system.ts";
import { access, kinds } from "../src/memory/layout.ts";
import { Machine } from "./crash-fixture.ts";
import { ipcError } from "./expectations.ts";
import { dies, MortalWords, smallLimits } from "./memory-fixture.ts";
import { miscounted } from "./recount.ts";
import type { Step } from "./tasks-limits.ts";
import { overWorlds, type Task } from "./worlds.ts";

const CREATE = 0o1600;
const IPC_PRIVATE = 0;
const IPC_RMID = 0;

overWorlds((world) => {
  /** A second task, and what comes of what it is told to take. */
  const friendOf = async (kernel: Kernel): Promise<{ task: Task; take(step: Step): Promise<unknown> }> => {
    const task = await world.startTask(kernel, "takeRoom", {});
    return {
      task,
      take: (step) => {
        task.send(step);
        return task.report();
      },
    };
  };

  test("a task that has made as many objects as one may gets ENOSPC, and the others make theirs", async () => {
    const kernel = world.createKernel({ taskObjectsMax: 3 });
    const friend = await friendOf(kernel);
    const pipe = kernel.pipe();
    const queue = kernel.queue({ name: "q", create: true });
    kernel.mutex({ name: "m", create: true });
    const before = kernel.usage();
    assert.throws(() => kernel.queue(), ipcError("ENOSPC", "msgget", "taskObjectsMax"));
    assert.equal(kernel.sys.semget(IPC_PRIVATE, 1, CREATE), -errnos.ENOSPC.number);
    assert.deepEqual(kernel.usage(), before);
    kernel.queue({ name: "q", create: true }); // it is there: nothing is made
    for (let i = 0; i < 3; i++) assert.equal(await friend.take({ make: "pipe" }), "nothing");
    assert.equal(await friend.take({ make: "pipe" }), "ENOSPC");
    pipe.reader.close();
    pipe.writer.close();
    kernel.queue();
    queue.close();
    assert.throws(() => kernel.queue(), ipcError("ENOSPC", "msgget"), "what has a name is still there");
  });

  test("an object that another task removes, or uses last, is its maker's no longer", async () => {
    const kernel = world.createKernel({ taskObjectsMax: 1 });
    const friend = await friendOf(kernel);
    const id = kernel.sys.semget(IPC_PRIVATE, 1, CREATE);
    assert.ok(id >= 0);
    assert.throws(() => kernel.pipe(), ipcError("ENOSPC", "pipe"));
    assert.equal(await friend.take({ removeSet: id }), "nothing");
    const queue = kernel.queue();
    assert.equal(await friend.take({ hold: queue.token }), "nothing");
    queue.close();
    assert.throws(() => kernel.queue(), ipcError("ENOSPC", "msgget"), "the other still has it open");
    assert.equal(await friend.take("let go"), "nothing");
    kernel.queue();
    assert.deepEqual(
      kernel.tasks().map(({ objects }) => objects),
      [1, 0],
    );
  });

  test("a task whose objects take as much of the heap as those of one may gets ENOMEM, and the others do not", async () => {
    const kernel = world.createKernel({ taskHeapBytesMax: 256 * 1024 });
    const friend = await friendOf(kernel);
    const { sys } = kernel;
    const first = sys.shmget(IPC_PRIVATE, 200 * 1024, CREATE);
    assert.ok(first >= 0);
    const before = kernel.usage();
    assert.equal(sys.shmget(IPC_PRIVATE, 64 * 1024, CREATE), -errnos.ENOMEM.number);
    assert.throws(() => kernel.pipe({ capacity: 64 * 1024 }), ipcError("ENOMEM", "pipe", "taskHeapBytesMax"));
    assert.deepEqual(kernel.usage(), before);
    assert.equal(await friend.take({ make: "segment", bytes: 200 * 1024 }), "nothing");
    assert.equal(await friend.take({ make: "segment", bytes: 64 * 1024 }), "ENOMEM");
    const mine = (): number => kernel.tasks()[0]?.heapBytes ?? -1;
    assert.ok(mine() >= 200 * 1024 && mine() <= 256 * 1024, String(mine()));
    assert.equal(sys.shmctl(first, IPC_RMID, 0), 0);
    assert.equal(mine(), 0);
    kernel.pipe({ capacity: 64 * 1024 });
  });

  test("what a queue or pipe grows by is charged to who made it, whoever makes it grow", async () => {
    const kernel = world.createKernel({ taskHeapBytesMax: 128 * 1024, messageBytesMax: 1024 });
    const friend = await friendOf(kernel);
    assert.ok(kernel.sys.msgget(5, CREATE) >= 0);
    const queue = kernel.queue({ key: 5 });
    assert.equal(await friend.take({ fill: 5, bytes: 8 }), "ENOMEM");
    const [mine, theirs] = kernel.tasks().map(({ heapBytes }) => heapBytes);
    assert.ok((mine ?? 0) > 16 * 1024, String(mine));
    assert.equal(theirs, 0);
    const into = new Uint8Array(1024);
    let received = 0;
    while (queue.tryReceiveInto(into) === 8) received++;
    assert.ok(received >= 16 && received < 128, String(received));
    assert.equal(await friend.take({ make: "pipe" }), "nothing");
    assert.equal(await friend.take({ resizeTo: 64 * 1024 }), "nothing");
    assert.equal(await friend.take({ resizeTo: 128 * 1024 }), "ENOMEM");
  });

  test("a task that waits in as many places as one may gets ENOSPC, and the others wait", async () => {
    const kernel = world.createKernel({ taskWaitersMax: 2 });
    const friend = await friendOf(kernel);
    const queue = kernel.queue({ name: "q", create: true });
    const stop = new AbortController();
    const { signal } = stop;
    const waits = [queue.receive({ signal }), queue.receive({ signal })];
    await assert.rejects(queue.receive(), ipcError("ENOSPC", "msgrcv", "taskWaitersMax"));
    assert.throws(() => queue.receiveSync({ timeout: 1 }), ipcError("ENOSPC", "msgrcv"));
    assert.equal(await friend.take({ await: "q" }), "nothing");
    stop.abort();
    for (const wait of waits) await assert.rejects(wait, { name: "AbortError" });
    await assert.rejects(queue.receive({ timeout: 1 }), ipcError("ETIMEDOUT", "msgrcv"));
  });

  test("a task that holds as many segments and SysV objects as one may gets EMFILE, and the others get theirs", async () => {
    const kernel = world.createKernel({ taskHoldsMax: 2 });
    const friend = await friendOf(kernel);
    const id = kernel.sys.shmget(IPC_PRIVATE, 4096, CREATE);
    const [first, second] = [kernel.sys.shmat(id, 0, 0), kernel.sys.shmat(id, 0, 0)];
    assert.ok(first > 0 && second > 0);
    assert.equal(kernel.sys.shmat(id, 0, 0), -errnos.EMFILE.number);
    assert.equal(await friend.take({ attach: id }), "nothing");
    assert.equal(kernel.sys.shmdt(first), 0);
    assert.ok(kernel.sys.shmat(id, 0, 0) > 0);
  });

  test("a task that has as many children as one may, zombies among them, gets EAGAIN until it has waited for one", async () => {
    const kernel = world.createKernel({ taskChildrenMax: 2 });
    const program = new URL("./spawned.js", import.meta.url);
    const start = () => kernel.spawn(program, { argv: ["exit:3"], execArgv: [] });
    const children = [start(), start()];
    assert.throws(start, ipcError("EAGAIN", "spawn", "taskChildrenMax"));
    assert.equal((await children[0]?.wait())?.exitCode, 3);
    children.push(start());
    assert.throws(start, ipcError("EAGAIN", "spawn"));
    for (const child of children.slice(1)) await child.wait();
    await start().wait();
  });

  test("what a task that was killed has left counts for nobody, and the next task in its slot begins at nothing", async () => {
    const kernel = world.createKernel({ taskObjectsMax: 2, tasksMax: 2 });
    for (let i = 0; i < 3; i++) {
      const { task, take } = await friendOf(kernel);
      for (const name of ["a", "b"]) assert.equal(await take({ make: "queue", name: `${name}${i}` }), "nothing");
      assert.equal(await take({ make: "queue", name: "c" }), "ENOSPC");
      task.kill();
      await task.exited;
    }
    kernel.reap();
    assert.equal(kernel.usage().objects, 6);
    for (const name of ["a", "b"]) kernel.unlinkQueue(`${name}0`);
    assert.deepEqual(
      kernel.tasks().map(({ objects, heapBytes }) => ({ objects, heapBytes })),
      [{ objects: 0, heapBytes: 0 }],
    );
  });

  test("by default one task leaves an eighth of everything to the others, whatever the kernel's limits are", () => {
    const { limits } = world.createKernel({ objectsMax: 80, waitersMax: 160, tasksMax: 7, descriptionsMax: 800 });
    const { taskObjectsMax, taskWaitersMax, taskChildrenMax, taskHoldsMax, taskHeapBytesMax } = limits;
    assert.deepEqual([taskObjectsMax, taskWaitersMax, taskChildrenMax, taskHoldsMax], [70, 140, 7, 700]);
    assert.ok(taskHeapBytesMax < limits.regionBytes * (7 / 8) && taskHeapBytesMax > limits.regionBytes / 2);
  });
});

const NAME = new TextEncoder().encode("q");

function makeQueue(system: System): number {
  const making = makingQueue(system.words, { depth: 4, bytesMax: 0, messageBytesMax: 64 }, 0o600);
  const opened = system.open({ kind: kinds.QUEUE, name: NAME }, { access: access.WRITE, create: making });
  return typeof opened === "number" ? opened : 0;
}

test("a death after any write while an object is made, or its slot is taken over, leaves every task's counts right", () => {
  for (let writes = 0, died = true; died; writes++) {
    const machine = new Machine({ ...smallLimits, tasksMax: 2 });
    const survivor = machine.attach();
    const words = new MortalWords(machine.buffer);
    const world = machine.world();
    words.writesLeft = writes;
    died = dies(() => {
      const victim = machine.attach(words, world);
      makeQueue(victim);
      victim.createAnonymous(
        kinds.QUEUE,
        makingQueue(victim.words, { depth: 4, bytesMax: 0, messageBytesMax: 64 }, 0o600),
        [access.READ],
      );
    });
    machine.kill(world);
    survivor.reap();
    assert.equal(miscounted(survivor.words, machine.geometry), "", `after ${writes} writes`);
    const next = machine.attach();
    assert.equal(miscounted(next.words, machine.geometry), "", `after ${writes} writes, the next in the slot`);
    assert.ok(makeQueue(next) >= 0);
    survivor.unlink({ kind: kinds.QUEUE, name: NAME });
    assert.equal(miscounted(next.words, machine.geometry), "", `after ${writes} writes, and a removal`);
  }
});
