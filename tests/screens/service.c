// SPDX-License-Identifier: MIT
// Two readers wait for the lock of a writer. service.pb.gz was made of it:
//
//	gcc -g -O1 -pthread -o service tests/screens/service.c && ./service &
//	ptprof attach $! -d 4s -r 49 --type wall -o tests/screens/service.pb.gz
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile uint64_t sink;

__attribute__((noinline)) static void hash_rows(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        sink = sink * 31 + i;
}

__attribute__((noinline)) static void compress_page(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        sink ^= sink << 3 ^ i;
}

__attribute__((noinline)) static void update_table(void)
{
    pthread_mutex_lock(&table_lock);
    hash_rows(3000000);
    pthread_mutex_unlock(&table_lock);
}

__attribute__((noinline)) static void read_table(void)
{
    pthread_mutex_lock(&table_lock);
    compress_page(1000000);
    pthread_mutex_unlock(&table_lock);
    usleep(3000);
}

static void *writer(void *unused)
{
    pthread_setname_np(pthread_self(), "writer");
    for (;;)
        update_table();
    return unused;
}

static void *reader(void *unused)
{
    pthread_setname_np(pthread_self(), "reader");
    for (;;)
        read_table();
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    pthread_create(&thread, NULL, reader, NULL);
    pthread_create(&thread, NULL, reader, NULL);
    for (;;)
        sleep(1);
}
