/* SPDX-License-Identifier: Apache-2.0 */
/* The order of effects (docs/protocol.md, 4): records first; what depends on
 * them when they are durable; outputs one after the other. */
#include "consensus/driver.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

/* Effects of one output that wait for its records; holds references. */
struct waiting_output {
    pbft_ticket ticket;         /* 0: has no records of its own. */
    struct pbft_output effects; /* Its records are not kept. */
    void *memory;               /* Behind the arrays of `effects`. */
};

struct pbft_driver {
    struct pbft_replica *replica;
    struct pbft_log log;
    struct pbft_transport transport;
    struct pbft_service service;
    struct pbft_timer_service timer;
    struct waiting_output queue[PBFT_DRIVER_OUTPUTS_MAX]; /* A ring. */
    size_t first;
    size_t count;
    pbft_ticket next_ticket;
    pbft_ticket durable; /* All up to here are. */
    pbft_time_ms armed;
    bool has_failed;
};

struct pbft_driver *pbft_driver_create(struct pbft_replica *replica,
                                       const struct pbft_log *log,
                                       const struct pbft_transport *transport,
                                       const struct pbft_service *service,
                                       const struct pbft_timer_service *timer)
{
    PBFT_ASSERT(replica != NULL);
    struct pbft_driver *driver = calloc(1, sizeof *driver);
    if (driver != NULL) {
        driver->replica = replica;
        driver->log = *log;
        driver->transport = *transport;
        driver->service = *service;
        driver->timer = *timer;
        driver->next_ticket = 1;
        driver->armed = PBFT_TIME_NEVER;
    }
    return driver;
}

static void release(struct waiting_output *item)
{
    const struct pbft_output *effects = &item->effects;
    for (size_t i = 0; i < effects->send_count; i++) {
        pbft_message_unref(effects->sends[i].message);
    }
    for (size_t i = 0; i < effects->commit_count; i++) {
        pbft_message_unref(effects->commits[i].committed);
    }
    for (size_t i = 0; i < effects->attested_count; i++) {
        pbft_message_unref(effects->attested[i].proof);
    }
    free(item->memory);
    *item = (struct waiting_output){0};
}

static void drop_all(struct pbft_driver *driver)
{
    while (driver->count > 0) {
        release(&driver->queue[driver->first]);
        driver->first = (driver->first + 1) % PBFT_DRIVER_OUTPUTS_MAX;
        driver->count--;
    }
}

void pbft_driver_destroy(struct pbft_driver *driver)
{
    if (driver != NULL) {
        drop_all(driver);
        pbft_replica_destroy(driver->replica);
        free(driver);
    }
}

/* Copies `count` elements to `*at` and moves it on. All elements hold 64-bit
 * members, so that what follows is aligned too. */
static const void *put(uint8_t **at, const void *from, size_t size)
{
    void *to = *at;
    PBFT_ASSERT(size % sizeof(uint64_t) == 0);
    if (size > 0) {
        memcpy(to, from, size);
    }
    *at += size;
    return to;
}

static bool copy_effects(struct waiting_output *item,
                         const struct pbft_output *output)
{
    const size_t sends = output->send_count * sizeof *output->sends;
    const size_t commits = output->commit_count * sizeof *output->commits;
    const size_t attested = output->attested_count * sizeof *output->attested;
    const size_t serves = output->serve_count * sizeof *output->serves;
    const size_t reads = output->read_count * sizeof *output->reads;
    const size_t size = sends + commits + attested + serves + reads;
    uint8_t *at = malloc(size > 0 ? size : 1);
    if (at == NULL) {
        return false;
    }
    item->memory = at;
    item->effects = *output;
    item->effects.records = NULL;
    item->effects.record_count = 0;
    item->effects.sends = put(&at, output->sends, sends);
    item->effects.commits = put(&at, output->commits, commits);
    item->effects.attested = put(&at, output->attested, attested);
    item->effects.serves = put(&at, output->serves, serves);
    item->effects.reads = put(&at, output->reads, reads);
    for (size_t i = 0; i < output->send_count; i++) {
        (void)pbft_message_ref(output->sends[i].message);
    }
    for (size_t i = 0; i < output->commit_count; i++) {
        (void)pbft_message_ref(output->commits[i].committed);
    }
    for (size_t i = 0; i < output->attested_count; i++) {
        (void)pbft_message_ref(output->attested[i].proof);
    }
    return true;
}

/* In the order of the fields of struct pbft_output. */
static void carry_out(struct pbft_driver *driver,
                      const struct pbft_output *effects)
{
    PBFT_ASSERT(!driver->has_failed);
    if (effects->send_count > 0) {
        driver->transport.send(driver->transport.context, effects->sends,
                               effects->send_count);
    }
    for (size_t i = 0; i < effects->commit_count; i++) {
        driver->service.execute(driver->service.context, &effects->commits[i]);
    }
    for (size_t i = 0; i < effects->attested_count; i++) {
        driver->service.attested(driver->service.context,
                                 &effects->attested[i]);
    }
    for (size_t i = 0; i < effects->serve_count; i++) {
        driver->service.serve(driver->service.context, &effects->serves[i]);
    }
    for (size_t i = 0; i < effects->read_count; i++) {
        driver->service.read_body(driver->service.context, &effects->reads[i]);
    }
    if (effects->stable_seq != 0) {
        driver->log.truncate(driver->log.context, effects->stable_seq);
    }
}

static bool is_empty(const struct pbft_output *output)
{
    return output->record_count == 0 && output->send_count == 0 &&
           output->commit_count == 0 && output->attested_count == 0 &&
           output->serve_count == 0 && output->read_count == 0 &&
           output->stable_seq == 0;
}

static void arm(struct pbft_driver *driver)
{
    const pbft_time_ms deadline = pbft_deadline(driver->replica);
    if (deadline != driver->armed) {
        driver->armed = deadline;
        driver->timer.arm(driver->timer.context, deadline);
    }
}

enum pbft_verdict pbft_driver_step(struct pbft_driver *driver,
                                   const struct pbft_event *event)
{
    if (driver->has_failed || driver->count == PBFT_DRIVER_OUTPUTS_MAX) {
        return PBFT_BUSY;
    }
    return pbft_step(driver->replica, event);
}

/* Copies first and appends then: what cannot be kept must not be promised. */
static void hold_back(struct pbft_driver *driver,
                      const struct pbft_output *output)
{
    PBFT_ASSERT(driver->count < PBFT_DRIVER_OUTPUTS_MAX);
    const size_t last =
        (driver->first + driver->count) % PBFT_DRIVER_OUTPUTS_MAX;
    struct waiting_output *item = &driver->queue[last];
    if (!copy_effects(item, output)) {
        pbft_driver_failed(driver);
        return;
    }
    driver->count++;
    if (output->record_count > 0) {
        item->ticket = driver->next_ticket++;
        driver->log.append(driver->log.context, item->ticket, output->records,
                           output->record_count);
    }
}

/* A checkpoint is passed only over proved blocks; its record follows in this or
 * a later output, so the proofs go first. */
static void store_proofs(struct pbft_driver *driver,
                         const struct pbft_output *output)
{
    for (size_t i = 0;
         driver->service.proved != NULL && i < output->attested_count; i++) {
        driver->service.proved(driver->service.context, &output->attested[i]);
    }
}

void pbft_driver_flush(struct pbft_driver *driver)
{
    const struct pbft_output *output = pbft_output(driver->replica);
    if (driver->has_failed) {
        return;
    }
    if (driver->count == PBFT_DRIVER_OUTPUTS_MAX) {
        arm(driver); /* The output stays in the replica until there is room. */
        return;
    }
    if (!is_empty(output)) {
        store_proofs(driver, output);
        if (output->record_count == 0 && driver->count == 0) {
            carry_out(driver, output);
        } else {
            hold_back(driver, output);
        }
        pbft_output_clear(driver->replica);
    }
    arm(driver);
}

void pbft_driver_durable(struct pbft_driver *driver, pbft_ticket ticket)
{
    PBFT_ASSERT(ticket < driver->next_ticket);
    if (ticket > driver->durable) {
        driver->durable = ticket;
    }
    while (driver->count > 0 && !driver->has_failed) {
        struct waiting_output *item = &driver->queue[driver->first];
        if (item->ticket > driver->durable) {
            return;
        }
        struct waiting_output taken = *item;
        *item = (struct waiting_output){0};
        driver->first = (driver->first + 1) % PBFT_DRIVER_OUTPUTS_MAX;
        driver->count--;
        carry_out(driver, &taken.effects);
        release(&taken);
    }
}

void pbft_driver_failed(struct pbft_driver *driver)
{
    driver->has_failed = true;
    drop_all(driver);
    PBFT_ASSERT(driver->count == 0);
}

bool pbft_driver_has_failed(const struct pbft_driver *driver)
{
    return driver->has_failed;
}

size_t pbft_driver_waiting(const struct pbft_driver *driver)
{
    return driver->count;
}

const struct pbft_replica *pbft_driver_replica(const struct pbft_driver *driver)
{
    return driver->replica;
}
