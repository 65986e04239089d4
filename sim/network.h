/* SPDX-License-Identifier: Apache-2.0 */
/* The network: packets between hosts and clients, each message on its own.
 *
 * A packet may be lost, doubled, delayed past later ones, cut off, or held and
 * dropped by a filter at its delivery. Cuts do not touch clients.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "consensus/message.h"
#include "sim/random.h"

struct sim;

/* Replicas and their twins. Clients are numbered behind them. */
#define SIM_HOSTS_MAX 136
#define SIM_CLIENTS_MAX 64
#define SIM_ACTORS_MAX (SIM_HOSTS_MAX + SIM_CLIENTS_MAX)

#define NETWORK_RECORDED_MAX 256
/* So many hosts have each link for itself. */
#define NETWORK_LINK_HOSTS 16
#define NETWORK_LINKS (NETWORK_LINK_HOSTS * NETWORK_LINK_HOSTS)

static inline bool actor_is_client(uint32_t actor)
{
    return actor >= SIM_HOSTS_MAX;
}

/* What a replica tells a client, besides the proof of the block. */
struct sim_reply {
    uint64_t sequence;
    pbft_seq seq;   /* Where the request took effect. */
    uint32_t index; /* In that block. */
    uint32_t leaf_count;
    struct pbft_digest leaves[];
};

enum packet_state {
    PACKET_FLYING,
    PACKET_HELD,    /* Arrived; a filter keeps it. */
    PACKET_CLOGGED, /* Waits before its link. */
    PACKET_DONE,    /* Delivered, lost or dropped; events may still name it. */
};

struct sim_packet {
    uint32_t from;
    uint32_t to;
    const struct pbft_message *message; /* Owned reference. */
    struct sim_reply *reply;            /* Owned; or NULL. */
    enum packet_state state;
    uint64_t sent_us;
    bool is_expedited;           /* Filters do not see it again. */
    uint32_t event_count;        /* Events that name it. */
    struct sim_packet *previous; /* In the order of sending. */
    struct sim_packet *next;
    struct sim_packet *link_previous; /* Among those of its link. */
    struct sim_packet *link_next;
};

enum packet_fate { FATE_DELIVER, FATE_HOLD, FATE_DROP };

struct network_settings {
    uint64_t latency_us; /* The least. */
    uint64_t jitter_us;  /* Mean of what comes on top; 0: none. */
    uint32_t loss_permille;
    uint32_t duplicate_permille;
    uint32_t detour_permille;  /* Takes ten times as long. */
    uint32_t tail_permille;    /* Takes up to a thousand times as long. */
    uint32_t corrupt_permille; /* Arrives with other bits. */
};

struct network_counts {
    uint64_t sent;
    uint64_t delivered;
    uint64_t lost; /* By chance, cuts and filters. */
    uint64_t duplicated;
};

struct network {
    struct sim *sim;
    struct random random;
    struct network_settings settings;
    struct network_counts counts;
    uint8_t cuts[SIM_HOSTS_MAX][SIM_HOSTS_MAX]; /* How many, from and to. */
    uint8_t clogs[SIM_HOSTS_MAX][SIM_HOSTS_MAX];
    uint16_t factors[SIM_HOSTS_MAX][SIM_HOSTS_MAX]; /* Of the delay; 0: 1. */
    struct sim_packet *first;
    struct sim_packet *last;
    struct sim_packet *unused;
    struct network_link {
        struct sim_packet *first;
        struct sim_packet *last;
    } links[NETWORK_LINKS]; /* Those that are not done; see network_link(). */
    uint64_t flying;
    /* Some of what was sent between hosts, a ring, for replays. */
    struct network_record {
        uint32_t from;
        uint32_t to;
        const struct pbft_message *message; /* Owned reference, or NULL. */
    } recorded[NETWORK_RECORDED_MAX];
    uint64_t recorded_count;
    void *filter_context;
    /* May be NULL. Asked when a packet arrives. */
    enum packet_fate (*filter)(void *context, const struct sim_packet *packet);
};

void network_init(struct network *network, struct sim *sim, uint64_t seed);
void network_deinit(struct network *network);

/* References `message`; takes over `reply`. */
void network_send(struct network *network, uint32_t from, uint32_t to,
                  const struct pbft_message *message, struct sim_reply *reply);

/* The same, but so much later. */
void network_send_late(struct network *network, uint32_t from, uint32_t to,
                       const struct pbft_message *message, uint64_t delay_us);

/* The message is lost, and `why` stands in the trace. */
void network_lose(struct network *network, uint32_t from, uint32_t to,
                  const struct pbft_message *message, const char *why);

/* The packets from one to the other, in the order of sending; links of many
 * hosts share a list. */
static inline struct network_link *network_link(struct network *network,
                                                uint32_t from, uint32_t to)
{
    return &network->links[(from * NETWORK_LINK_HOSTS + to) % NETWORK_LINKS];
}

/* One way. What flies there already is lost. Cuts are counted. */
void network_cut(struct network *network, uint32_t from, uint32_t to);
void network_join(struct network *network, uint32_t from, uint32_t to);
void network_join_all(struct network *network);
/* Messages wait, and all set out at once at the end. Clogs are counted. */
void network_clog(struct network *network, uint32_t from, uint32_t to);
void network_unclog(struct network *network, uint32_t from, uint32_t to);
/* Everything takes so many times as long; 0: no longer. */
void network_slow_link(struct network *network, uint32_t from, uint32_t to,
                       uint16_t factor);
/* Whatever was wrong with the link. */
void network_heal_link(struct network *network, uint32_t from, uint32_t to);
/* So many old messages come again, on the links on which they came. False:
 * nothing was recorded. */
bool network_replay(struct network *network, struct random *random,
                    uint64_t count);
/* network_noise.c, private: */
void network_record(struct network *network, uint32_t from, uint32_t to,
                    const struct pbft_message *message);
void network_forget_records(struct network *network);
/* Another message that differs in some bits; NULL: no decoder took it. */
const struct pbft_message *network_corrupt(struct network *network,
                                           const struct pbft_message *message);
/* The message as the production decoder gives it, for what no honest core made;
 * NULL: it has no encoding, or no decoder takes it. The caller owns it. */
const struct pbft_message *network_recode(struct network *network,
                                          const struct pbft_message *message);
/* Sends what network_recode() gives. False: it is lost like a malformed frame.
 */
bool network_send_recoded(struct network *network, uint32_t from, uint32_t to,
                          const struct pbft_message *message);
/* Private to network*.c: a waiting packet begins to fly. */
void network_set_out(struct network *network, struct sim_packet *packet,
                     uint64_t delay_us);

/* A DELIVER event came up. Gives the packet to the caller if it arrives: NULL
 * if it is held or gone. The caller ends it with network_finish(). */
struct sim_packet *network_arrive(struct network *network,
                                  struct sim_packet *packet);
/* Prepares a flying or held packet for an extra DELIVER event out of its turn;
 * the filter does not see it again. The caller dispatches that event. */
void network_take(struct network *network, struct sim_packet *packet);
void network_drop(struct network *network, struct sim_packet *packet);
void network_finish(struct network *network, struct sim_packet *packet);

#endif /* SIM_NETWORK_H */
