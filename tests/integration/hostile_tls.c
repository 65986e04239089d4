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

/* A CA may sign any name, also one that reads as a line of a journal. */
static bool make_false_name(const struct salus_member *member,
                            const char *folder)
{
    static const char names[] = "subjectAltName=@names\n[names]\n"
                                "DNS.1=x\\\" event=evidence against=\\\"y\n";
    char path[COMMAND_MAX];
    char command[COMMAND_MAX];

    (void)snprintf(path, sizeof path, "%s/%s/false.ext", folder, member->name);
    FILE *file = fopen(path, "we");
    bool good = file != NULL && fputs(names, file) >= 0;
    good = file != NULL && fclose(file) == 0 && good;
    (void)snprintf(command, sizeof command,
                   "cd '%s/%s' && exec 2>false.log && openssl ecparam -name "
                   "prime256v1 -genkey -noout -out false.key && openssl req "
                   "-new -key false.key -subj /CN=x -out false.csr && openssl "
                   "x509 -req -in false.csr -CA ca.pem -CAkey ca.key "
                   "-CAcreateserial -days 2 -extfile false.ext -out false.pem",
                   folder, member->name);
    return good && system(command) == 0; /* NOLINT(cert-env33-c) */
}

/* What the victim's journal has of it: 1 a refusal, 2 the name. */
static int look_for_name(struct scene *scene)
{
    char path[REPLICAS_PATH_MAX];
    char line[2048];
    int seen = 0;

    replicas_log_path(&scene->trial.replicas, VICTIM, path);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        seen |= strstr(line, "not a client of a member") != NULL ? 1 : 0;
        seen |= strstr(line, "event=evidence") != NULL ? 2 : 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return seen;
}

static bool repeats_no_names(struct scene *scene)
{
    static char answer[ANSWER_MAX];
    const struct salus_member *victim = genesis_replica(scene->genesis, VICTIM);
    int seen = 0;

    if (!make_false_name(victim, scene->trial.replicas.folder)) {
        return tell("a false name", false, "openssl makes no certificate");
    }
    run_client(scene, "-brief -cert false.pem -key false.key -tls1_2",
               "\\000SP\\000\\000\\060\\000\\000", answer);
    for (int i = 0; i < 300 && seen == 0; i++) {
        hostile_pass_ms(100);
        seen = look_for_name(scene);
    }
    return tell("a false name", seen == 1, answer);
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
        refuses_renegotiation(scene) && repeats_no_names(scene);
#undef CERTIFIED
    return good && hostile_judge(scene, "TLS as it must not be", REPLICAS);
}
