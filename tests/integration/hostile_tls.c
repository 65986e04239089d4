/* SPDX-License-Identifier: Apache-2.0 */
/* What TLS must refuse, with another implementation of it at the other end. */
#include "tests/integration/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MAX 4096
#define ANSWER_MAX 65536

/* Runs openssl s_client with `options` against the client port of the victim;
 * `input` is what a person would type. */
static void run_client(struct scene *scene, const char *options,
                       const char *input, char answer[ANSWER_MAX])
{
    const struct salus_member *victim = genesis_replica(scene->genesis, VICTIM);
    char command[COMMAND_MAX];

    (void)snprintf(command, sizeof(command),
                   "cd '%s/%s' && (printf '%s'; sleep %d) | timeout 20 openssl "
                   "s_client -connect 127.0.0.1:%u %s 2>&1",
                   scene->trial.replicas.folder, victim->name, input,
                   input[0] == '\0' ? 1 : 4, /* Until it is answered. */
                   hostile_port_of(victim->client_address), options);
    FILE *pipe = popen(command, "r");
    size_t size = pipe != NULL ? fread(answer, 1, ANSWER_MAX - 1, pipe) : 0;
    for (size_t i = 0; i < size; i++) {
        answer[i] = answer[i] == '\0' ? ' ' : answer[i]; /* Our greeting. */
    }
    answer[size] = '\0';
    if (pipe != NULL) {
        (void)pclose(pipe);
    }
}

static bool tell(const char *what, bool good, const char *answer)
{
    (void)printf("tls, %s: %s\n", what, good ? "ok" : "FAILED");
    if (!good) {
        (void)fprintf(stderr, "%s\n", answer);
    }
    return good;
}

/* Does the handshake come to its end? */
static bool expect(struct scene *scene, const char *what, bool is_let_in,
                   const char *options)
{
    static char answer[ANSWER_MAX];

    run_client(scene, options, "", answer);
    bool was_let_in = strstr(answer, "CONNECTION ESTABLISHED") != NULL;
    return tell(what, was_let_in == is_let_in, answer);
}

static bool refuses_renegotiation(struct scene *scene)
{
    static char answer[ANSWER_MAX];

    run_client(scene, "-cert client-tls.pem -key client-tls.key -tls1_2",
               "R\\n", answer);
    return tell("renegotiation",
                strstr(answer, "RENEGOTIATING") != NULL &&
                    strstr(answer, "no renegotiation") != NULL,
                answer);
}

bool attack_tls(struct scene *scene)
{
#define CERTIFIED "-brief -cert client-tls.pem -key client-tls.key "
    bool good =
        expect(scene, "a certified client", true, CERTIFIED "-tls1_2") &&
        expect(scene, "no certificate", false, "-brief -tls1_2") &&
        expect(scene, "TLS 1.1", false,
               CERTIFIED "-tls1_1 -cipher ALL@SECLEVEL=0") &&
        expect(scene, "TLS 1.3", false, CERTIFIED "-tls1_3") &&
        expect(scene, "no forward secrecy", false,
               CERTIFIED "-tls1_2 -cipher AES128-GCM-SHA256:AES256-SHA") &&
        refuses_renegotiation(scene);
#undef CERTIFIED
    return good && hostile_judge(scene, "TLS as it must not be", REPLICAS);
}
