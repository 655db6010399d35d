// Batches by the handles of the API where the queue is bounded in bytes, and being told of arrivals.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IPC_CREAT } from "../src/abi/flags.ts";
import { runScript } from "./child-script.ts";
import { bytes, ipcError, text } from "./expectations.ts";
import { bounded, overWorlds } from "./worlds.ts";

const KEY = 77;

for (const form of ["sendMany", "sendManySync"] as const) {
  // In a process of its own: a wait that forgets its time-out holds its event loop for ever.
  test(`a batch that finds no room for its bytes waits, and no longer than its time-out (${form})`, async () => {
    const { status, stdout } = await runScript(`
      const kernel = ipc.Kernel.create();
      kernel.sys.msgget(${KEY}, ${IPC_CREAT | 0o600});
      const queue = kernel.queue({ key: ${KEY} });
      const batch = Array.from({ length: 100 }, () => new Uint8Array(200));
      try {
        await queue.${form}(batch, { timeout: 100 });
      } catch (error) {
        process.stdout.write(error.code + " " + queue.length);
      }
    `);
    const fitting = Math.floor(16_384 / 200);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: `ETIMEDOUT ${fitting}` });
  });
}

overWorlds((world) => {
  for (const form of ["sendMany", "sendManySync", "trySendMany"] as const) {
    test(`each message of a batch has the type and the priority that were given (${form})`, async () => {
      const kernel = world.createKernel();
      using queue = kernel.queue();
      queue.sendSync(bytes("usual"), bounded);
      await queue[form]([bytes("urgent"), bytes("urgent too")], { type: 5, priority: 9 });
      for (const expected of ["urgent", "urgent too"]) {
        const { data, type, priority } = queue.receiveSync(bounded);
        assert.deepEqual({ data: text(data), type, priority }, { data: expected, type: 5, priority: 9 });
      }
      assert.equal(text(queue.receiveSync(bounded).data), "usual");
    });
  }

  test("a queue that is closed while somebody is to be told leaves the next one's registration alone", async () => {
    const kernel = world.createKernel();
    const closed = kernel.queue();
    const refused = assert.rejects(closed.notified(), ipcError("EBADF", "mq_notify"));
    closed.close();
    using next = kernel.queue(); // where the first one was
    const told = next.notified();
    await refused;
    await assert.rejects(next.notified(), ipcError("EBUSY", "mq_notify"));
    next.sendSync(bytes("news"), bounded);
    await told;
  });
});
