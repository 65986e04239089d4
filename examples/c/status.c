/* SPDX-License-Identifier: Apache-2.0 */
/* Connects as a client of an institution and asks each replica how it is.
 *
 *   cc status.c $(pkg-config --cflags --libs salus) -o status
 *   ./status genesis.txt client.key client-tls.pem client-tls.key
 */
#include <salus.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    struct salus_config config;
    struct salus_client *client = NULL;
    char problem[SALUS_PROBLEM_SIZE] = "";

    if (argc != 5) {
        (void)fprintf(stderr, "usage: %s GENESIS KEY CERTIFICATE TLS-KEY\n",
                      argv[0]);
        return 2;
    }
    salus_config_init(&config);
    config.genesis_file = argv[1];
    config.key_file = argv[2];
    config.certificate_file = argv[3];
    config.tls_key_file = argv[4];
    if (salus_open(&client, problem, &config) != SALUS_OK) {
        (void)fprintf(stderr, "%s\n", problem);
        return 1;
    }
    for (uint32_t i = 0; i < salus_replica_count(client); i++) {
        struct salus_bytes answer = {NULL, 0};
        enum salus_status status = salus_replica_status(client, &answer, i);
        /* `answer` is a NodeStatus of proto/salus/v1/client.proto. */
        (void)printf("%-16s %s, %zu bytes\n", salus_replica_name(client, i),
                     salus_status_text(status), answer.size);
        salus_free(&answer);
    }
    salus_close(client);
    return 0;
}
