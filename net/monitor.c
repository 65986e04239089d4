/* SPDX-License-Identifier: Apache-2.0 */
/* The thread behind watchdogs and reapers. */
#include "net/monitor.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "net/common.h"

struct net_monitor {
    void (*tick)(void *context, pbft_time_ms now);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock; /* Guards the rest. */
    pthread_cond_t stop;
    bool is_stopping;
};

static bool wait_a_little(struct net_monitor *monitor)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += NET_MONITOR_INTERVAL_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    (void)pthread_mutex_lock(&monitor->lock);
    while (!monitor->is_stopping &&
           pthread_cond_timedwait(&monitor->stop, &monitor->lock, &until) ==
               0) {
    }
    bool is_stopping = monitor->is_stopping;
    (void)pthread_mutex_unlock(&monitor->lock);
    return !is_stopping;
}

static void *run(void *context)
{
    struct net_monitor *monitor = context;
    while (wait_a_little(monitor)) {
        monitor->tick(monitor->context, net_now_ms());
    }
    return NULL;
}

static void release(struct net_monitor *monitor)
{
    (void)pthread_cond_destroy(&monitor->stop);
    (void)pthread_mutex_destroy(&monitor->lock);
    free(monitor);
}

struct net_monitor *
net_monitor_start(void (*tick)(void *context, pbft_time_ms now), void *context)
{
    struct net_monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL) {
        return NULL;
    }
    monitor->tick = tick;
    monitor->context = context;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&monitor->stop, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&monitor->lock, NULL);
    if (pthread_create(&monitor->thread, NULL, run, monitor) != 0) {
        release(monitor);
        return NULL;
    }
    return monitor;
}

void net_monitor_stop(struct net_monitor *monitor)
{
    if (monitor == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&monitor->lock);
    monitor->is_stopping = true;
    (void)pthread_cond_broadcast(&monitor->stop);
    (void)pthread_mutex_unlock(&monitor->lock);
    (void)pthread_join(monitor->thread, NULL);
    release(monitor);
}
