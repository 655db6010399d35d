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
  wait4: 61,
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
  waitid: 247,
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
  /** forget(kind, object): the name that an object has with us is removed. Linux's lies in memory that is used again. */
  forget: 10_006,
  /** die(): the task is killed, whether it sleeps or not, and another takes its place. */
  die: 10_007,

  // What Linux does in its C library. A semaphore is one of the task's own handles, 0 to 7; of the others there are eight of each
  // kind, which all tasks share. Times are absolute, of CLOCK_REALTIME, and lie in scratch memory. What blocks has a form that
  // lets go again of what it got at once (`…_pass`): of those it does not matter who is first.

  /** sem_open(handle, name, flags, mode, value), sem_unlink(name), and of a handle the rest. */
  sem_open: 10_100,
  sem_close: 10_101,
  sem_unlink: 10_102,
  sem_post: 10_103,
  sem_wait: 10_104,
  sem_trywait: 10_105,
  sem_timedwait: 10_106,
  /** Its result is the value. */
  sem_getvalue: 10_107,
  sem_pass: 10_108,

  /** pthread_mutex_init(mutex, type), robust. */
  pthread_mutex_init: 10_110,
  pthread_mutex_lock: 10_111,
  pthread_mutex_trylock: 10_112,
  pthread_mutex_timedlock: 10_113,
  pthread_mutex_unlock: 10_114,
  pthread_mutex_consistent: 10_115,
  pthread_mutex_pass: 10_116,

  /** pthread_rwlock_init(lock): one that prefers writers. */
  pthread_rwlock_init: 10_120,
  pthread_rwlock_rdlock: 10_121,
  pthread_rwlock_tryrdlock: 10_122,
  pthread_rwlock_timedrdlock: 10_123,
  pthread_rwlock_wrlock: 10_124,
  pthread_rwlock_trywrlock: 10_125,
  pthread_rwlock_timedwrlock: 10_126,
  pthread_rwlock_unlock: 10_127,
  pthread_rwlock_rdpass: 10_128,
  pthread_rwlock_wrpass: 10_129,

  /** pthread_cond_wait(condition, mutex). */
  pthread_cond_init: 10_130,
  pthread_cond_wait: 10_131,
  pthread_cond_timedwait: 10_132,
  pthread_cond_signal: 10_133,
  pthread_cond_broadcast: 10_134,
  pthread_cond_pass: 10_135,

  /** pthread_barrier_init(barrier, parties); pthread_barrier_wait gives its leader 1. */
  pthread_barrier_init: 10_140,
  pthread_barrier_wait: 10_141,
  /** handled(at): what the handlers of this task were called with since the last time, which goes to scratch memory. */
  handled: 10_020,
  /** Lets the handlers of a task run that does nothing: with us they run at the return of a call. */
  deliver: 10_021,
  /** spawn(n): makes the n-th child of this run, which sleeps; its pid. end_child(pid, code): that child ends so. */
  spawn: 10_030,
  end_child: 10_031,
} as const;

export type CallName = keyof typeof numbers;

/** From here on a number is the harness's. */
export const OWN_NUMBERS = 10_000;
/** From here on a number is that of a function of the C library, which may sleep. */
export const LIBRARY_NUMBERS = 10_100;

export const nameOfNumber: ReadonlyMap<number, CallName> = new Map(
  Object.entries(numbers).map(([name, number]) => [number, name as CallName]),
);

/** Objects that all tasks share, so many of each kind. */
export const OBJECTS = 8;
export const objectKinds = ["mutex", "rwlock", "condition", "barrier"] as const;
export type ObjectKind = (typeof objectKinds)[number];
