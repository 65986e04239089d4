/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the example of libsalus against four real replicas.
 *
 *   example_c PROGRAM
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/trial.h"

#define REPLICAS 4
#define START_TIMEOUT_MS 60000
#define STOP_PATIENCE_MS 20000

/* The exit status of the program. */
static int run_example(const char *program, struct trial *trial,
                       const char *folder)
{
    char custodian[64];
    char requester[64];
    (void)snprintf(custodian, sizeof custodian, "%s",
                   salus_replica_name(trial->clients[0], 0));
    (void)snprintf(requester, sizeof requester, "%s",
                   salus_replica_name(trial->clients[0], 1));
    int status = 0;
    /* Its own session: ours would be the older one. */
    trial_close_clients(trial);
    pid_t child = fork();
    if (child == 0) {
        (void)execl(program, program, folder, custodian, requester,
                    (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    static struct trial trial;
    char folder[] = "/tmp/salus-example-XXXXXX";
    if (argc != 2 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "usage: example_c PROGRAM\n");
        return 2;
    }
    int status = -1;
    if (trial_create(&trial, folder, REPLICAS) == PBFT_OK &&
        trial_start(&trial, START_TIMEOUT_MS) == PBFT_OK) {
        status = run_example(argv[1], &trial, folder);
    }
    bool clean = replicas_stop_all(&trial.replicas, STOP_PATIENCE_MS) == 0;
    if (status == 0 && clean) {
        replicas_remove_folder(folder);
    } else {
        fprintf(stderr, "example_c: status %d, see %s\n", status, folder);
    }
    return status == 0 && clean ? 0 : 1;
}
