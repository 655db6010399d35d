// Linux's own system calls, raw: the number and its arguments, and what the kernel answers.

import { createRequire } from "node:module";

type Koffi = typeof import("koffi");
type Native = (...args: unknown[]) => number | bigint;

const koffi = createRequire(import.meta.url)("koffi") as Koffi;
const library = koffi.load(null as unknown as string);
const native = (prototype: string): Native => library.func(prototype) as unknown as Native;
const call = native("int64_t syscall(long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)");
const dlsym = native("intptr_t dlsym(intptr_t handle, const char *name)");
const sigaction = native("int sigaction(int signal, const uint8_t *action, uint8_t *before)");

const SIGUSR1 = 10;
const SIGKILL = 9;
const SIGPIPE = 13;
const SIG_IGN = 1n;
const SIGACTION_BYTES = 152;

const SYS_MMAP = 9;
const SYS_MPROTECT = 10;
const SYS_CHDIR = 80;
const SYS_PRCTL = 157;
const SYS_CHROOT = 161;
const SYS_SCHED_YIELD = 24;
const SYS_TGKILL = 234;
const SYS_UNSHARE = 272;
const SYS_PRLIMIT = 302;
const SYS_SETNS = 308;
const PR_SET_PDEATHSIG = 1;
const CLONE_NEWIPC = 0x08000000;
const RLIMIT_NOFILE = 7;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FIXED_NOREPLACE = 0x100000;
const PROT_ALL = 7;
const PAGE_BYTES = 4096;

/** A result from 0 up, or a negative errno. */
export function linuxCall(number: number, ...args: (number | bigint)[]): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  const result = Number(call(number, a, b, c, d, e, f));
  return result === -1 ? -koffi.errno() : result;
}

/** The same with a text as its first argument. */
function withText(number: number, text: string): number {
  const bytes = Buffer.from(`${text}\0`);
  const room = koffi.alloc("uint8_t", bytes.length);
  new Uint8Array(koffi.view(room, bytes.length)).set(bytes);
  const result = linuxCall(number, koffi.address(room));
  koffi.free(room);
  return result;
}

/** Makes the directory the root and the working directory: 0, or a negative errno. */
export const enterAsRoot = (directory: string): number => withText(SYS_CHROOT, directory) || withText(SYS_CHDIR, "/");

export const yieldProcessor = (): number => linuxCall(SYS_SCHED_YIELD);

/** This process ends with its parent, whatever call it is in then: 0, or a negative errno. */
export const endWithParent = (): number => linuxCall(SYS_PRCTL, PR_SET_PDEATHSIG, SIGKILL);

/** A namespace of this thread's own for SysV objects and POSIX queues, which its children share: 0, or a negative errno. */
export const unshareIpc = (): number => linuxCall(SYS_UNSHARE, CLONE_NEWIPC);

/** Back to the namespace of a descriptor of /proc/self/ns/ipc. */
export const enterIpc = (descriptor: number): number => linuxCall(SYS_SETNS, descriptor, CLONE_NEWIPC);

/** What lies beyond a task's memory: nothing. */
export const forbidPage = (address: number): number => linuxCall(SYS_MPROTECT, address, PAGE_BYTES, 0);

/** Pages at an address, where nothing is yet, that may be written and executed. */
export function mapAt(address: number, bytes: number): Uint8Array {
  const flags = MAP_PRIVATE_ANONYMOUS | MAP_FIXED_NOREPLACE;
  const result = linuxCall(SYS_MMAP, address, bytes, PROT_ALL, flags, -1, 0);
  if (result !== address) throw new Error(`no pages at ${address.toString(16)}: ${result}`);
  return new Uint8Array(koffi.view(BigInt(address) as never, bytes));
}

/** How many descriptors this process may have. */
export function limitDescriptors(count: number): void {
  const limits = koffi.alloc("uint64_t", 2);
  const words = new BigUint64Array(koffi.view(limits, 16));
  linuxCall(SYS_PRLIMIT, 0, RLIMIT_NOFILE, 0, koffi.address(limits));
  words[0] = BigInt(count);
  const result = linuxCall(SYS_PRLIMIT, 0, RLIMIT_NOFILE, koffi.address(limits), 0);
  if (result < 0) throw new Error(`prlimit: ${result}`);
}

/** A function of the C library, by its name and parameters, for calls that do not sleep. */
export const libraryFunction = (prototype: string): Native => native(prototype);

/** Where a function of the C library is. */
export function addressOfFunction(name: string): bigint {
  const address = BigInt(dlsym(0, name));
  if (address === 0n) throw new Error(`the C library has no ${name}`);
  return address;
}

/** What the last function left in errno, negative. */
export const lastErrno = (): number => -koffi.errno();

function setHandler(signal: number, handler: bigint): void {
  const action = Buffer.alloc(SIGACTION_BYTES);
  action.writeBigInt64LE(handler, 0);
  if (sigaction(signal, action, null) !== 0) throw new Error("sigaction failed");
}

/**
 * Lets SIGUSR1 interrupt calls (EINTR): its handler is a function of libc that does nothing to us, and no call is restarted.
 * A write into a broken pipe only returns EPIPE.
 */
export function prepareSignals(): void {
  setHandler(SIGUSR1, BigInt(dlsym(0, "abs")));
  setHandler(SIGPIPE, SIG_IGN);
}

/** Interrupts the call that a thread sleeps in. */
export const interruptThread = (pid: number, thread: number): number => linuxCall(SYS_TGKILL, pid, thread, SIGUSR1);

/** Where the trampoline finds what it needs, in bytes from the address it is given, and what it marks. */
export interface TrampolinePlaces {
  readonly state: number;
  readonly inCall: number;
  readonly done: number;
  readonly number: number;
  readonly args: number;
  readonly result: number;
}

/**
 * A function in machine code that makes one system call: it stores `inCall`, makes the call, stores the result and `done`.
 * Between the two stores there is one instruction, so who sees `inCall` and a sleeping thread knows that it sleeps in that
 * call, and not in something that JavaScript does before or after. /proc/…/syscall says the same, but not of a task that has
 * changed its user.
 */
export function makeTrampoline(places: TrampolinePlaces): (address: number) => void {
  const { state, inCall, done, number, args, result } = places;
  return fromMachineCode([
    [0x53, 0x48, 0x89, 0xfb], // push rbx; mov rbx, rdi
    [0xc7, 0x83, ...word(state), ...word(inCall)], // mov dword [rbx + state], inCall
    [0x48, 0x63, 0x83, ...word(number)], // movsxd rax, [rbx + number]
    [0x48, 0x8b, 0xbb, ...word(args)], // mov rdi, [rbx + args]
    [0x48, 0x8b, 0xb3, ...word(args + 8)], // mov rsi, …
    [0x48, 0x8b, 0x93, ...word(args + 16)], // mov rdx, …
    [0x4c, 0x8b, 0x93, ...word(args + 24)], // mov r10, …
    [0x4c, 0x8b, 0x83, ...word(args + 32)], // mov r8, …
    [0x4c, 0x8b, 0x8b, ...word(args + 40)], // mov r9, …
    [0x0f, 0x05], // syscall
    [0x48, 0x89, 0x83, ...word(result)], // mov [rbx + result], rax
    [0xc7, 0x83, ...word(state), ...word(done)], // mov dword [rbx + state], done
    [0x5b, 0xc3], // pop rbx; ret
  ]);
}

/** Where the caller of a function finds what it needs, and what it marks. */
export interface FunctionPlaces {
  readonly state: number;
  readonly inCall: number;
  readonly returned: number;
  readonly function: number;
  readonly args: number;
  readonly result: number;
}

/**
 * The same for a function that returns an int, of up to three pointers: who sees `inCall` and a sleeping thread knows that it
 * sleeps in that function. It ends in `returned`: what errno is, and the rest, is JavaScript's to say.
 */
export function makeFunctionTrampoline(places: FunctionPlaces): (address: number) => void {
  const { state, inCall, returned, args, result } = places;
  return fromMachineCode([
    [0x53, 0x48, 0x89, 0xfb], // push rbx; mov rbx, rdi
    [0xc7, 0x83, ...word(state), ...word(inCall)], // mov dword [rbx + state], inCall
    [0x48, 0x8b, 0xbb, ...word(args)], // mov rdi, [rbx + args]
    [0x48, 0x8b, 0xb3, ...word(args + 8)], // mov rsi, …
    [0x48, 0x8b, 0x93, ...word(args + 16)], // mov rdx, …
    [0xff, 0x93, ...word(places.function)], // call [rbx + function]
    [0x48, 0x63, 0xc0], // movsxd rax, eax
    [0x48, 0x89, 0x83, ...word(result)], // mov [rbx + result], rax
    [0xc7, 0x83, ...word(state), ...word(returned)], // mov dword [rbx + state], returned
    [0x5b, 0xc3], // pop rbx; ret
  ]);
}

const trampolineType = koffi.proto("void differential_trampoline(uintptr_t slot)");
/** The bytes of an immediate value. */
export const word = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)];

/** A function of an address. */
export function fromMachineCode(instructions: readonly (readonly number[])[]): (address: number) => void {
  const code = instructions.flat();
  const page = linuxCall(SYS_MMAP, 0, PAGE_BYTES, PROT_ALL, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (page < 0) throw new Error(`no page for machine code: ${page}`);
  new Uint8Array(koffi.view(BigInt(page) as never, PAGE_BYTES)).set(code);
  return koffi.decode(BigInt(page), trampolineType) as (at: number) => void;
}
