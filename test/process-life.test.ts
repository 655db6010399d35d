// What the package does to the life of a process: awaits keep it alive, nothing else does, and koffi is optional.

import assert from "node:assert/strict";
import { test } from "node:test";
import { packageUrl, runScript } from "./child-script.ts";
import { waits } from "./waits.ts";
import { filesLeft, inWorld, type TestWorld } from "./worlds.ts";

const worlds: TestWorld["name"][] = ["threads", "processes"];

for (const name of worlds) {
  inWorld(name, (world) => {
    /** Makes a kernel in a script; a named one is removed after the test. */
    const kernelScript = (): string =>
      name === "threads"
        ? "const kernel = ipc.Kernel.create();"
        : `const kernel = ipc.Kernel.open(${JSON.stringify(world.freshName())}, { create: true, exclusive: true });`;

    /** Runs a script to its own end. */
    const run = async (source: string): Promise<string> => {
      const { status, signal, stdout, stderr } = await runScript(`${kernelScript()}\n${source}`);
      assert.deepEqual([status, signal, stderr], [0, null, ""]);
      return stdout;
    };

    test("a process that used a kernel without waiting ends by itself", async () => {
      const source = `
        const queue = kernel.queue();
        queue.sendSync(new Uint8Array(3));
        console.log(queue.receiveSync().data.length);
        const { reader, writer } = kernel.pipe();
        writer.writeSync(new Uint8Array(5));
        console.log(reader.readSync(new Uint8Array(9)));
      `;
      assert.equal(await run(source), "3\n5\n");
    });

    test("a process that slept in a call ends by itself", async () => {
      const source = `
        try {
          kernel.queue().receiveSync({ timeout: 30 });
        } catch (error) {
          console.log(error.code);
        }
      `;
      assert.equal(await run(source), "ETIMEDOUT\n");
    });

    test("an awaited receive keeps the process alive until it settles, and not longer", async () => {
      const source = `
        const queue = kernel.queue();
        setTimeout(() => queue.sendSync(new Uint8Array(7)), 150).unref();
        console.log((await queue.receive()).data.length);
      `;
      assert.equal(await run(source), "7\n");
    });

    const waitsUrl = new URL("./waits.js", import.meta.url).href;

    test("whatever a process awaits keeps it alive until that settles", async () => {
      // Each wait is let go on by a timer that keeps nothing alive: were it the same with the wait, the process would end in it.
      const source = `
        import { waits } from ${JSON.stringify(waitsUrl)};
        for (const [name, make] of Object.entries(waits)) {
          const { promised, release } = make(kernel);
          setTimeout(() => release(), 20).unref();
          await promised();
          console.log(name);
          if (name === "kernel.openFifo") kernel.unlinkFifo("fifo");
        }
      `;
      assert.deepEqual((await run(source)).trim().split("\n"), Object.keys(waits));
    });

    test("polls, child tasks and streams that are awaited keep the process alive too", async () => {
      const program = new URL("./spawned.js", import.meta.url).href;
      const source = `
        const { reader, writer } = kernel.pipe();
        const later = (call) => setTimeout(call, 20).unref();
        later(() => writer.tryWrite(new Uint8Array(1)));
        console.log((await kernel.poll([{ handle: reader }])).length);
        const signals = kernel.signals.open(["SIGUSR1"]);
        later(() => kernel.kill(kernel.pid, "SIGUSR1"));
        console.log((await kernel.poll([{ handle: signals }])).length);
        const task = kernel.spawn(new URL(${JSON.stringify(program)}), { argv: ["exit:4"], execArgv: [] });
        task.child.unref();
        console.log((await task.wait()).exitCode);
        const queue = kernel.queue({ codec: ipc.text() });
        later(() => queue.trySend("web"));
        console.log((await queue.toWeb().readable.getReader().read()).value.data);
        later(() => queue.trySend("node"));
        for await (const { data } of queue.toNode()) {
          console.log(data);
          break;
        }
      `;
      assert.equal(await run(source), "1\n1\n4\nweb\nnode\n");
    });

    test("nothing else keeps it alive: handles, handlers, children that it does not wait for, bells that rang", async () => {
      const source = `
        import { Worker } from "node:worker_threads";
        const handles = [kernel.queue(), kernel.pipe(), kernel.mutex(), kernel.semaphore({ value: 1 })];
        handles.push(kernel.rwlock(), kernel.condition(), kernel.barrier({ parties: 2 }), kernel.sharedMemory({ bytes: 8 }));
        handles[2].lockSync();
        kernel.signals.on("SIGTERM", () => {}).on("SIGCHLD", () => {}).block("SIGUSR2");
        const signals = kernel.signals.open(["SIGUSR1"]);
        kernel.sys.alarm(1000);
        setTimeout(() => kernel.kill(kernel.pid, "SIGUSR1"), 10).unref();
        await signals.receive();
        const values = handles[0].values();
        handles[0].toNode();
        handles[0].toWeb();
        const idle = kernel.adopt(new Worker("setInterval(() => {}, 1000)", { eval: true }));
        await new Promise((resolve) => idle.once("online", resolve));
        idle.unref();
        console.log("ends");
      `;
      assert.equal(await run(source), "ends\n");
    });

    test("a worker thread ends by itself with its kernel, handles and handlers still open, and not while it awaits", async () => {
      const source = `
        import { Worker } from "node:worker_threads";
        const code = \`
          import { workerData } from "node:worker_threads";
          const { Kernel } = await import(workerData.url);
          const kernel = Kernel.attach(workerData.handle);
          kernel.signals.on("SIGTERM", () => {});
          const queue = kernel.queue({ name: "q" });
          setTimeout(() => queue.trySend(new Uint8Array(5)), 20).unref();
          await queue.receive();
          queue.trySend(new Uint8Array(6));
        \`;
        const queue = kernel.queue({ name: "q", create: true });
        const worker = new Worker(code, { eval: true, workerData: { handle: kernel.handle, url: ${JSON.stringify(packageUrl)} } });
        console.log(await new Promise((resolve) => worker.once("exit", resolve)), queue.tryReceive().data.length);
      `;
      assert.equal(await run(source), "0 6\n");
    });

    test("an await that times out, and one that is aborted, keep nothing alive", async () => {
      const source = `
        const queue = kernel.queue();
        console.log(await queue.receive({ timeout: 50 }).catch((error) => error.code));
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 50).unref();
        console.log(await queue.receive({ signal: controller.signal }).catch((error) => error.name));
      `;
      assert.equal(await run(source), "ETIMEDOUT\nAbortError\n");
    });

    test("closing a kernel ends its awaits, and the process", async () => {
      const source = `
        const queue = kernel.queue();
        setTimeout(() => kernel.close(), 50).unref();
        console.log(await queue.receive().catch((error) => error.code));
      `;
      assert.equal(await run(source), "EBADF\n");
    });

    test("an adopted worker that has ended keeps nothing alive", async () => {
      const source = `
        import { Worker } from "node:worker_threads";
        const worker = kernel.adopt(new Worker("", { eval: true }));
        worker.once("exit", () => console.log("ended"));
      `;
      assert.equal(await run(source), "ended\n");
    });

    test("a process that throws with a kernel open ends with its error, not with ours", async () => {
      const { status, stderr } = await runScript(`${kernelScript()}\nkernel.pipe();\nthrow new Error("its own");`);
      assert.equal(status, 1);
      assert.match(stderr, /Error: its own/);
    });
  });
}

/** Makes koffi impossible to find. */
const withoutKoffi = [
  "--import",
  `data:text/javascript,${encodeURIComponent(`
    import Module from "node:module";
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (request, ...rest) {
      if (request !== "koffi") return resolve.call(this, request, ...rest);
      throw Object.assign(new Error("Cannot find module 'koffi'"), { code: "MODULE_NOT_FOUND" });
    };
  `)}`,
];

test("without koffi Kernel.open is ENOSYS that says to install it, and leaves no file", async () => {
  const name = `test-${process.pid}-without-koffi`;
  const source = `
    for (const call of [
      () => ipc.Kernel.open("${name}", { create: true }),
      () => ipc.Kernel.attach({ name: "${name}", parentPid: 0 }),
    ]) {
      try {
        call();
      } catch (error) {
        console.log(error.code, error.errno, error.message);
      }
    }
  `;
  const { stdout, stderr } = await runScript(source, { nodeArguments: withoutKoffi });
  assert.equal(stderr, "");
  assert.match(stdout, /^ENOSYS -38 .*open kernel .*npm install koffi.*\nENOSYS -38 .*attach.*npm install koffi.*\n$/);
  assert.deepEqual(filesLeft(), []);
});

test("without koffi kernels between threads work", async () => {
  const source = `
    import { Worker } from "node:worker_threads";
    const kernel = ipc.Kernel.create();
    const queue = kernel.queue({ name: "q", create: true });
    const code = \`
      import { workerData } from "node:worker_threads";
      const { Kernel } = await import(workerData.url);
      Kernel.attach(workerData.handle).queue({ name: "q" }).sendSync(Buffer.from("from a thread"));
    \`;
    new Worker(code, { eval: true, workerData: { handle: kernel.handle, url: ${JSON.stringify(packageUrl)} } });
    console.log(Buffer.from((await queue.receive()).data).toString());
  `;
  const { stdout, stderr, status } = await runScript(source, { nodeArguments: withoutKoffi });
  assert.deepEqual([stdout, stderr, status], ["from a thread\n", "", 0]);
});
