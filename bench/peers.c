/*
 * What the benchmark's rows are measured beside: Linux's own IPC, called from C.
 *
 *   peers WORK BYTES WARMUP OPERATIONS CPU [OTHER-CPU]
 *
 * WORK is one of the names in `works` below. CPU is where the measured process runs, OTHER-CPU where its partner does.
 * On success one line of JSON goes to standard output, with the nanoseconds of one operation:
 *
 *   {"work":"sysv-stream","bytes":256,"operations":100000,"ns":805.3}
 *
 * An operation is a send and a receive (pair), one message (stream), a message there and one back (roundtrip), one KiB
 * (pipe-stream, where BYTES is both the pipe's capacity and the chunk), a wait and a post (sysv-sem-pair), a lock and an
 * unlock (mutex-pair; mutex-contended, while another process does the same), a signal there and one back (signal-roundtrip),
 * a store to one word there and to another back (spin-roundtrip), a futex's wake there and one back (futex-roundtrip), two
 * atomic exchanges (atomics-pair; atomics-contended, while another process does the same), BYTES copied into shared memory and
 * out of it (memcpy-pair), or one KiB of it (memcpy; segment-in, segment-out: into shared memory, out of it).
 *
 * A crowd's work has `processes` 0: PARTIES processes of each side, on both CPUs. sysv-crowd counts the messages that pass from
 * senders to receivers; in mutex-fairness the parties lock and unlock for a while, in sysv-fairness they receive what one sends, and
 * the line has also the longest wait of
 * one of them in nanoseconds, the least share that one had of what would have been fair, and the share of each:
 *
 *   peers WORK BYTES WARMUP OPERATIONS CPU OTHER-CPU PARTIES
 *
 * Nothing stays behind, however the program ends: a POSIX queue is unlinked as soon as it is open, and each System V
 * object has a guardian, a child that removes it when the last process that uses it is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/futex.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  BYTES_MAX = 1 << 20,
  SECONDS_MAX = 60,       /* the whole program; the default action of SIGALRM ends it, and the guardians clean up */
  MQ_DEPTH_DEFAULT = 10,  /* /proc/sys/fs/mqueue/msg_default */
  EXIT_USAGE = 2,
};

enum kind { SYSV, MQ, PIPE, LOCK };

enum { PARTIES_MAX = 64 };

/* One direction. System V and POSIX queues have one number for both ends. */
struct channel {
  enum kind kind;
  int reading;
  int writing;
};

struct order {
  const char *work;
  enum kind kind;
  size_t bytes;
  long warmup;
  long operations;
  int cpu;
  int other_cpu;
  int parties;
};

struct work {
  const char *name;
  enum kind kind;
  int processes;
  double (*measure)(const struct order *); /* nanoseconds of one operation */
};

/* The type of a System V message stands in front of its bytes, and so it does here for every kind. */
static struct {
  long type;
  char bytes[BYTES_MAX];
} message = {.type = 1};

/* What is copied from and to where a copy is all there is: memcpy is several times slower where the ends differ in alignment. */
static _Alignas(4096) char own[BYTES_MAX];

static pid_t measured_process;
static int lifetime_reading = -1;
static int lifetime_writing = -1; /* held by the measured process and its partner: its end is what guardians wait for */

static void fail(const char *format, ...) {
  int error = errno;
  va_list arguments;
  va_start(arguments, format);
  fputs("peers: ", stderr);
  vfprintf(stderr, format, arguments);
  fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
  va_end(arguments);
  if (getpid() != measured_process) kill(measured_process, SIGTERM); /* it would wait for its partner for ever */
  _exit(1);
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("cannot run on CPU %d", cpu);
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int remove_queue(int queue) { return msgctl(queue, IPC_RMID, NULL); }

static int remove_set(int set) { return semctl(set, 0, IPC_RMID); }

/* The guardian hears neither Ctrl-C nor kill: it ends when the processes that it looks after have ended. */
static _Noreturn void guard(int object, int (*remove)(int)) {
  close(lifetime_writing);
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  char byte;
  while (read(lifetime_reading, &byte, 1) < 0 && errno == EINTR) {
  }
  _exit(remove(object) == 0 ? 0 : 1);
}

static int make_queue(void) { return msgget(IPC_PRIVATE, 0600); }

static int make_set(void) { return semget(IPC_PRIVATE, 1, 0600); }

/* Makes a System V object, and its guardian. */
static int make_guarded(int (*make)(void), int (*remove)(int)) {
  if (lifetime_writing < 0) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    lifetime_reading = ends[0];
    lifetime_writing = ends[1];
  }
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before); /* no signal may end us between the queue and its guardian */
  int object = make();
  if (object < 0) fail("cannot make a System V object");
  pid_t guardian = fork();
  if (guardian == 0) guard(object, remove);
  if (guardian < 0) {
    remove(object);
    fail("fork");
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return object;
}

static struct channel open_sysv(void) {
  int queue = make_guarded(make_queue, remove_queue);
  return (struct channel){SYSV, queue, queue};
}

static struct channel open_mq(size_t bytes) {
  static int opened = 0;
  char name[64];
  snprintf(name, sizeof name, "/fangaos-bench-%d-%d", (int)getpid(), opened++);
  struct mq_attr attributes = {.mq_maxmsg = MQ_DEPTH_DEFAULT, .mq_msgsize = (long)bytes};
  mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  if (queue == (mqd_t)-1) fail("mq_open");
  if (mq_unlink(name) != 0) fail("mq_unlink");
  return (struct channel){MQ, (int)queue, (int)queue};
}

static struct channel open_pipe(size_t capacity) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
  if (capacity != 0) {
    int given = fcntl(ends[1], F_SETPIPE_SZ, (int)capacity);
    if (given < 0) fail("F_SETPIPE_SZ %zu", capacity);
    errno = 0;
    if ((size_t)given != capacity) fail("asked for a pipe of %zu bytes, got %d", capacity, given);
  }
  return (struct channel){PIPE, ends[0], ends[1]};
}

static struct channel open_channel(const struct order *order) {
  switch (order->kind) {
    case SYSV:
      return open_sysv();
    case MQ:
      return open_mq(order->bytes);
    default:
      return open_pipe(0);
  }
}

static inline void send_message(const struct channel *channel, size_t bytes) {
  switch (channel->kind) {
    case SYSV:
      if (msgsnd(channel->writing, &message, bytes, 0) != 0) fail("msgsnd");
      break;
    case MQ:
      if (mq_send(channel->writing, message.bytes, bytes, 0) != 0) fail("mq_send");
      break;
    case PIPE:
      if (write(channel->writing, message.bytes, bytes) != (ssize_t)bytes) fail("write of %zu bytes", bytes);
      break;
    case LOCK:
      break; /* carries no messages */
  }
}

static inline void receive_message(const struct channel *channel, size_t bytes) {
  ssize_t received;
  switch (channel->kind) {
    case SYSV:
      received = msgrcv(channel->reading, &message, bytes, 0, 0);
      break;
    case MQ:
      received = mq_receive(channel->reading, message.bytes, bytes, NULL);
      break;
    default:
      received = read(channel->reading, message.bytes, bytes);
      break;
  }
  if (received != (ssize_t)bytes) fail("received %zd bytes instead of %zu", received, bytes);
}

/* Runs in a child: true there, on its own CPU, and it dies with its parent. */
static int in_partner(const struct order *order) {
  pid_t partner = fork();
  if (partner < 0) fail("fork");
  pin(partner == 0 ? order->other_cpu : order->cpu);
  if (partner != 0) return 0;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
  if (getppid() != measured_process) _exit(1);
  return 1;
}

static void pairs(const struct channel *channel, size_t bytes, long count) {
  for (long i = 0; i < count; i++) {
    send_message(channel, bytes);
    receive_message(channel, bytes);
  }
}

static double measure_pair(const struct order *order) {
  struct channel channel = open_channel(order);
  pin(order->cpu);
  pairs(&channel, order->bytes, order->warmup);
  double start = now_ns();
  pairs(&channel, order->bytes, order->operations);
  return (now_ns() - start) / (double)order->operations;
}

static double measure_stream(const struct order *order) {
  struct channel channel = open_channel(order);
  if (in_partner(order)) {
    for (long i = 0; i < order->warmup + order->operations; i++) send_message(&channel, order->bytes);
    _exit(0);
  }
  for (long i = 0; i < order->warmup; i++) receive_message(&channel, order->bytes);
  double start = now_ns();
  for (long i = 0; i < order->operations; i++) receive_message(&channel, order->bytes);
  return (now_ns() - start) / (double)order->operations;
}

static void roundtrips(const struct channel *there, const struct channel *back, size_t bytes, long count) {
  for (long i = 0; i < count; i++) {
    send_message(there, bytes);
    receive_message(back, bytes);
  }
}

static double measure_roundtrip(const struct order *order) {
  struct channel there = open_channel(order);
  struct channel back = open_channel(order);
  if (in_partner(order)) {
    for (long i = 0; i < order->warmup + order->operations; i++) {
      receive_message(&there, order->bytes);
      send_message(&back, order->bytes);
    }
    _exit(0);
  }
  roundtrips(&there, &back, order->bytes, order->warmup);
  double start = now_ns();
  roundtrips(&there, &back, order->bytes, order->operations);
  return (now_ns() - start) / (double)order->operations;
}

/* Reads at least `bytes` bytes, fewer only at end-of-file, and returns how many. */
static long long read_bytes(int descriptor, size_t chunk, long long bytes) {
  long long total = 0;
  while (total < bytes) {
    ssize_t received = read(descriptor, message.bytes, chunk);
    if (received < 0) fail("read");
    if (received == 0) break;
    total += received;
  }
  return total;
}

static double measure_pipe_stream(const struct order *order) {
  struct channel channel = open_pipe(order->bytes);
  long long bytes = (order->warmup + order->operations) * 1024LL;
  if (in_partner(order)) {
    close(channel.reading);
    for (long long left = bytes; left > 0;) {
      size_t chunk = left < (long long)order->bytes ? (size_t)left : order->bytes;
      send_message(&channel, chunk);
      left -= (long long)chunk;
    }
    _exit(0);
  }
  close(channel.writing);
  long long warmed = read_bytes(channel.reading, order->bytes, order->warmup * 1024LL);
  double start = now_ns();
  long long timed = read_bytes(channel.reading, order->bytes, bytes - warmed);
  double elapsed = now_ns() - start;
  errno = 0;
  if (warmed + timed != bytes) fail("read %lld bytes instead of %lld", warmed + timed, bytes);
  return elapsed / ((double)timed / 1024);
}

static void sem_pairs(int set, long count) {
  struct sembuf wait = {0, -1, 0};
  struct sembuf post = {0, 1, 0};
  for (long i = 0; i < count; i++) {
    if (semop(set, &wait, 1) != 0 || semop(set, &post, 1) != 0) fail("semop");
  }
}

static double measure_sem_pair(const struct order *order) {
  pin(order->cpu);
  int set = make_guarded(make_set, remove_set);
  if (semctl(set, 0, SETVAL, 1) != 0) fail("semctl");
  sem_pairs(set, order->warmup);
  double start = now_ns();
  sem_pairs(set, order->operations);
  return (now_ns() - start) / (double)order->operations;
}

/* A robust mutex between processes, and what tells the rival to stop. */
struct contest {
  pthread_mutex_t mutex;
  volatile int over;
};

static struct contest *open_contest(void) {
  struct contest *contest = mmap(NULL, sizeof *contest, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (contest == MAP_FAILED) fail("mmap");
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  errno = pthread_mutex_init(&contest->mutex, &attributes);
  if (errno != 0) fail("pthread_mutex_init");
  return contest;
}

static void mutex_pairs(struct contest *contest, long count) {
  for (long i = 0; i < count; i++) {
    if (pthread_mutex_lock(&contest->mutex) != 0 || pthread_mutex_unlock(&contest->mutex) != 0) fail("pthread_mutex_lock");
  }
}

static double time_mutex_pairs(const struct order *order, struct contest *contest) {
  mutex_pairs(contest, order->warmup);
  double start = now_ns();
  mutex_pairs(contest, order->operations);
  return (now_ns() - start) / (double)order->operations;
}

static double measure_mutex_pair(const struct order *order) {
  pin(order->cpu);
  return time_mutex_pairs(order, open_contest());
}

static double measure_mutex_contended(const struct order *order) {
  struct contest *contest = open_contest();
  if (in_partner(order)) {
    while (!contest->over) mutex_pairs(contest, 64);
    _exit(0);
  }
  double ns = time_mutex_pairs(order, contest);
  contest->over = 1;
  return ns;
}

static double measure_signal_roundtrip(const struct order *order) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  long all = order->warmup + order->operations;
  pid_t partner = fork();
  if (partner < 0) fail("fork");
  pin(partner == 0 ? order->other_cpu : order->cpu);
  if (partner == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (long i = 0; i < all; i++) {
      if (sigwaitinfo(&set, NULL) != SIGUSR1 || kill(measured_process, SIGUSR1) != 0) fail("sigwaitinfo");
    }
    _exit(0);
  }
  double start = 0;
  for (long i = 0; i < all; i++) {
    if (i == order->warmup) start = now_ns();
    if (kill(partner, SIGUSR1) != 0 || sigwaitinfo(&set, NULL) != SIGUSR1) fail("kill");
  }
  return (now_ns() - start) / (double)order->operations;
}

/* The least that a round trip between two CPUs can take. */
struct spin {
  _Alignas(128) _Atomic long there;
  _Alignas(128) _Atomic long back;
};

static double measure_spin_roundtrip(const struct order *order) {
  struct spin *spin = mmap(NULL, sizeof *spin, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (spin == MAP_FAILED) fail("mmap");
  long all = order->warmup + order->operations;
  if (in_partner(order)) {
    for (long i = 1; i <= all; i++) {
      while (spin->there != i) {
      }
      spin->back = i;
    }
    _exit(0);
  }
  double start = now_ns();
  for (long i = 1; i <= all; i++) {
    if (i == order->warmup + 1) start = now_ns();
    spin->there = i;
    while (spin->back != i) {
    }
  }
  return (now_ns() - start) / (double)order->operations;
}

static void *map_shared(size_t bytes) {
  void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) fail("mmap");
  memset(mapped, 0, bytes);
  return mapped;
}

/* The least that a stream can take between two CPUs: one writer, one reader, a ring, no lock, and both spin. */
enum { RING_SLOTS = 64 };

struct ring {
  _Alignas(128) _Atomic long tail;
  _Alignas(128) _Atomic long head;
  _Alignas(128) char slots[];
};

static double measure_ring_stream(const struct order *order) {
  size_t stride = (order->bytes + 63) / 64 * 64;
  struct ring *ring = map_shared(sizeof *ring + RING_SLOTS * stride);
  long all = order->warmup + order->operations;
  if (in_partner(order)) {
    long head = 0;
    for (long i = 0; i < all; i++) {
      while (i - head == RING_SLOTS) head = atomic_load_explicit(&ring->head, memory_order_acquire);
      memcpy(ring->slots + (size_t)(i % RING_SLOTS) * stride, own, order->bytes);
      atomic_store_explicit(&ring->tail, i + 1, memory_order_release);
    }
    _exit(0);
  }
  double start = 0;
  long tail = 0;
  for (long i = 0; i < all; i++) {
    if (i == order->warmup) start = now_ns();
    while (tail == i) tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    memcpy(own, ring->slots + (size_t)(i % RING_SLOTS) * stride, order->bytes);
    atomic_store_explicit(&ring->head, i + 1, memory_order_release);
  }
  return (now_ns() - start) / (double)order->operations;
}

/* The least that a round trip can take in which both sides sleep: nothing but the calls of the host's that put to sleep and wake. */
static void futex_wait(_Atomic int *word, int until) {
  for (int seen; (seen = atomic_load(word)) != until;) syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void futex_post(_Atomic int *word, int value) {
  atomic_store(word, value);
  if (syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) < 0) fail("futex");
}

static double measure_futex_roundtrip(const struct order *order) {
  _Atomic int *words = map_shared(256);
  _Atomic int *there = words;
  _Atomic int *back = words + 32;
  int all = (int)(order->warmup + order->operations);
  if (in_partner(order)) {
    for (int i = 1; i <= all; i++) {
      futex_wait(there, i);
      futex_post(back, i);
    }
    _exit(0);
  }
  double start = 0;
  for (int i = 1; i <= all; i++) {
    if (i == order->warmup + 1) start = now_ns();
    futex_post(there, i);
    futex_wait(back, i);
  }
  return (now_ns() - start) / (double)order->operations;
}

/* The least that a lock and its unlock can take which are seen in one order by all: an atomic exchange each. */
static void exchange_pairs(_Atomic int *word, long count) {
  for (long i = 0; i < count; i++) {
    atomic_exchange(word, 1);
    atomic_exchange(word, 0);
  }
}

static double time_exchange_pairs(const struct order *order, _Atomic int *word) {
  exchange_pairs(word, order->warmup);
  double start = now_ns();
  exchange_pairs(word, order->operations);
  return (now_ns() - start) / (double)order->operations;
}

static double measure_atomics_pair(const struct order *order) {
  pin(order->cpu);
  return time_exchange_pairs(order, map_shared(64));
}

static double measure_atomics_contended(const struct order *order) {
  _Atomic int *words = map_shared(256);
  _Atomic int *over = words + 32;
  _Atomic int *begun = words + 16;
  if (in_partner(order)) {
    atomic_store(begun, 1);
    while (!atomic_load(over)) exchange_pairs(words, 64);
    _exit(0);
  }
  while (!atomic_load(begun)) sched_yield();
  double ns = time_exchange_pairs(order, words);
  atomic_store(over, 1);
  return ns;
}

/* The least that a message can take: its bytes in, and its bytes out. */
static void copy_pairs(char *shared, size_t bytes, long count) {
  for (long i = 0; i < count; i++) {
    memcpy(shared, own, bytes);
    __asm__ volatile("" : : "r"(shared) : "memory");
    memcpy(own, shared, bytes);
    __asm__ volatile("" : : "r"(own) : "memory");
  }
}

static double measure_memcpy_pair(const struct order *order) {
  char *shared = map_shared(BYTES_MAX);
  pin(order->cpu);
  copy_pairs(shared, order->bytes, order->warmup);
  double start = now_ns();
  copy_pairs(shared, order->bytes, order->operations);
  return (now_ns() - start) / (double)order->operations;
}

/* Copies of BYTES; an operation is one KiB. */
static double time_copies(const struct order *order, char *target, const char *source) {
  pin(order->cpu);
  double start = 0;
  double each = (double)order->bytes / 1024;
  long warmups = (long)((double)order->warmup / each) + 1;
  long timed = (long)((double)order->operations / each) + 1;
  for (long i = 0; i < warmups + timed; i++) {
    if (i == warmups) start = now_ns();
    memcpy(target, source, order->bytes);
    __asm__ volatile("" : : "r"(target) : "memory");
  }
  return (now_ns() - start) / ((double)timed * each);
}

static double measure_segment_in(const struct order *order) {
  return time_copies(order, map_shared(order->bytes), own);
}

static double measure_segment_out(const struct order *order) {
  return time_copies(order, own, map_shared(order->bytes));
}

/* The least that a stream can take whose bytes are copied once in and once out. */
static double measure_memcpy(const struct order *order) {
  static _Alignas(4096) char target[BYTES_MAX];
  return time_copies(order, target, own);
}

/* A child on one of the two CPUs in turn, which dies with its parent. */
static int in_party(const struct order *order, int index) {
  pid_t party = fork();
  if (party < 0) fail("fork");
  if (party != 0) return 0;
  pin(index % 2 == 0 ? order->cpu : order->other_cpu);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
  if (getppid() != measured_process) _exit(1);
  return 1;
}

static double measure_sysv_crowd(const struct order *order) {
  struct channel channel = open_sysv();
  long each = (order->warmup + order->operations) / order->parties;
  double start = now_ns();
  for (int i = 0; i < order->parties; i++) {
    if (in_party(order, i)) {
      for (long n = 0; n < each; n++) send_message(&channel, order->bytes);
      _exit(0);
    }
  }
  for (int i = 1; i < order->parties; i++) {
    if (in_party(order, i + 1)) {
      for (long n = 0; n < each; n++) receive_message(&channel, order->bytes);
      _exit(0);
    }
  }
  pin(order->other_cpu);
  for (long n = 0; n < each; n++) receive_message(&channel, order->bytes);
  int status;
  for (int i = 1; i < 2 * order->parties; i++) wait(&status);
  return (now_ns() - start) / (double)(each * order->parties);
}

struct shares {
  long pairs[PARTIES_MAX];
  double longest[PARTIES_MAX];
};

static double fairness_longest;
static double fairness_share;
static double fairness_shares[PARTIES_MAX];

/* Says who had what share. Returns nanoseconds for one of all. */
static double weigh_shares(const struct order *order, const struct shares *shares) {
  long sum = 0;
  long least = shares->pairs[0];
  for (int i = 0; i < order->parties; i++) {
    sum += shares->pairs[i];
    if (shares->pairs[i] < least) least = shares->pairs[i];
    if (shares->longest[i] > fairness_longest) fairness_longest = shares->longest[i];
  }
  for (int i = 0; i < order->parties; i++) fairness_shares[i] = (double)shares->pairs[i] * order->parties / (double)sum;
  fairness_share = (double)least * order->parties / (double)sum;
  return (double)order->operations * 1000 / (double)sum;
}

/* One sends for OPERATIONS microseconds, and then each receiver a message that ends it. */
static double measure_sysv_fairness(const struct order *order) {
  struct channel channel = open_sysv();
  struct shares *shares = map_shared(sizeof *shares);
  for (int i = 0; i < order->parties; i++) {
    if (!in_party(order, i)) continue;
    for (double before = now_ns();; shares->pairs[i]++) {
      receive_message(&channel, order->bytes);
      if (message.bytes[0] == 0) break;
      double now = now_ns();
      if (now - before > shares->longest[i]) shares->longest[i] = now - before;
      before = now;
    }
    _exit(0);
  }
  pin(order->cpu);
  for (double end = now_ns() + (double)order->operations * 1000; now_ns() < end;) send_message(&channel, order->bytes);
  message.bytes[0] = 0;
  for (int i = 0; i < order->parties; i++) send_message(&channel, order->bytes);
  int status;
  for (int i = 0; i < order->parties; i++) wait(&status);
  return weigh_shares(order, shares);
}

/* OPERATIONS is how long it lasts, in microseconds. */
static double measure_mutex_fairness(const struct order *order) {
  struct contest *contest = open_contest();
  struct shares *shares = mmap(NULL, sizeof *shares, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shares == MAP_FAILED) fail("mmap");
  for (int i = 0; i < order->parties; i++) {
    if (!in_party(order, i)) continue;
    while (!contest->over) {
      double start = now_ns();
      mutex_pairs(contest, 1);
      double took = now_ns() - start;
      if (took > shares->longest[i]) shares->longest[i] = took;
      shares->pairs[i]++;
    }
    _exit(0);
  }
  usleep((useconds_t)order->operations);
  contest->over = 1;
  int status;
  for (int i = 0; i < order->parties; i++) wait(&status);
  return weigh_shares(order, shares);
}

static const struct work works[] = {
    {"sysv-pair", SYSV, 1, measure_pair},           {"sysv-stream", SYSV, 2, measure_stream},
    {"mq-stream", MQ, 2, measure_stream},           {"sysv-roundtrip", SYSV, 2, measure_roundtrip},
    {"mq-roundtrip", MQ, 2, measure_roundtrip},     {"pipe-roundtrip", PIPE, 2, measure_roundtrip},
    {"pipe-stream", PIPE, 2, measure_pipe_stream},  {"sysv-sem-pair", LOCK, 1, measure_sem_pair},
    {"mutex-pair", LOCK, 1, measure_mutex_pair},    {"mutex-contended", LOCK, 2, measure_mutex_contended},
    {"signal-roundtrip", LOCK, 2, measure_signal_roundtrip}, {"spin-roundtrip", LOCK, 2, measure_spin_roundtrip},
    {"ring-stream", LOCK, 2, measure_ring_stream},  {"futex-roundtrip", LOCK, 2, measure_futex_roundtrip},
    {"atomics-pair", LOCK, 1, measure_atomics_pair}, {"atomics-contended", LOCK, 2, measure_atomics_contended},
    {"memcpy-pair", LOCK, 1, measure_memcpy_pair},  {"segment-in", LOCK, 1, measure_segment_in},
    {"segment-out", LOCK, 1, measure_segment_out},
    {"memcpy", LOCK, 1, measure_memcpy},            {"sysv-crowd", SYSV, 0, measure_sysv_crowd},
    {"mutex-fairness", LOCK, 0, measure_mutex_fairness}, {"sysv-fairness", SYSV, 0, measure_sysv_fairness},
};
enum { WORKS = sizeof works / sizeof works[0] };

static _Noreturn void usage(void) {
  fputs("usage: peers WORK BYTES WARMUP OPERATIONS CPU [OTHER-CPU [PARTIES]]; WORK is one of:", stderr);
  for (int i = 0; i < WORKS; i++) fprintf(stderr, " %s", works[i].name);
  fputs("\n", stderr);
  exit(EXIT_USAGE);
}

static long parse(const char *text, long least, long most) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < least || value > most) usage();
  return value;
}

static void reap_children(void) {
  int status;
  while (wait(&status) > 0) {
    errno = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("a partner failed (status 0x%x)", status);
  }
}

int main(int argc, char **argv) {
  const struct work *work = NULL;
  for (int i = 0; argc >= 2 && i < WORKS; i++) {
    if (strcmp(works[i].name, argv[1]) == 0) work = &works[i];
  }
  if (work == NULL || argc != (work->processes == 0 ? 8 : 5 + work->processes)) usage();
  struct order order = {
      .work = work->name,
      .kind = work->kind,
      .bytes = (size_t)parse(argv[2], 1, BYTES_MAX),
      .warmup = parse(argv[3], 0, 1L << 40),
      .operations = parse(argv[4], 1, 1L << 40),
      .cpu = (int)parse(argv[5], 0, CPU_SETSIZE - 1),
      .parties = work->processes == 0 ? (int)parse(argv[7], 1, PARTIES_MAX) : 1,
      .other_cpu = work->processes != 1 ? (int)parse(argv[6], 0, CPU_SETSIZE - 1) : 0,
  };

  measured_process = getpid();
  alarm(SECONDS_MAX);
  memset(own, 0x5a, sizeof own);
  memset(message.bytes, 0x5a, sizeof message.bytes); /* also touches every page before the clock runs */

  double ns = work->measure(&order);

  if (lifetime_writing >= 0) close(lifetime_writing);
  reap_children();
  printf("{\"work\":\"%s\",\"bytes\":%zu,\"operations\":%ld,\"ns\":%.3f", order.work, order.bytes, order.operations, ns);
  if (fairness_longest > 0) {
    printf(",\"longestWaitNs\":%.0f,\"leastShare\":%.3f", fairness_longest, fairness_share);
    for (int i = 0; i < order.parties; i++) printf(i == 0 ? ",\"shares\":[%.3f" : ",%.3f", fairness_shares[i]);
    printf("]");
  }
  puts("}");
  return 0;
}
