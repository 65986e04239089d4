/* SPDX-License-Identifier: Apache-2.0 */
/* Channels to replicas, and who uses them and the handle: what salus_close()
 * has to wait for. */
#include "client/client.h"

static void describe_channel(struct salus_client *client, uint32_t replica,
                             struct net_channel_config *config,
                             struct net_member *peer)
{
    const struct salus_member *member =
        genesis_replica(client->genesis, replica);
    const struct salus_member *self =
        genesis_find(client->genesis, &client->institution);

    *peer = (struct net_member){.name = member->name,
                                .tls_ca = {member->tls_ca, member->tls_ca_size},
                                .address = member->client_address};
    net_channel_config_defaults(config);
    config->address = member->client_address;
    config->member = peer;
    config->own =
        (struct net_credentials){client->certificate_pem, client->tls_key_pem};
    config->security =
        client->config.unsafe_plain_tcp ? NET_UNSAFE_PLAIN_TCP : NET_TLS;
    config->caller = (uint32_t)(self - client->genesis->members);
    config->context = &client->homes[replica];
    config->on_reply = client_on_reply;
    config->on_state = client_on_state;
}

/* One thread opens at a time; the others wait for it. */
static struct net_channel *open_channel(struct salus_client *client,
                                        uint32_t replica)
{
    struct net_channel_config config;
    struct net_member peer;
    struct net_channel *channel = NULL;

    describe_channel(client, replica, &config, &peer);
    (void)pthread_mutex_lock(&client->opening);
    if (client->channels[replica] == NULL &&
        net_channel_open(&config, &channel, NULL) == PBFT_OK) {
        (void)pthread_mutex_lock(&client->lock);
        client->channels[replica] = channel;
        client->channel_opened[replica] = client_now_ms();
        (void)pthread_mutex_unlock(&client->lock);
    }
    channel = client->channels[replica];
    (void)pthread_mutex_unlock(&client->opening);
    return channel;
}

struct net_channel *client_channel_take(struct salus_client *client,
                                        uint32_t replica)
{
    (void)pthread_mutex_lock(&client->lock);
    struct net_channel *channel = client->channels[replica];
    bool closing = client->closing;
    if (!closing) {
        client->channel_users++;
    }
    (void)pthread_mutex_unlock(&client->lock);
    if (closing) {
        return NULL;
    }
    if (channel == NULL) {
        channel = open_channel(client, replica);
    }
    if (channel == NULL) {
        client_channel_give_back(client);
    }
    return channel;
}

void client_channel_give_back(struct salus_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    client->channel_users--;
    if (client->closing) {
        (void)pthread_cond_broadcast(&client->changed);
    }
    (void)pthread_mutex_unlock(&client->lock);
}

bool client_enter(struct salus_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    bool entered = !client->closing;
    client->users += entered ? 1 : 0;
    (void)pthread_mutex_unlock(&client->lock);
    return entered;
}

void client_leave(struct salus_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    client->users--;
    (void)pthread_cond_broadcast(&client->changed);
    (void)pthread_mutex_unlock(&client->lock);
}
