// Child processes that end with their parent, however it ends. The parent holds the write end of a pipe that nothing is ever
// written into, the children its read end: when the parent is gone, by kill -9 too, they read end-of-file.

import { Kernel, PipeReader, type Task } from "../../src/index.ts";
import { unlinkIfThere } from "./own-kernel.ts";

/** Where a child finds the read end in its table of descriptors. */
const LIFELINE = 3;

/** Starts programs that lie beside the caller's. */
export class Children {
  readonly #kernel: Kernel;
  readonly #lifeline: PipeReader;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#lifeline = kernel.pipe().reader; // the write end stays open as long as this task lives
  }

  /**
   * Starts a program, such as new URL("./worker.js", import.meta.url). It gets the read end, and not the write end: who holds that
   * himself never reads end-of-file.
   */
  start(program: URL, ...argv: (string | number)[]): Task {
    const descriptors = { [LIFELINE]: this.#lifeline };
    return this.#kernel.spawn(program, { argv: argv.map(String), descriptors });
  }
}

/** In a child: attaches it to its parent's kernel. When the parent is gone it ends, and the kernel's name goes. */
export function attachToParent(): Kernel {
  const kernel = Kernel.attach();
  const lifeline = kernel.fromDescriptor(LIFELINE);
  if (!(lifeline instanceof PipeReader)) throw new TypeError("this program is started by its example's main program");
  const endAlone = (): never => {
    if ("name" in kernel.handle) unlinkIfThere(kernel.handle.name);
    process.exit(1);
  };
  lifeline.read(new Uint8Array(1)).then(endAlone, () => {}); // EBADF: this one has closed its kernel
  return kernel;
}

/**
 * kill -9 at a moment of our choice: the task is stopped, looked at, and then killed or let go on, until it was caught in the
 * middle of something. Returns false where it has ended by itself.
 */
export async function killInTheMiddle(task: Task, isInTheMiddle: () => boolean): Promise<boolean> {
  for (;;) {
    task.kill("SIGSTOP");
    if ((await task.wait({ stopped: true })).state === "ended") return false;
    if (isInTheMiddle()) {
      task.kill("SIGKILL");
      await task.wait();
      return true;
    }
    task.kill("SIGCONT");
    if ((await task.wait({ continued: true })).state === "ended") return false;
  }
}
