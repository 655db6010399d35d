// The calls that are compared, by their numbers on Linux x86-64.

export const numbers = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  poll: 7,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  ioctl: 16,
  pipe: 22,
  shmget: 29,
  shmat: 30,
  shmctl: 31,
  dup: 32,
  dup2: 33,
  pause: 34,
  alarm: 37,
  kill: 62,
  semget: 64,
  semop: 65,
  semctl: 66,
  shmdt: 67,
  msgget: 68,
  msgsnd: 69,
  msgrcv: 70,
  msgctl: 71,
  fcntl: 72,
  unlink: 87,
  chmod: 90,
  fchmod: 91,
  chown: 92,
  fchown: 93,
  umask: 95,
  getuid: 102,
  getgid: 104,
  setuid: 105,
  setgid: 106,
  geteuid: 107,
  getegid: 108,
  setpgid: 109,
  getpgrp: 111,
  getgroups: 115,
  setgroups: 116,
  setresuid: 117,
  getresuid: 118,
  setresgid: 119,
  getresgid: 120,
  getpgid: 121,
  rt_sigpending: 127,
  rt_sigtimedwait: 128,
  rt_sigqueueinfo: 129,
  rt_sigsuspend: 130,
  mknod: 133,
  tkill: 200,
  semtimedop: 220,
  tgkill: 234,
  mq_open: 240,
  mq_unlink: 241,
  mq_timedsend: 242,
  mq_timedreceive: 243,
  mq_notify: 244,
  mq_getsetattr: 245,
  openat: 257,
  signalfd: 282,
  signalfd4: 289,
  dup3: 292,
  pipe2: 293,
  rt_tgsigqueueinfo: 297,

  // What follows is the harness's own.

  /** interrupt(task): the call that the other task sleeps in returns EINTR. */
  interrupt: 10_000,
  /** peek(address, scratch, length), poke(address, scratch, length): from and to an attached segment. */
  peek: 10_001,
  poke: 10_002,
  /** Closes all descriptors, and gives the task back the user and groups that it began with. */
  reset: 10_003,
  /** inherit(task): closes all descriptors and takes over those of the other task, as by fork and exec. */
  inherit: 10_004,
  /** What SEM_UNDO does when a task dies, done now: on Linux by unshare(CLONE_SYSVSEM), with us by leaving and coming back. */
  undo: 10_005,
  /** handled(at): what the handlers of this task were called with since the last time, which goes to scratch memory. */
  handled: 10_020,
  /** Lets the handlers of a task run that does nothing: with us they run at the return of a call. */
  deliver: 10_021,
} as const;

export type CallName = keyof typeof numbers;

/** From here on a number is the harness's. */
export const OWN_NUMBERS = 10_000;
