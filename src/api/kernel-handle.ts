/**
 * What another task attaches with: post it to a worker thread, or send it to a child process. Where the kernel has a name it
 * can be written as JSON too.
 */
export type KernelHandle =
  | {
      /** Of a kernel between processes: what `Kernel.open` knows it by. */
      readonly name: string;
      /** The pid of the task whose handle it is. */
      readonly parentPid: number;
    }
  | {
      /** Of a kernel between threads: its memory. */
      readonly buffer: SharedArrayBuffer;
      /** The WebAssembly.Memory that the buffer belongs to, where the engine has one: its atomics take a third of the time. */
      readonly memory?: object;
      readonly parentPid: number;
    };
