/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes. posix_spawn and not fork, because NNG panics in a forked
 * child. */
#include "client/replicas.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/tool_clock.h"

extern char **environ;

#define REPLICAS_MAX (sizeof(((struct replicas *)0)->pids) / sizeof(pid_t))
/* Ends a child together with its parent, also when that is killed. */
#define SETPRIV "/usr/bin/setpriv"
#define POLL_INTERVAL_NS                                                       \
    10000000 /* How often a stopping child is looked at.                       \
              */
#define FIRST_PORT 20000
#define LAST_PORT 32000 /* Below the range of outgoing connections. */

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* Where salusd may be, seen from the folder of this program. */
static bool find_salusd(char *out, size_t size)
{
    static const char *const places[] = {"salusd", "../node/salusd",
                                         "../sbin/salusd", "../bin/salusd"};
    const char *named = getenv("SALUSD");
    char self[REPLICAS_PATH_MAX];

    if (named != NULL) {
        (void)snprintf(out, size, "%s", named);
        return is_program(out);
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length <= 0) {
        return false;
    }
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    *slash = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int used = snprintf(out, size, "%s/%s", self, places[i]);
        if (used > 0 && (size_t)used < size && is_program(out)) {
            return true;
        }
    }
    return false;
}

enum pbft_status replicas_init(struct replicas *replicas, const char *folder,
                               uint32_t count)
{
    memset(replicas, 0, sizeof(*replicas));
    if (count == 0 || count > REPLICAS_MAX ||
        strlen(folder) >= sizeof(replicas->folder) / 2) {
        return PBFT_INVALID_ARGUMENT;
    }
    (void)snprintf(replicas->folder, sizeof(replicas->folder), "%s", folder);
    replicas->count = count;
    return find_salusd(replicas->program, sizeof(replicas->program))
               ? PBFT_OK
               : PBFT_NOT_FOUND;
}

void replicas_log_path(const struct replicas *replicas, uint32_t id, char *out)
{
    (void)snprintf(out, REPLICAS_PATH_MAX, "%.256s/replica-%u.log",
                   replicas->folder, id);
}

static size_t fill_arguments(const struct replicas *replicas,
                             const char *config, const char **argv)
{
    size_t count = 0;

    if (!replicas->outlive_us && is_program(SETPRIV)) {
        argv[count++] = SETPRIV;
        argv[count++] = "--pdeathsig";
        argv[count++] = "TERM";
    }
    argv[count++] = replicas->program;
    argv[count++] = "--config";
    argv[count++] = config;
    for (size_t i = 0; i < 4 && replicas->options[i] != NULL; i++) {
        argv[count++] = replicas->options[i];
    }
    argv[count] = NULL;
    return count;
}

enum pbft_status replicas_start(struct replicas *replicas, uint32_t id)
{
    char config[REPLICAS_PATH_MAX];
    char log[REPLICAS_PATH_MAX];
    const char *argv[16];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;

    (void)snprintf(config, sizeof(config), "%.256s/replica-%u.yaml",
                   replicas->folder, id);
    replicas_log_path(replicas, id, log);
    (void)fill_arguments(replicas, config, argv);
    (void)sigemptyset(&none);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
                                           O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log,
                                           O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)posix_spawn_file_actions_adddup2(&files, STDERR_FILENO,
                                           STDOUT_FILENO);
    /* A group of its own: Ctrl-C reaches us alone, and we stop the children. */
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                                    POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    int result = posix_spawn(&replicas->pids[id], argv[0], &files, &attributes,
                             (char *const *)argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    if (result != 0) {
        replicas->pids[id] = 0;
        return PBFT_IO;
    }
    return PBFT_OK;
}

void replicas_kill(struct replicas *replicas, uint32_t id)
{
    if (replicas->pids[id] == 0) {
        return;
    }
    (void)kill(replicas->pids[id], SIGKILL);
    (void)waitpid(replicas->pids[id], NULL, 0);
    replicas->pids[id] = 0;
}

/* True once the child is gone; counts a bad end in `*bad`. */
static bool reap(struct replicas *replicas, uint32_t id, uint32_t *bad)
{
    int status = 0;

    if (replicas->pids[id] == 0) {
        return true;
    }
    if (waitpid(replicas->pids[id], &status, WNOHANG) == 0) {
        return false;
    }
    replicas->pids[id] = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (*bad)++;
    }
    return true;
}

uint32_t replicas_stop_all(struct replicas *replicas, uint32_t patience_ms)
{
    const struct timespec pause = {0, POLL_INTERVAL_NS};
    uint64_t deadline = tool_now_ms() + patience_ms;
    uint32_t bad = 0;

    for (uint32_t id = 0; id < replicas->count; id++) {
        if (replicas->pids[id] != 0) {
            (void)kill(replicas->pids[id], SIGTERM);
        }
    }
    for (uint32_t id = 0; id < replicas->count; id++) {
        while (!reap(replicas, id, &bad)) {
            if (tool_now_ms() > deadline) {
                replicas_kill(replicas, id);
                bad++;
            } else {
                (void)nanosleep(&pause, NULL);
            }
        }
    }
    return bad;
}

int replicas_find_dead(struct replicas *replicas, int *status)
{
    for (uint32_t id = 0; id < replicas->count; id++) {
        if (replicas->pids[id] != 0 &&
            waitpid(replicas->pids[id], status, WNOHANG) > 0) {
            replicas->pids[id] = 0;
            return (int)id;
        }
    }
    return -1;
}

static bool is_port_free(uint16_t port)
{
    struct sockaddr_in address = {0};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    bool is_free =
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    (void)close(fd);
    return is_free;
}

uint16_t replicas_free_ports(uint16_t count)
{
    /* Processes that start together begin at different places. */
    uint32_t span = LAST_PORT - FIRST_PORT;
    uint32_t start = ((uint32_t)getpid() * 97u) % span;

    for (uint32_t tried = 0; tried < span; tried++) {
        uint32_t first = FIRST_PORT + (start + tried) % span;
        uint16_t found = 0;
        while (found < count && is_port_free((uint16_t)(first + found))) {
            found++;
        }
        if (found == count) {
            return (uint16_t)first;
        }
        tried += found;
    }
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void replicas_remove_folder(const char *folder)
{
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
