// SPDX-License-Identifier: MIT
// waits kinds|counts [--log FILE] [--folder FOLDER]
// Threads that wait, run for a moment, and wait again, each in its own way (the tables below), and
// measure for how long (meter.h). kinds: some 20 ms each time. counts: 5 ms 100 times a second, and
// 100 us some 2,000 times. Prints, before "ready":
//   {"waits": [{"name": "pipe", "tid": 12, "function": "wait_pipe", "kind": "pipe",
//               "idle": false}, ...], "absent": ["disk", ...]}
// in the order of the log. kind: the label `wait`. idle: it is work that is waited for.
// absent: what this machine does not have; disk reads a file in the folder (/tmp).
#include "meter.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LENGTH (20 * MS) // of a wait
#define PAGE 4096
#define DISK_READ (1 << 20)
#define DISK_FILE (64 << 20)

struct waiting {
    struct meter meter; // its name is the thread's
    const char *function, *kind;
    void (*wait)(struct waiting *self);
    bool (*set_up)(struct waiting *self); // NULL: there is nothing to do; returns false: not here
    void (*wake)(struct waiting *self);   // NULL: it needs nobody
    bool idle;
    int64_t busy; // ns on a CPU between two waits
    bool absent;
    int fd, peer;
};

static const char *folder = "/tmp";

static void take_byte(int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        die("read");
}

static void put_byte(int fd)
{
    if (write(fd, "", 1) != 1)
        die("write");
}

// ---- descriptors

static bool set_up_pipe(struct waiting *self)
{
    int ends[2];
    if (pipe(ends) != 0)
        die("pipe");
    self->fd = ends[0];
    self->peer = ends[1];
    return true;
}

static void wait_pipe(struct waiting *self)
{
    take_byte(self->fd);
}

static void wake_peer(struct waiting *self)
{
    put_byte(self->peer);
}

static bool set_up_socket(struct waiting *self)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        die("socketpair");
    self->fd = ends[0];
    self->peer = ends[1];
    return true;
}

static void wait_socket(struct waiting *self)
{
    char byte;
    if (recv(self->fd, &byte, 1, 0) != 1)
        die("recv");
}

static bool set_up_eventfd(struct waiting *self)
{
    self->fd = self->peer = eventfd(0, EFD_SEMAPHORE);
    return self->fd >= 0;
}

static void wait_eventfd(struct waiting *self)
{
    eventfd_t value;
    if (eventfd_read(self->fd, &value) != 0)
        die("eventfd_read");
}

static void wake_eventfd(struct waiting *self)
{
    eventfd_write(self->peer, 1);
}

// An event loop: what it waits for is its work.
static bool set_up_loop(struct waiting *self)
{
    self->peer = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
    self->fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(self->fd, EPOLL_CTL_ADD, self->peer, &event) == 0;
}

static void wait_loop(struct waiting *self)
{
    struct epoll_event event;
    eventfd_t value;
    if (epoll_wait(self->fd, &event, 1, -1) != 1 || eventfd_read(self->peer, &value) != 0)
        die("epoll_wait");
}

// ---- threads and processes

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER, answered = PTHREAD_COND_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static bool question, answer;
static int jobs;
static sem_t semaphore;
static pthread_barrier_t barrier;
static int word;

// Answers what wait_answer asks.
static void *answers(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (!question)
            pthread_cond_wait(&asked, &mutex);
        question = false;
        pthread_mutex_unlock(&mutex);
        sleep_ns(LENGTH);
        pthread_mutex_lock(&mutex);
        answer = true;
        pthread_cond_signal(&answered);
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

static bool set_up_answers(struct waiting *self)
{
    (void)self;
    start(answers, NULL, "answers");
    return true;
}

static void wait_answer(struct waiting *self)
{
    (void)self;
    pthread_mutex_lock(&mutex);
    question = true;
    pthread_cond_signal(&asked);
    while (!answer)
        pthread_cond_wait(&answered, &mutex);
    answer = false;
    pthread_mutex_unlock(&mutex);
}

// A worker of a pool: there are several, and a job is for one of them.
static void wait_job(struct waiting *self)
{
    (void)self;
    pthread_mutex_lock(&queue_mutex);
    while (!jobs)
        pthread_cond_wait(&queue_filled, &queue_mutex);
    jobs--;
    pthread_mutex_unlock(&queue_mutex);
}

static void wake_worker(struct waiting *self)
{
    (void)self;
    pthread_mutex_lock(&queue_mutex);
    jobs++;
    pthread_cond_signal(&queue_filled);
    pthread_mutex_unlock(&queue_mutex);
}

static bool set_up_semaphore(struct waiting *self)
{
    (void)self;
    return sem_init(&semaphore, 0, 0) == 0;
}

static void wait_semaphore(struct waiting *self)
{
    (void)self;
    while (sem_wait(&semaphore) != 0)
        ;
}

static void wake_semaphore(struct waiting *self)
{
    (void)self;
    sem_post(&semaphore);
}

static void *arrives(void *unused)
{
    for (;;) {
        sleep_ns(LENGTH);
        pthread_barrier_wait(&barrier);
    }
    return unused;
}

static bool set_up_barrier(struct waiting *self)
{
    (void)self;
    pthread_barrier_init(&barrier, NULL, 2);
    start(arrives, NULL, "arrives");
    return true;
}

static void wait_barrier(struct waiting *self)
{
    (void)self;
    pthread_barrier_wait(&barrier);
}

static void wait_word(struct waiting *self)
{
    (void)self;
    while (__atomic_exchange_n(&word, 0, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void wake_word(struct waiting *self)
{
    (void)self;
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *short_life(void *unused)
{
    sleep_ns(LENGTH);
    return unused;
}

static void wait_join(struct waiting *self)
{
    (void)self;
    pthread_join(start(short_life, NULL, NULL), NULL);
}

static void wait_child(struct waiting *self)
{
    (void)self;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sleep_ns(LENGTH);
        _exit(0);
    }
    if (child < 0 || waitpid(child, NULL, 0) != child)
        die("child");
}

// ---- time, disk, memory

static void wait_sleep(struct waiting *self)
{
    (void)self;
    sleep_ns(LENGTH);
}

static void wait_5_ms(struct waiting *self)
{
    (void)self;
    sleep_ns(5 * MS);
}

static void wait_100_us(struct waiting *self)
{
    (void)self;
    sleep_ns(100 * US);
}

static bool set_up_disk(struct waiting *self)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/waits-disk", folder);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    static char bytes[DISK_READ];
    memset(bytes, 1, sizeof bytes); // no hole: that is read from no disk
    for (int i = 0; i < DISK_FILE / DISK_READ; i++)
        if (write(fd, bytes, sizeof bytes) != sizeof bytes)
            return false;
    fsync(fd);
    close(fd);
    self->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    unlink(path);
    return self->fd >= 0;
}

static void wait_disk(struct waiting *self)
{
    static char bytes[DISK_READ] __attribute__((aligned(PAGE)));
    static unsigned turn;
    off_t at = (off_t)(turn++ * 7 % (DISK_FILE / DISK_READ)) * DISK_READ;
    if (pread(self->fd, bytes, sizeof bytes, at) != sizeof bytes)
        die("pread");
}

static char *absent_page;

// Brings the page that wait_page touches, after a while.
static void *brings_page(void *argument)
{
    static char zeros[PAGE] __attribute__((aligned(PAGE)));
    struct waiting *self = argument;
    struct uffd_msg message;
    while (read(self->fd, &message, sizeof message) == sizeof message) {
        sleep_ns(LENGTH);
        struct uffdio_copy copy = {
            .dst = (uintptr_t)absent_page, .src = (uintptr_t)zeros, .len = PAGE};
        if (ioctl(self->fd, UFFDIO_COPY, &copy) != 0)
            die("UFFDIO_COPY");
    }
    return NULL;
}

static bool set_up_page(struct waiting *self)
{
    absent_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    self->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {
        .range = {(uintptr_t)absent_page, PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    if (absent_page == MAP_FAILED || self->fd < 0 || ioctl(self->fd, UFFDIO_API, &api) != 0 ||
        ioctl(self->fd, UFFDIO_REGISTER, &range) != 0)
        return false;
    start(brings_page, self, "brings_page");
    return true;
}

static void wait_page(struct waiting *self)
{
    (void)self;
    *(volatile char *)absent_page = 1;
    madvise(absent_page, PAGE, MADV_DONTNEED);
}

// ---- the threads

#define ROW(thread, kind, function, ...) {{.name = thread}, #function, kind, function, __VA_ARGS__}
#define BRIEFLY (200 * US)

static struct waiting kinds[] = {
    ROW("pipe", "pipe", wait_pipe, set_up_pipe, wake_peer, .busy = BRIEFLY),
    ROW("socket", "socket", wait_socket, set_up_socket, wake_peer, .busy = BRIEFLY),
    ROW("eventfd", "file", wait_eventfd, set_up_eventfd, wake_eventfd, .busy = BRIEFLY),
    ROW("loop", "epoll", wait_loop, set_up_loop, wake_eventfd, true, BRIEFLY),
    ROW("answer", "condition", wait_answer, set_up_answers, .busy = BRIEFLY),
    ROW("worker1", "condition", wait_job, NULL, wake_worker, true, BRIEFLY),
    ROW("worker2", "condition", wait_job, .idle = true, .busy = BRIEFLY),
    ROW("worker3", "condition", wait_job, .idle = true, .busy = BRIEFLY),
    ROW("semaphore", "semaphore", wait_semaphore, set_up_semaphore, wake_semaphore,
        .busy = BRIEFLY),
    ROW("barrier", "barrier", wait_barrier, set_up_barrier, .busy = BRIEFLY),
    ROW("futex", "futex", wait_word, NULL, wake_word, .busy = BRIEFLY),
    ROW("join", "join", wait_join, .busy = BRIEFLY),
    ROW("child", "child", wait_child, .busy = BRIEFLY),
    ROW("sleep", "sleep", wait_sleep, .busy = BRIEFLY),
    ROW("disk", "disk", wait_disk, set_up_disk, .busy = 0),
    ROW("page", "page fault", wait_page, set_up_page, .busy = BRIEFLY),
};

static struct waiting counts[] = {
    ROW("regular", "sleep", wait_5_ms, .busy = 5 * MS),   // 100 a second
    ROW("often", "sleep", wait_100_us, .busy = 300 * US), // some 2,000 a second
};

static struct waiting *table;
static size_t table_length;

static void *repeat(void *argument)
{
    struct waiting *self = argument;
    prctl(PR_SET_TIMERSLACK, 1);
    meter_own(&self->meter);
    for (;;) {
        for (int64_t until = thread_cpu() + self->busy; self->busy && thread_cpu() < until;)
            burn();
        meter_begin(&self->meter);
        self->wait(self);
        meter_end(&self->meter);
    }
    return NULL;
}

static void *wakes(void *unused)
{
    for (;;) {
        sleep_ns(LENGTH);
        for (size_t i = 0; i < table_length; i++)
            if (table[i].wake && !table[i].absent)
                table[i].wake(&table[i]);
    }
    return unused;
}

static size_t start_threads(void)
{
    size_t started = 0;
    for (size_t i = 0; i < table_length; i++) {
        struct waiting *self = &table[i];
        self->absent = self->set_up && !self->set_up(self);
        if (self->absent)
            continue;
        start(repeat, self, self->meter.name);
        while (!__atomic_load_n(&meters[started], __ATOMIC_SEQ_CST))
            sleep_ns(MS); // so that the order is that of the table
        started++;
    }
    start(wakes, NULL, "wakes");
    return started;
}

static void print_truth(void)
{
    const char *comma = "";
    printf("{\"waits\": [");
    for (size_t i = 0; i < table_length; i++) {
        if (table[i].absent)
            continue;
        printf("%s{\"name\": \"%s\", \"tid\": %d, \"function\": \"%s\", \"kind\": \"%s\", "
               "\"idle\": %s}", comma, table[i].meter.name, table[i].meter.tid, table[i].function,
               table[i].kind, table[i].idle ? "true" : "false");
        comma = ", ";
    }
    printf("], \"absent\": [");
    comma = "";
    for (size_t i = 0; i < table_length; i++) {
        if (!table[i].absent)
            continue;
        printf("%s\"%s\"", comma, table[i].meter.name);
        comma = ", ";
    }
    puts("]}");
}

int main(int argc, char **argv)
{
    block_signals();
    bool counting = argc > 1 && strcmp(argv[1], "counts") == 0;
    table = counting ? counts : kinds;
    table_length = counting ? sizeof counts / sizeof counts[0] : sizeof kinds / sizeof kinds[0];
    if (option(argv, "--folder"))
        folder = option(argv, "--folder");
    size_t started = start_threads();
    start_meter_log(argv, started);
    print_truth();
    ready();
    await_signal();
    _exit(0);
}
