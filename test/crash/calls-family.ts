// Every system call, as a task makes it that has one of each kind of object open, and a child.

import { EAGAIN } from "../../src/abi/errno.ts";
import type { System } from "../../src/kernel/system.ts";
import { access, kinds } from "../../src/memory/layout.ts";
import type { Family } from "../stepped/object-families.ts";
import { type Calls, callsOf } from "../task-calls.ts";

const KEY = 5;
const OTHER_KEY = 6;
const CREATE = 0o1600;
const IPC_RMID = 0;
const IPC_SET = 1;
const IPC_STAT = 2;
const SETVAL = 16;
const SETALL = 17;
const SIGUSR1 = 10;
const SIGALRM = 14;
const REAL_TIME = 40;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_NONBLOCK = 0o4000;
const S_IFIFO = 0o10000;
const F_DUPFD = 0;
const F_SETFD = 2;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const AT_FDCWD = -100;
const EVENT_SIGNAL = 0;

/** Where in a task's memory things lie. */
const TEXT = 512;
const OTHER_TEXT = 640;
/** Of POSIX queues, whose names the calls take without the slash. */
const QUEUE_TEXT = 768;
const OTHER_QUEUE_TEXT = 896;
const AT = 1024;
const MORE = 2048;

export interface CallHandles extends Calls {
  readonly system: System;
  readonly reader: number;
  readonly writer: number;
  readonly fifo: number;
  readonly posixQueue: number;
  readonly queue: number;
  readonly set: number;
  readonly segment: number;
}

function place(memory: DataView, at: number, text: string): number {
  new TextEncoder().encodeInto(`${text}\0`, new Uint8Array(memory.buffer, at));
  return at;
}

function open(system: System): CallHandles {
  const { sys, memory } = callsOf(system);
  place(memory, TEXT, "/here");
  place(memory, OTHER_TEXT, "/new");
  place(memory, QUEUE_TEXT, "here");
  place(memory, OTHER_QUEUE_TEXT, "new");
  memory.setBigUint64(AT, signalsOf(SIGUSR1, REAL_TIME), true);
  sys.rt_sigprocmask(0, AT, 0, 8);
  sys.pipe(AT);
  const [reader, writer] = [memory.getInt32(AT, true), memory.getInt32(AT + 4, true)];
  return {
    system,
    sys,
    memory,
    reader,
    writer,
    fifo: sys.open(TEXT, O_RDWR | O_NONBLOCK, 0),
    posixQueue: sys.mq_open(QUEUE_TEXT, O_RDWR | O_NONBLOCK, 0, 0),
    queue: sys.msgget(KEY, 0),
    set: sys.semget(KEY, 0, 0),
    segment: sys.shmget(KEY, 0, 0),
  };
}

const signalsOf = (...signals: number[]): bigint => signals.reduce((set, one) => set | (1n << BigInt(one - 1)), 0n);

function arrange(system: System): void {
  const { sys, memory } = callsOf(system);
  place(memory, TEXT, "/here");
  place(memory, QUEUE_TEXT, "here");
  sys.mknod(TEXT, S_IFIFO | 0o600, 0);
  memory.setBigInt64(AT + 8, 2n, true); // mq_maxmsg
  memory.setBigInt64(AT + 16, 8n, true); // mq_msgsize
  sys.mq_open(QUEUE_TEXT, O_RDWR | O_CREAT, 0o600, AT);
  sys.msgget(KEY, CREATE);
  sys.semget(KEY, 2, CREATE);
  sys.shmget(KEY, 4096, CREATE);
}

/** What outlives the tasks. */
export function destroy(system: System): void {
  const { sys, memory } = callsOf(system);
  for (const name of ["/here", "/new"]) {
    sys.unlink(place(memory, TEXT, name));
    sys.mq_unlink(place(memory, TEXT, name.slice(1)));
  }
  for (const key of [KEY, OTHER_KEY]) {
    sys.msgctl(sys.msgget(key, 0), IPC_RMID, 0);
    sys.semctl(sys.semget(key, 0, 0), 0, IPC_RMID, 0);
    sys.shmctl(sys.shmget(key, 0, 0), IPC_RMID, 0);
  }
  system.sysv.forgetRemoved();
}

function operate(
  { sys, memory, set }: CallHandles,
  ...operations: [index: number, value: number, flags?: number][]
): number {
  operations.forEach(([index, value, flags = 0], i) => {
    [index, value, flags].forEach((half, j) => {
      memory.setInt16(AT + 6 * i + 2 * j, half, true);
    });
  });
  return sys.semop(set, AT, operations.length);
}

function send({ sys, memory, queue }: CallHandles, type: number, bytes = 4): number {
  memory.setBigInt64(AT, BigInt(type), true);
  return sys.msgsnd(queue, AT, bytes, 0);
}

const SEM_UNDO = 0x1000;

/** The rows, each named after its call, and what it does. */
const operations: Family<void, CallHandles>["operations"] = {
  "read nothing": ({ sys, reader }) => sys.fcntl(reader, F_SETFL, O_NONBLOCK) || sys.read(reader, AT, 8),
  "write and read": ({ sys, reader, writer }) => sys.write(writer, AT, 8) && sys.read(reader, AT, 3),
  "write to a fifo": ({ sys, fifo }) => sys.write(fifo, AT, 8),
  "open a fifo": ({ sys }) => sys.open(TEXT, O_RDWR, 0),
  "openat a fifo": ({ sys }) => sys.openat(AT_FDCWD, TEXT, O_RDWR, 0),
  "close a writer": ({ sys, writer }) => sys.close(writer),
  "close a fifo": ({ sys, fifo }) => sys.close(fifo),
  "close a posix queue": ({ sys, posixQueue }) => sys.close(posixQueue),
  "poll what is ready": ({ sys, memory, writer }) => {
    memory.setInt32(AT, writer, true);
    memory.setInt16(AT + 4, 4, true);
    return sys.poll(AT, 1, -1);
  },
  "poll and fall asleep": ({ sys, memory, reader }) => {
    memory.setInt32(AT, reader, true);
    memory.setInt16(AT + 4, 1, true);
    return sys.poll(AT, 1, -1);
  },
  rt_sigaction: ({ sys, memory }) => {
    memory.setBigUint64(AT, 1n, true); // SIG_IGN
    return sys.rt_sigaction(SIGUSR1, AT, 0, 8);
  },
  rt_sigprocmask: ({ sys, memory }) => {
    memory.setBigUint64(AT, signalsOf(SIGALRM), true);
    return sys.rt_sigprocmask(0, AT, 0, 8);
  },
  rt_sigpending: ({ sys }) => sys.rt_sigpending(AT, 8),
  "rt_sigtimedwait and fall asleep": ({ sys, memory }) => {
    memory.setBigUint64(AT, signalsOf(SIGUSR1), true);
    return sys.rt_sigtimedwait(AT, 0, 0, 8);
  },
  "kill and rt_sigtimedwait": ({ sys, memory, system }) => {
    memory.setBigUint64(AT, signalsOf(SIGUSR1), true);
    return sys.kill(system.pid, SIGUSR1) || sys.rt_sigtimedwait(AT, 0, 0, 8);
  },
  "rt_sigsuspend and fall asleep": ({ sys, memory }) => {
    memory.setBigUint64(AT, signalsOf(SIGUSR1), true);
    return sys.rt_sigsuspend(AT, 8);
  },
  "pause and fall asleep": ({ sys }) => sys.pause(),
  "kill another": ({ sys, system }) => sys.kill(system.pid + 1, REAL_TIME),
  "tkill another": ({ sys, system }) => sys.tkill(system.pid + 1, SIGUSR1),
  "tgkill another": ({ sys, system }) => sys.tgkill(system.pid + 1, system.pid + 1, SIGUSR1),
  rt_sigqueueinfo: ({ sys, memory, system }) => {
    memory.setInt32(AT + 8, -1, true); // SI_QUEUE
    return sys.rt_sigqueueinfo(system.pid + 1, REAL_TIME, AT);
  },
  rt_tgsigqueueinfo: ({ sys, memory, system }) => {
    memory.setInt32(AT + 8, -1, true);
    return sys.rt_tgsigqueueinfo(system.pid + 1, system.pid + 1, REAL_TIME, AT);
  },
  alarm: ({ sys }) => sys.alarm(100) || sys.alarm(0),
  "signalfd of other signals": ({ sys, memory }) => {
    memory.setBigUint64(AT, signalsOf(SIGUSR1), true);
    const file = sys.signalfd(-1, AT, 8);
    memory.setBigUint64(AT, signalsOf(REAL_TIME), true);
    return sys.signalfd(file, AT, 8);
  },
  signalfd: ({ sys, memory }) => {
    memory.setBigUint64(AT, signalsOf(SIGUSR1), true);
    return sys.signalfd(-1, AT, 8);
  },
  "signalfd4, and read": ({ sys, memory, system }) => {
    memory.setBigUint64(AT, signalsOf(SIGUSR1), true);
    const file = sys.signalfd4(-1, AT, 8, O_NONBLOCK);
    sys.kill(system.pid, SIGUSR1);
    return sys.read(file, MORE, 128);
  },
  setpgid: ({ sys }) => sys.setpgid(0, 0),
  ioctl: ({ sys, reader }) => sys.ioctl(reader, 0x541b, AT),
  pipe: ({ sys }) => sys.pipe(AT),
  pipe2: ({ sys }) => sys.pipe2(AT, O_NONBLOCK),
  dup: ({ sys, reader }) => sys.dup(reader),
  "dup2 to another": ({ sys, reader, writer }) => sys.dup2(reader, writer),
  "dup3 to a free one": ({ sys, reader }) => sys.dup3(reader, 12, 0),
  "fcntl F_DUPFD": ({ sys, reader }) => sys.fcntl(reader, F_DUPFD, 10),
  "fcntl F_SETFD": ({ sys, reader }) => sys.fcntl(reader, F_SETFD, 1),
  "fcntl F_SETFL": ({ sys, reader }) => sys.fcntl(reader, F_SETFL, O_NONBLOCK),
  "fcntl F_SETPIPE_SZ": ({ sys, writer }) => sys.write(writer, AT, 8) && sys.fcntl(writer, F_SETPIPE_SZ, 8192),
  mknod: ({ sys }) => sys.mknod(OTHER_TEXT, S_IFIFO | 0o600, 0),
  unlink: ({ sys }) => sys.unlink(TEXT),
  chmod: ({ sys }) => sys.chmod(TEXT, 0o640),
  fchmod: ({ sys, fifo }) => sys.fchmod(fifo, 0o640),
  chown: ({ sys }) => sys.chown(TEXT, 0, 7),
  fchown: ({ sys, fifo }) => sys.fchown(fifo, 0, 7),
  umask: ({ sys }) => sys.umask(0o77),
  setuid: ({ sys }) => sys.setuid(7),
  setgid: ({ sys }) => sys.setgid(7),
  setresuid: ({ sys }) => sys.setresuid(7, 7, 7),
  setresgid: ({ sys }) => sys.setresgid(7, 7, 7),
  setgroups: ({ sys, memory }) => {
    memory.setInt32(AT, 9, true);
    return sys.setgroups(1, AT);
  },
  getpid: ({ sys }) => sys.getpid(),
  getppid: ({ sys }) => sys.getppid(),
  getpgid: ({ sys }) => sys.getpgid(0),
  getpgrp: ({ sys }) => sys.getpgrp(),
  getuid: ({ sys }) => sys.getuid(),
  getgid: ({ sys }) => sys.getgid(),
  geteuid: ({ sys }) => sys.geteuid(),
  getegid: ({ sys }) => sys.getegid(),
  getgroups: ({ sys }) => sys.getgroups(0, 0),
  getresuid: ({ sys }) => sys.getresuid(AT, AT + 4, AT + 8),
  getresgid: ({ sys }) => sys.getresgid(AT, AT + 4, AT + 8),
  "msgget of a new queue": ({ sys }) => sys.msgget(OTHER_KEY, CREATE),
  msgsnd: (handles) => send(handles, 3),
  "msgsnd until it grows": (handles) => {
    for (let i = 0; i < 17; i++) send(handles, i + 1, 1);
  },
  "msgsnd, and msgrcv by type": (handles) => {
    for (const type of [3, 2, 1]) send(handles, type);
    return handles.sys.msgrcv(handles.queue, AT, 8, -2n, 0);
  },
  "msgrcv of a copy": (handles) => send(handles, 1) || handles.sys.msgrcv(handles.queue, AT, 8, 0, 0o44000),
  "semctl GETPID and GETNCNT": ({ sys, set }) => sys.semctl(set, 0, 11, 0) + sys.semctl(set, 0, 14, 0),
  "fcntl F_GETFD": ({ sys, reader }) => sys.fcntl(reader, 1, 0),
  "msgrcv and fall asleep": ({ sys, queue }) => sys.msgrcv(queue, AT, 8, 0, 0),
  "msgctl IPC_SET": ({ sys, queue }) => sys.msgctl(queue, IPC_STAT, AT) || sys.msgctl(queue, IPC_SET, AT),
  "msgctl IPC_RMID": (handles) => send(handles, 1) || handles.sys.msgctl(handles.queue, IPC_RMID, 0),
  "semget of a new set": ({ sys }) => sys.semget(OTHER_KEY, 3, CREATE),
  semop: (handles) => operate(handles, [0, 2], [1, 1]),
  "semop with SEM_UNDO": (handles) => operate(handles, [0, 2, SEM_UNDO], [1, 1, SEM_UNDO]),
  "semop and fall asleep": (handles) => operate(handles, [0, -1]),
  semtimedop: ({ sys, memory, set }) => {
    memory.setBigInt64(AT, 1n << 16n, true); // semaphore 0, up by one
    memory.setBigInt64(MORE, 1n, true);
    memory.setBigInt64(MORE + 8, 0n, true);
    return sys.semtimedop(set, AT, 1, MORE);
  },
  "semctl SETVAL": ({ sys, set }) => sys.semctl(set, 1, SETVAL, 5),
  "semctl SETALL": ({ sys, memory, set }) => {
    memory.setInt32(AT, 0x0004_0003, true);
    return sys.semctl(set, 0, SETALL, AT);
  },
  "semctl IPC_RMID": (handles) => operate(handles, [0, 2, SEM_UNDO]) || handles.sys.semctl(handles.set, 0, IPC_RMID, 0),
  "shmget of a new segment": ({ sys }) => sys.shmget(OTHER_KEY, 4096, CREATE),
  "shmat and shmdt": ({ sys, segment }) => sys.shmdt(sys.shmat(segment, 0, 0)),
  shmdt: ({ sys }) => sys.shmdt(AT),
  shmat: ({ sys, segment }) => sys.shmat(segment, 0, 0),
  "shmat of what is removed meanwhile": ({ sys, segment }) => {
    sys.shmat(segment, 0, 0);
    return sys.shmctl(segment, IPC_RMID, 0);
  },
  "shmctl IPC_RMID": ({ sys, segment }) => sys.shmctl(segment, IPC_RMID, 0),
  "shmctl IPC_SET": ({ sys, segment }) => sys.shmctl(segment, IPC_STAT, AT) || sys.shmctl(segment, IPC_SET, AT),
  "mq_open of a new queue": ({ sys }) => sys.mq_open(OTHER_QUEUE_TEXT, O_RDWR | O_CREAT, 0o600, 0),
  "mq_open of one that is there": ({ sys }) => sys.mq_open(QUEUE_TEXT, O_RDWR, 0, 0),
  mq_unlink: ({ sys }) => sys.mq_unlink(QUEUE_TEXT),
  mq_timedsend: ({ sys, posixQueue }) => sys.mq_timedsend(posixQueue, AT, 4, 1, 0),
  mq_timedreceive: ({ sys, posixQueue }) => sys.mq_timedreceive(posixQueue, AT, 8, 0, 0),
  "mq_timedsend and mq_timedreceive": ({ sys, posixQueue }) =>
    sys.mq_timedsend(posixQueue, AT, 4, 1, 0) || sys.mq_timedreceive(posixQueue, AT, 8, 0, 0),
  "read the status of a posix queue": ({ sys, posixQueue }) => sys.read(posixQueue, AT, 8),
  "mq_notify, and a message": ({ sys, memory, posixQueue }) => {
    memory.setInt32(MORE + 8, SIGUSR1, true);
    memory.setInt32(MORE + 12, EVENT_SIGNAL, true);
    return sys.mq_notify(posixQueue, MORE) || sys.mq_timedsend(posixQueue, AT, 4, 1, 0);
  },
  mq_getsetattr: ({ sys, memory, posixQueue }) => {
    memory.setBigInt64(AT, 0n, true);
    return sys.mq_getsetattr(posixQueue, AT, 0);
  },
  "wait4 for nobody": ({ sys }) => sys.wait4(-1, 0, 0, 0),
  "wait4 and fall asleep": ({ sys, system }) => {
    system.reserveChild({ blocked: 0n, ignored: 0n });
    return sys.wait4(-1, 0, 0, 0);
  },
  waitid: ({ sys }) => sys.waitid(0, 0, AT, 4, 0),
  exit: ({ sys }) => sys.exit(3),
  exit_group: ({ sys }) => sys.exit_group(3),
};

/** Which call an operation is of. */
export const callOf = (operation: string): string => operation.split(/[ ,]/)[0] as string;

export const callsFamily: Family<void, CallHandles> = {
  name: "system call",
  make: arrange,
  open,
  before: { "with all open": () => {} },
  operations,
  observe: (handles) => {
    const { sys, memory, queue, set, segment, fifo, posixQueue, system } = handles;
    const messages = [];
    for (;;) {
      const length = sys.msgrcv(queue, AT, 8, 0, 0o4000);
      if (length < 0) {
        messages.push(length);
        break;
      }
      messages.push(memory.getBigInt64(AT, true));
    }
    const values = [0, 1].map((i) => sys.semctl(set, i, 12, 0));
    const attached = sys.shmctl(segment, IPC_STAT, AT) || Number(memory.getBigUint64(AT + 88, true));
    const inFifo = sys.read(fifo, AT, 64);
    const inQueue = sys.mq_timedreceive(posixQueue, AT, 8, 0, 0);
    const names = ["here", "new"].filter(
      (name) =>
        typeof system.open({ kind: kinds.QUEUE, name: new TextEncoder().encode(name) }, { access: access.READ }) !==
        "number",
    );
    const keys = [sys.msgget(OTHER_KEY, 0), sys.semget(OTHER_KEY, 0, 0), sys.shmget(OTHER_KEY, 0, 0)].map(
      (id) => id >= 0,
    );
    place(memory, TEXT, "/here");
    const mode = sys.open(TEXT, O_RDWR | O_NONBLOCK, 0) >= 0;
    return `holds [${messages}], is [${values}], ${attached} attached, fifo ${inFifo === EAGAIN ? 0 : inFifo}, queue ${inQueue === EAGAIN ? "empty" : inQueue}, names [${names}], keys [${keys}], ${mode}`;
  },
};
