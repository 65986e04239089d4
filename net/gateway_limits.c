/* SPDX-License-Identifier: Apache-2.0 */
/* How much a replica lets its clients have. */
#include <string.h>

#include "net/gateway.h"

void net_gateway_config_defaults(struct net_gateway_config *config)
{
    memset(config, 0, sizeof *config);
    config->frame_bytes_max = 4u << 20; /* A full request, and more. */
    config->calls_max = 1024;
    config->calls_per_caller_max = 768;
    config->connections_max = 1024; /* At about 100 KiB each. */
    config->connections_per_caller_max = 512;
    config->bytes_max = (size_t)256 << 20;
    config->handshake_timeout_ms = 5000;
    config->reply_timeout_ms = 10000;
}

void net_gateway_config_complete(struct net_gateway_config *config)
{
    struct net_gateway_config defaults;
    net_gateway_config_defaults(&defaults);
#define NET_FILL(field)                                                        \
    config->field = config->field != 0 ? config->field : defaults.field
    NET_FILL(frame_bytes_max);
    NET_FILL(calls_max);
    NET_FILL(calls_per_caller_max);
    NET_FILL(connections_max);
    NET_FILL(connections_per_caller_max);
    NET_FILL(bytes_max);
    NET_FILL(handshake_timeout_ms);
    NET_FILL(reply_timeout_ms);
#undef NET_FILL
}
