/* SPDX-License-Identifier: Apache-2.0 */
/* Storage, core, queues and channels of a node. */
#include "node/wiring.h"

#include <stdlib.h>

#include "consensus/assert.h"
#include "node/call_rate.h"
#include "node/clock.h"
#include "node/history.h"
#include "node/limits.h"
#include "node/reads.h"
#include "node/started.h"
#include "proto/codec.h"

#define US_PER_MS 1000u

enum pbft_status wiring_open_storage(struct node *node,
                                     const struct node_setup *setup,
                                     struct salus_reason *reason)
{
    const struct storage_identity owner = {.cluster = node->identity->cluster,
                                           .replica = node->identity->self};
    struct storage_options options = setup->storage;
    options.expects_data = started_is_marked(setup->started_mark);
    enum pbft_status status =
        storage_open(setup->data_dir, &owner, &node->identity->domain, &options,
                     &node->storage, reason);
    struct salus_reason damage;
    if (status == PBFT_OK &&
        storage_set_aside(node->storage, &damage) != NULL) {
        journal(JOURNAL_ERROR, "data-set-aside", "folder=\"%s\" reason=\"%s\"",
                storage_set_aside(node->storage, &damage), damage.text);
    }
    if (status == PBFT_OK && !options.expects_data &&
        !started_mark(setup->started_mark)) {
        journal(JOURNAL_WARNING, "unmarked",
                "file=\"%s\" gives_up=\"a lost data folder is noticed at "
                "once\"",
                setup->started_mark);
    }
    if (status != PBFT_OK && reason->text[0] == '\0') {
        salus_reason_set(reason, "%s: %s", setup->data_dir,
                         pbft_status_text(status));
    }
    return status;
}

static void on_durable(void *context, pbft_ticket ticket)
{
    struct node *node = context;
    inbox_put_durable(node->inbox, ticket);
}

static void on_log_failed(void *context, enum pbft_status status)
{
    node_fail(context, status, "writing the consensus log");
}

static void on_execution_failed(void *context, enum pbft_status status)
{
    node_fail(context, status, "executing a block");
}

static void scratch_init(struct node_scratch *scratch)
{
    wire_arena_init(&scratch->arena, WIRE_UNPACK_BYTES_MAX);
    wire_buffer_init(&scratch->reply, WIRE_FRAME_BYTES_MAX);
    wire_buffer_init(&scratch->query, WIRE_FRAME_BYTES_MAX);
}

static void scratch_deinit(struct node_scratch *scratch)
{
    wire_arena_deinit(&scratch->arena);
    wire_buffer_deinit(&scratch->reply);
    wire_buffer_deinit(&scratch->query);
}

static void on_work(void *context, uint32_t thread,
                    const struct verifier_job *job)
{
    struct node *node = context;
    if (job->lane == VERIFIER_ENVELOPES) {
        node_read_envelope(node, job);
    } else {
        node_read_call(node, &node->scratches[thread], job);
    }
}

static void on_room(void *context, enum verifier_lane lane)
{
    struct node *node = context;
    if (lane == VERIFIER_ENVELOPES) {
        net_peers_resume(node->peers);
    }
}

/* One core is left to the protocol thread and the disk. */
static uint32_t verifier_threads(uint32_t wanted)
{
    const uint32_t processors = clock_processors();
    uint32_t threads = wanted != 0      ? wanted
                       : processors > 1 ? processors - 1
                                        : 1;
    return threads < NODE_VERIFIERS_MAX ? threads : NODE_VERIFIERS_MAX;
}

static void create_pool(struct node *node, const struct node_setup *setup)
{
    const struct verifier_pool_config config = {
        .threads = verifier_threads(setup->verifier_threads),
        .sources = {node->identity->replica_count,
                    node->identity->genesis->member_count},
        .jobs_max = {NODE_ENVELOPES_WAITING_MAX, NODE_CALLS_WAITING_MAX},
        .bytes_max = {NODE_ENVELOPES_WAITING_BYTES_MAX,
                      NODE_CALLS_WAITING_BYTES_MAX},
        .context = node,
        .work = on_work,
        .room = on_room,
    };
    node->scratch_count = config.threads;
    node->scratches = calloc(config.threads, sizeof *node->scratches);
    PBFT_ASSERT(node->scratches != NULL);
    for (uint32_t i = 0; i < node->scratch_count; i++) {
        scratch_init(&node->scratches[i]);
    }
    node->pool = verifier_pool_create(&config);
}

/* A replica that starts answers after its last block, also if no other comes.
 */
static void open_history(struct node *node)
{
    struct pbft_attestation applied;
    node->history = history_create(node->storage);
    storage_applied(node->storage, &applied);
    history_add(node->history, applied.seq, clock_now_ms());
}

void wiring_create_queues(struct node *node, const struct node_setup *setup)
{
    const struct log_writer_sink log_sink = {
        .context = node, .durable = on_durable, .failed = on_log_failed};
    const struct executor_sink executor_sink = {.context = node,
                                                .executed = node_on_executed,
                                                .failed = on_execution_failed};
    const struct replier_work replier_work = {.context = node,
                                              .proof = node_on_proof,
                                              .serve = node_on_serve,
                                              .read_body = node_on_read_body,
                                              .sweep = node_on_sweep};
    node->inbox = inbox_create(NODE_INBOX_MESSAGES_MAX, NODE_INBOX_BYTES_MAX);
    node->cache = request_cache_create(NODE_VERIFIED_REQUESTS);
    node->executed = request_cache_create(NODE_EXECUTED_REQUESTS);
    node->waiting = waiting_create(NODE_WAITING_CALLS_MAX);
    node->verifier = (struct pbft_verifier){
        .domain = &node->identity->domain,
        .keyring = &node->identity->keyring,
        .window = node->identity->genesis->parameters.window,
        .cache_context = node->cache,
        .is_request_known = request_cache_has,
        .remember_request = request_cache_add,
    };
    node->certify_rate =
        call_rate_create(node->identity->genesis->member_count);
    node->reads = reads_create(node->identity->genesis);
    open_history(node);
    scratch_init(&node->replier_scratch);
    create_pool(node, setup);
    node->log_writer = log_writer_create(node->storage, &log_sink);
    node->executor = executor_create(node->storage, node->state, node->ledger,
                                     &node->identity->keyring,
                                     &node->incarnations, &executor_sink);
    node->replier = replier_create(&replier_work);
}

static void override(pbft_time_ms *value, uint32_t wanted)
{
    if (wanted != 0) {
        *value = wanted;
    }
}

/* What all must agree on comes from the genesis; timeouts may differ. */
static void core_config(const struct node_identity *identity,
                        const struct node_setup *setup, struct pbft_config *out)
{
    const struct genesis_parameters *agreed = &identity->genesis->parameters;
    pbft_config_defaults(out);
    out->self = identity->self;
    out->window = agreed->window;
    out->checkpoint_interval = agreed->checkpoint_interval;
    out->batch_requests_max = agreed->batch_requests_max;
    out->batch_bytes_max = agreed->batch_bytes_max;
    out->time_bound_us = (pbft_wall_us)agreed->time_bound_ms * US_PER_MS;
    override(&out->request_timeout_ms, setup->request_timeout_ms);
    override(&out->view_change_timeout_ms, setup->request_timeout_ms);
    if (out->view_change_timeout_max_ms < out->view_change_timeout_ms) {
        out->view_change_timeout_max_ms = out->view_change_timeout_ms;
    }
    override(&out->batch_delay_ms, setup->batch_delay_ms);
    override(&out->status_interval_ms, setup->status_interval_ms);
    override(&out->resend_interval_ms, setup->resend_interval_ms);
    out->monitor_interval_ms = out->request_timeout_ms;
    if (out->monitor_interval_ms < 2 * out->heartbeat_interval_ms) {
        out->monitor_interval_ms = 2 * out->heartbeat_interval_ms;
    }
    if (setup->monitor_off) {
        out->monitor_interval_ms = 0;
    }
}

enum pbft_status wiring_create_driver(struct node *node,
                                      const struct node_setup *setup,
                                      struct salus_reason *reason)
{
    struct pbft_config config;
    const char *why = "memory is short";
    core_config(node->identity, setup, &config);
    struct pbft_replica *replica = pbft_replica_create(
        &config, &node->identity->domain, &node->identity->keyring, &why);
    if (replica == NULL) {
        salus_reason_set(reason, "parameters of the genesis: %s", why);
        return PBFT_INVALID_CONFIG;
    }
    const struct pbft_log log = log_writer_vtable(node->log_writer);
    const struct pbft_transport transport = transport_vtable(node->transport);
    const struct pbft_service service = node_service(node);
    const struct pbft_timer_service timer = node_timer(node);
    node->driver =
        pbft_driver_create(replica, &log, &transport, &service, &timer);
    PBFT_ASSERT(node->driver != NULL);
    return PBFT_OK;
}

static void describe_members(const struct salus_genesis *genesis,
                             struct net_member *members)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        const struct salus_member *member = &genesis->members[i];
        members[i] = (struct net_member){
            .name = member->name,
            .tls_ca = {member->tls_ca, member->tls_ca_size},
        };
    }
}

static uint32_t describe_replicas(const struct node_setup *setup,
                                  struct net_member *members)
{
    const struct salus_genesis *genesis = setup->identity->genesis;
    uint32_t count = genesis_replica_count(genesis);
    for (pbft_replica_id id = 0; id < count; id++) {
        const struct salus_member *member = genesis_replica(genesis, id);
        members[id] = (struct net_member){
            .name = member->name,
            .tls_ca = {member->tls_ca, member->tls_ca_size},
            .address = setup->peer_addresses[id] != NULL
                           ? setup->peer_addresses[id]
                           : member->peer_address,
        };
    }
    return count;
}

static struct net_credentials credentials(const struct node *node)
{
    return (struct net_credentials){.certificate_pem =
                                        node->identity->certificate_pem,
                                    .key_pem = node->identity->tls_key_pem};
}

static enum pbft_status say(enum pbft_status status, const char *what,
                            const char *address,
                            const struct net_problem *problem,
                            struct salus_reason *reason)
{
    if (status != PBFT_OK) {
        salus_reason_set(reason, "%s %s: %s", what, address,
                         problem->text[0] != '\0' ? problem->text
                                                  : pbft_status_text(status));
    }
    /* So that a port in use is not taken for a folder in use. */
    return status == PBFT_LOCKED || status == PBFT_IO ? PBFT_UNREACHABLE
                                                      : status;
}

enum pbft_status wiring_open_peers(struct node *node,
                                   const struct node_setup *setup,
                                   struct salus_reason *reason)
{
    const struct node_identity *identity = node->identity;
    struct net_member members[PBFT_REPLICAS_MAX];
    struct net_problem problem = {{0}};
    struct net_peers_config config;
    net_peers_config_defaults(&config);
    config.self = identity->self;
    config.members = members;
    config.member_count = describe_replicas(setup, members);
    config.own = credentials(node);
    config.listen_address = setup->peer_listen;
    config.security = setup->security;
    config.frame_bytes_max = WIRE_FRAME_BYTES_MAX;
    config.context = node;
    config.receive = node_receive;
    enum pbft_status status = net_peers_open(&config, &node->peers, &problem);
    if (status == PBFT_OK) {
        node->transport =
            transport_create(node->peers, &identity->cluster, identity->self,
                             identity->replica_count);
    }
    return say(status, "listening for replicas at", setup->peer_listen,
               &problem, reason);
}

enum pbft_status wiring_open_gateway(struct node *node,
                                     const struct node_setup *setup,
                                     struct salus_reason *reason)
{
    const struct salus_genesis *genesis = node->identity->genesis;
    struct net_member *members = calloc(genesis->member_count, sizeof *members);
    PBFT_ASSERT(members != NULL);
    struct wire_buffer busy;
    wire_buffer_init(&busy, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = reply_refusal(&busy, REPLY_BUSY, 0);
    PBFT_ASSERT(status == PBFT_OK);
    struct net_problem problem = {{0}};
    struct net_gateway_config config;
    net_gateway_config_defaults(&config);
    describe_members(genesis, members);
    config.members = members;
    config.member_count = genesis->member_count;
    config.self = (uint32_t)(node->identity->member - genesis->members);
    config.own = credentials(node);
    config.listen_address = setup->client_listen;
    config.security = setup->security;
    if (setup->calls_max != 0) {
        config.calls_max = setup->calls_max;
    }
    if (setup->calls_per_caller_max != 0) {
        config.calls_per_caller_max = setup->calls_per_caller_max;
    }
    config.busy_reply = wire_buffer_bytes(&busy);
    config.context = node;
    config.call = node_call;
    status = net_gateway_open(&config, &node->gateway, &problem);
    wire_buffer_deinit(&busy);
    free(members);
    return say(status, "listening for clients at", setup->client_listen,
               &problem, reason);
}

void wiring_release(struct node *node)
{
    if (node->pool != NULL) {
        verifier_pool_destroy(node->pool);
        scratch_deinit(&node->replier_scratch);
    }
    for (uint32_t i = 0; i < node->scratch_count; i++) {
        scratch_deinit(&node->scratches[i]);
    }
    free(node->scratches);
    if (node->driver != NULL) {
        pbft_driver_destroy(node->driver);
    }
    transport_destroy(node->transport);
    inbox_destroy(node->inbox);
    request_cache_destroy(node->cache);
    request_cache_destroy(node->executed);
    waiting_destroy(node->waiting);
    call_rate_destroy(node->certify_rate);
    reads_destroy(node->reads);
    history_destroy(node->history);
    ledger_destroy(node->ledger);
    storage_state_destroy(node->state);
    storage_close(node->storage);
}
