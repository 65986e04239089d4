/* SPDX-License-Identifier: Apache-2.0 */
/* salus-sim: the deterministic simulator. */
#include <stdio.h>
#include <string.h>

#include "crypto/init.h"
#include "sim/command.h"

static const char usage[] =
    "usage: salus-sim COMMAND [OPTIONS]\n"
    "\n"
    "Simulates a consortium of Salus replicas: the production consensus code\n"
    "with a virtual clock, network and disk, while an auditor checks every\n"
    "event.\n"
    "\n"
    "  run --seed N [--profile P] [--trace] [--html FILE]\n"
    "        one run; prints its numbers and its trace hash, with --trace all\n"
    "        events. Equal seeds give equal hashes. --html draws the run.\n"
    "  swarm [--profile P] (--seeds A..B | --seconds N) [--jobs J] [--json]\n"
    "        [--transactions]\n"
    "        many seeds; stops at the first violation. --transactions: what "
    "the\n"
    "        ledger made of each type, a table.\n"
    "  script [--quiet] FILE...\n"
    "        scenario scripts; the language: docs/scenarios.md.\n"
    "  shrink --seed N [--profile P] [--out FILE] [--trials N]\n"
    "        leaves out faults and requests while a failing seed still fails,\n"
    "        and writes what is left as a scenario script.\n"
    "  bench [--replicas N] [--latency FILE|lan|wan-eu|wan-us|wan-global]\n"
    "        [--bandwidth 1Gbit] [--link-bandwidth 1Gbit] [--rate R|max]\n"
    "        [--clients C] [--payload B] [--transactions-per-request K]\n"
    "        [--cores N] [--one-machine] [--costs FILE] [--duration 10s]\n"
    "        [--warm-up 2s] [--events-max N] [--json] [--curve] [--svg FILE]\n"
    "        how fast it would be: the production core with costs of CPU,\n"
    "        disks and networks; --curve: 4 to 100 replicas.\n"
    "  calibrate [--cores N] [--out FILE] MEASURED.json...\n"
    "        fits the costs to lines of salus bench --json.\n"
    "  list  profiles, faults, adversaries, invariants and costs.\n"
    "\n"
    "exit: 0 all is well, 1 an invariant or expectation broke, 2 bad usage\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", command_run},       {"swarm", command_swarm},
    {"script", command_script}, {"shrink", command_shrink},
    {"bench", command_bench},   {"calibrate", command_calibrate},
    {"list", command_list},
};

/* What was not written was not said. */
static int end(int code)
{
    const bool is_lost = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (is_lost && code == EXIT_WELL) {
        (void)fputs("salus-sim: the output cannot be written\n", stderr);
        return EXIT_USAGE;
    }
    return code;
}

static int run_command(int argc, char **argv)
{
    if (argc >= 2 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        (void)fputs(usage, stdout);
        return EXIT_WELL;
    }
    if (argc == 3 && strcmp(argv[2], "--help") == 0 &&
        strcmp(argv[1], "script") != 0) {
        (void)fputs(usage, stdout);
        return EXIT_WELL;
    }
    if (crypto_init() != PBFT_OK) { /* Else libsodium does not use the CPU. */
        (void)fputs("salus-sim: libsodium does not start\n", stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0];
         i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 2, argv + 2);
        }
    }
    if (argc >= 2) {
        (void)fprintf(stderr, "salus-sim: there is no command '%s'\n\n",
                      argv[1]);
    }
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    return end(run_command(argc, argv));
}
