/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol thread: feeds the driver with what the inbox holds, and carries
 * its calls to the other threads. It alone touches the driver, and never waits
 * for a disk or a peer.
 */
#include <inttypes.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/node_private.h"

static void on_execute(void *context, const struct pbft_commit *commit)
{
    struct node *node = context;
    executor_put(node->executor, commit);
}

static void on_attested(void *context, const struct pbft_attested *attested)
{
    struct node *node = context;
    replier_put_proof(node->replier, attested);
}

static void on_proved(void *context, const struct pbft_attested *attested)
{
    struct node *node = context;
    log_writer_put_proof(node->log_writer, attested);
}

static void on_serve(void *context, const struct pbft_serve *serve)
{
    struct node *node = context;
    replier_put_serve(node->replier, serve);
}

static void on_read_body(void *context, const struct pbft_body_read *read)
{
    struct node *node = context;
    replier_put_read(node->replier, read);
}

static void on_arm(void *context, pbft_time_ms deadline)
{
    struct node *node = context;
    node->deadline = deadline;
}

struct pbft_service node_service(struct node *node)
{
    return (struct pbft_service){.context = node,
                                 .execute = on_execute,
                                 .attested = on_attested,
                                 .serve = on_serve,
                                 .read_body = on_read_body,
                                 .proved = on_proved};
}

struct pbft_timer_service node_timer(struct node *node)
{
    return (struct pbft_timer_service){.context = node, .arm = on_arm};
}

/* What the log reports. False: this thread is to end. */
static bool take_log_news(struct node *node, const struct inbox_turn *turn)
{
    if (turn->failed) {
        pbft_driver_failed(node->driver);
        return false;
    }
    if (turn->has_durable) {
        pbft_driver_durable(node->driver, turn->durable);
        transport_flush(node->transport);
    }
    return !turn->closed;
}

/* False: memory was short for what must wait for the log. The driver is silent
 * from now on, and the replica stops: the inbox says so at the next look. */
static bool flush(struct node *node)
{
    pbft_driver_flush(node->driver);
    transport_flush(node->transport);
    if (pbft_driver_has_failed(node->driver)) {
        node_fail(node, PBFT_NO_MEMORY, "holding back what waits for the log");
        return false;
    }
    return true;
}

/* Steps the driver; while it takes nothing more, waits for the log. False: this
 * thread is to end, the event was not taken. */
static bool feed(struct node *node, struct pbft_event *event,
                 enum pbft_verdict *verdict)
{
    event->now = clock_now_ms();
    event->wall = clock_wall_us();
    *verdict = pbft_driver_step(node->driver, event);
    while (*verdict == PBFT_BUSY) {
        if (!flush(node)) {
            return false;
        }
        *verdict = pbft_driver_step(node->driver, event);
        if (*verdict == PBFT_BUSY) {
            struct inbox_turn turn;
            inbox_take(node->inbox, &turn, INBOX_LOG_ONLY, PBFT_TIME_NEVER);
            if (!take_log_news(node, &turn)) {
                return false;
            }
            event->now = clock_now_ms();
        }
    }
    return true;
}

static bool feed_message(struct node *node, const struct pbft_message *message)
{
    enum pbft_verdict verdict;
    struct pbft_event event = {.type = PBFT_EVENT_RECEIVE, .message = message};
    if (node_is_late(node, message)) {
        return true; /* Who waits for it is told with its block. */
    }
    if (!feed(node, &event, &verdict)) {
        return false;
    }
    if (verdict == PBFT_QUEUE_FULL && message->type == PBFT_MESSAGE_REQUEST) {
        node_refuse_request(node, &message->request.digest, REPLY_BUSY);
    }
    return true;
}

static bool feed_messages(struct node *node, struct inbox_turn *turn)
{
    bool more = true;
    for (size_t i = 0; i < turn->message_count; i++) {
        more = more && feed_message(node, turn->messages[i]);
        pbft_message_unref(turn->messages[i]);
    }
    return more;
}

static bool feed_timeout(struct node *node)
{
    enum pbft_verdict verdict;
    struct pbft_event event = {.type = PBFT_EVENT_TIMEOUT,
                               .timer = PBFT_TIMER_COUNT};
    return clock_now_ms() < node->deadline || feed(node, &event, &verdict);
}

static void publish(struct node *node)
{
    struct pbft_report report;
    pbft_replica_report(pbft_driver_replica(node->driver), &report);
    node_publish_evidence(node);
    /* This thread alone writes it. Who asks for it has the journal already. */
    const struct pbft_report *before = &node->report;
    bool view_changed = report.view != before->view ||
                        report.view_active != before->view_active;
    bool was_recovering = before->condition == PBFT_CONDITION_RECOVERING;
    bool is_recovering = report.condition == PBFT_CONDITION_RECOVERING;
    if (view_changed) {
        journal(JOURNAL_INFO, "view",
                "view=%" PRIu64 " active=%d primary=%" PRIu32, report.view,
                report.view_active, report.primary);
    }
    if (is_recovering != was_recovering) {
        journal(is_recovering ? JOURNAL_WARNING : JOURNAL_INFO,
                is_recovering ? "recovering" : "recovered",
                "incarnation=%" PRIu64 " executed=%" PRIu64, report.incarnation,
                report.executed);
    }
    atomic_store(&node->high, report.high);
    (void)pthread_mutex_lock(&node->report_lock);
    node->report = report;
    (void)pthread_mutex_unlock(&node->report_lock);
}

/* One burst of work; false: this thread is to end. */
static bool run_turn(struct node *node, struct inbox_turn *turn)
{
    inbox_take(node->inbox, turn, INBOX_EVERYTHING, node->deadline);
    bool more = take_log_news(node, turn);
    if (more && turn->has_executed) {
        enum pbft_verdict verdict;
        struct pbft_event event = {.type = PBFT_EVENT_EXECUTED,
                                   .next_due =
                                       executor_next_due(node->executor),
                                   .executed = turn->executed};
        if (executor_take_incarnations(node->executor, &node->incarnations)) {
            event.incarnations = &node->incarnations;
        }
        more = feed(node, &event, &verdict);
    }
    if (more) {
        more = feed_messages(node, turn);
    } else {
        for (size_t i = 0; i < turn->message_count; i++) {
            pbft_message_unref(turn->messages[i]);
        }
    }
    more = more && feed_timeout(node) && flush(node);
    if (more) {
        publish(node);
    }
    return more;
}

/* The first block of the last window whose proof is not stored. */
static pbft_seq first_unproved(struct node *node, pbft_seq applied)
{
    pbft_seq window = node->verifier.window;
    pbft_seq seq = applied > window ? applied - window + 1 : 1;
    while (seq < applied &&
           storage_proof_exists(node->storage, seq) == PBFT_OK) {
        seq++;
    }
    return seq;
}

/* Proofs may be lost with the power, here and at the others: blocks that have
 * none are attested again, or their clients would never get an answer. */
static bool feed_unproved(struct node *node)
{
    struct pbft_attestation applied;
    struct pbft_event event = {.type = PBFT_EVENT_EXECUTED};
    enum pbft_verdict verdict;
    storage_applied(node->storage, &applied);
    for (pbft_seq seq = first_unproved(node, applied.seq); seq < applied.seq;
         seq++) {
        enum pbft_status status =
            storage_executed_read(node->storage, seq, &event.executed);
        if (status != PBFT_OK) {
            node_fail(node, status, "reading a block");
            return false;
        }
        if (!feed(node, &event, &verdict)) {
            return false;
        }
    }
    return true;
}

void node_protocol_run(struct node *node)
{
    enum pbft_verdict verdict;
    struct inbox_turn turn;
    struct pbft_event start = {.type = PBFT_EVENT_START,
                               .is_log_lost = node->is_log_lost};
    if (!feed(node, &start, &verdict) || !feed_unproved(node) || !flush(node)) {
        return;
    }
    publish(node);
    while (run_turn(node, &turn)) {
    }
}

/* The first events: nothing is answered to them, so they cannot be busy. */
static void feed_restored(struct node *node, struct pbft_event *event)
{
    event->now = clock_now_ms();
    event->wall = clock_wall_us();
    enum pbft_verdict verdict = pbft_driver_step(node->driver, event);
    PBFT_ASSERT(verdict != PBFT_BUSY);
}

static void on_record(void *context, const struct pbft_record *record)
{
    struct pbft_event event = {.type = PBFT_EVENT_RESTORE, .record = *record};
    feed_restored(context, &event);
}

/* A log that may not be trusted makes place for a new one. */
static enum pbft_status judge(struct node *node,
                              const struct storage_log_summary *log,
                              struct salus_reason *reason)
{
    if (log->verdict == PBFT_LOG_INTACT) {
        return PBFT_OK;
    }
    journal(JOURNAL_ERROR, "log-lost",
            "reason=\"%s\" consequence=\"this replica may have forgotten "
            "votes: it recovers\"",
            log->reason.text);
    node->is_log_lost = true;
    enum pbft_status status = storage_log_set_aside(node->storage, log);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "setting the damaged consensus log aside: %s",
                         pbft_status_text(status));
        (void)storage_failure(node->storage, reason);
    }
    return status;
}

enum pbft_status node_restore(struct node *node, struct salus_reason *reason)
{
    struct storage_log_summary log;
    struct pbft_event applied = {.type = PBFT_EVENT_APPLIED,
                                 .next_due = executor_next_due(node->executor),
                                 .incarnations = &node->incarnations};
    storage_applied(node->storage, &applied.executed);
    feed_restored(node, &applied);
    enum pbft_status status =
        storage_log_replay(node->storage, on_record, node, &log);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "reading the consensus log: %s%s%s",
                         pbft_status_text(status),
                         log.reason.text[0] != '\0' ? ": " : "",
                         log.reason.text);
        return status;
    }
    status = judge(node, &log, reason);
    if (status == PBFT_OK) {
        journal(JOURNAL_INFO, "restored",
                "executed=%" PRIu64 " records=%" PRIu64 " orderly=%d",
                applied.executed.seq,
                log.last_number == 0 ? 0
                                     : log.last_number - log.first_number + 1,
                storage_was_closed_orderly(node->storage));
    }
    return status;
}
