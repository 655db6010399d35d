// Children of a task of Linux's: copies of it (clone(2)) that run a few bytes of machine code, sleep on a word, and end with what
// they find there. They end with their parent.

import { fromMachineCode, word } from "./native.ts";

const SYS_CLONE = 56;
const SYS_PRCTL = 157;
const SYS_FUTEX = 202;
const SYS_EXIT_GROUP = 231;
const SIGCHLD = 17;
const SIGKILL = 9;
const PR_SET_PDEATHSIG = 1;

const moveEax = (value: number): number[] => [0xb8, ...word(value)];
const moveEdi = (value: number): number[] => [0xbf, ...word(value)];
const moveEsi = (value: number): number[] => [0xbe, ...word(value)];
const SYSCALL = [0x0f, 0x05];
const CLEAR_RDX_R10_R8 = [0x31, 0xd2, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xc0];

const sleep = [
  moveEax(SYS_FUTEX),
  [0x48, 0x89, 0xdf], // mov rdi, rbx: the word; it sleeps while that is 0
  moveEsi(0),
  CLEAR_RDX_R10_R8,
  SYSCALL,
  [0x8b, 0x3b], // mov edi, [rbx]
  [0x85, 0xff], // test edi, edi
].flat();

/** Where a child has its words, in bytes: what it is to end with and 1 more, 0 until then; and where its parent writes its pid. */
export const childWords = { END: 0, PID: 4, BYTES: 8 } as const;

/** Makes a child that sleeps on its word, at an address. */
export const makeChild = (): ((address: number) => void) =>
  fromMachineCode([
    [0x53, 0x48, 0x89, 0xfb], // push rbx; mov rbx, rdi
    moveEax(SYS_CLONE),
    moveEdi(SIGCHLD),
    moveEsi(0),
    CLEAR_RDX_R10_R8,
    SYSCALL,
    [0x48, 0x85, 0xc0], // test rax, rax
    [0x74, 0x05], // jz: the child
    [0x89, 0x43, childWords.PID], // mov [rbx + PID], eax
    [0x5b, 0xc3], // pop rbx; ret
    moveEax(SYS_PRCTL),
    moveEdi(PR_SET_PDEATHSIG),
    moveEsi(SIGKILL),
    SYSCALL,
    sleep,
    [0x74, 0x100 - sleep.length - 2], // jz: back to sleep
    [0xff, 0xcf], // dec edi
    moveEax(SYS_EXIT_GROUP),
    SYSCALL,
  ]);
