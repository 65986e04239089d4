/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of sealed contents; commitments are computed on the way. */
#include "client/seal_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/random.h"

#define PART_SUFFIX ".part"

struct flow {
    int in;
    int out;
    bool makes_file;
    char part[PATH_MAX]; /* Where it is written before it is whole. */
    const char *to;
    struct digest_stream content;
    struct digest_stream cipher;
    bool seals; /* What is read is the content; else what is written. */
    uint64_t written;
    struct salus_reason *reason;
};

static enum pbft_status status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
        return PBFT_NOT_FOUND;
    case EEXIST:
        return PBFT_EXISTS;
    case EACCES:
    case EPERM:
        return PBFT_PERMISSION;
    case ENOSPC:
    case EDQUOT:
        return PBFT_NO_SPACE;
    default:
        return PBFT_IO;
    }
}

static enum pbft_status fail(struct flow *flow, const char *path)
{
    int error = errno;

    salus_reason_set(flow->reason, "%s: %s", path, strerror(error));
    return status_of_errno(error);
}

/* ---- the ends ------------------------------------------------------------ */

static enum pbft_status open_output(struct flow *flow, const char *to)
{
    struct stat info;

    flow->to = to;
    if (strcmp(to, "-") == 0) {
        flow->out = STDOUT_FILENO;
        return PBFT_OK;
    }
    int size = snprintf(flow->part, sizeof flow->part, "%s" PART_SUFFIX, to);
    if (size < 0 || (size_t)size >= sizeof flow->part) {
        errno = ENAMETOOLONG;
        return fail(flow, to);
    }
    if (lstat(to, &info) == 0) {
        errno = EEXIST;
        return fail(flow, to);
    }
    flow->out = open(flow->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (flow->out < 0) {
        return fail(flow, flow->part);
    }
    flow->makes_file = true;
    return PBFT_OK;
}

static enum pbft_status begin(struct flow *flow, const char *from,
                              const char *to)
{
    flow->in = strcmp(from, "-") == 0 ? STDIN_FILENO
                                      : open(from, O_RDONLY | O_CLOEXEC);
    if (flow->in < 0) {
        return fail(flow, from);
    }
    enum pbft_status status = open_output(flow, to);
    if (status != PBFT_OK && flow->in != STDIN_FILENO) {
        (void)close(flow->in);
    }
    return status;
}

static enum pbft_status sync_folder(struct flow *flow)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(flow->to, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - flow->to);

    (void)snprintf(folder, sizeof folder, "%.*s", (int)size, flow->to);
    int fd = open(slash == NULL ? "."
                  : size == 0   ? "/"
                                : folder,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail(flow, flow->to);
    }
    enum pbft_status status = fsync(fd) == 0 ? PBFT_OK : fail(flow, flow->to);
    (void)close(fd);
    return status;
}

/* Whole and synced, it gets its name; link() never replaces a file. */
static enum pbft_status publish(struct flow *flow)
{
    if (fsync(flow->out) != 0) {
        return fail(flow, flow->part);
    }
    if (link(flow->part, flow->to) != 0) {
        return fail(flow, flow->to);
    }
    return sync_folder(flow);
}

static enum pbft_status end(struct flow *flow, enum pbft_status status)
{
    if (flow->in != STDIN_FILENO) {
        (void)close(flow->in);
    }
    if (flow->makes_file) {
        status = status == PBFT_OK ? publish(flow) : status;
        (void)close(flow->out);
        (void)unlink(flow->part);
    }
    return status;
}

/* ---- the stream ---------------------------------------------------------- */

static enum pbft_status flow_read(void *context, uint8_t *out, size_t capacity,
                                  size_t *size)
{
    struct flow *flow = context;
    ssize_t got;

    do {
        got = read(flow->in, out, capacity);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return fail(flow, "reading");
    }
    *size = (size_t)got;
    digest_update(flow->seals ? &flow->content : &flow->cipher,
                  (struct pbft_bytes){out, *size});
    return PBFT_OK;
}

static enum pbft_status flow_write(void *context, struct pbft_bytes bytes)
{
    struct flow *flow = context;
    size_t done = 0;

    digest_update(flow->seals ? &flow->cipher : &flow->content, bytes);
    flow->written += bytes.size;
    while (done < bytes.size) {
        ssize_t put = write(flow->out, bytes.data + done, bytes.size - done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return fail(flow, "writing");
        }
        done += (size_t)put;
    }
    return PBFT_OK;
}

static struct seal_io io_of(struct flow *flow)
{
    return (struct seal_io){flow, flow_read, flow_write};
}

enum pbft_status seal_files_seal(struct envelope *out,
                                 const uint8_t data_key[SEAL_KEY_SIZE],
                                 uint64_t *size, const char *from,
                                 const char *to, struct salus_reason *reason)
{
    struct flow flow = {.seals = true, .reason = reason};
    struct seal_io io = io_of(&flow);
    enum pbft_status status = begin(&flow, from, to);

    if (status != PBFT_OK) {
        return status;
    }
    random_fill(out->salt, sizeof out->salt);
    commit_sha256_init(&flow.content, COMMIT_DOMAIN_RECORD, out->salt);
    digest_init(&flow.cipher, DIGEST_BLAKE2B);
    status = end(&flow, seal_stream(data_key, &out->identity, &io));
    digest_final(&flow.content, &out->commit);
    digest_final(&flow.cipher, &out->cipher_digest);
    *size = flow.written;
    return status;
}

static enum pbft_status open_flow(struct flow *flow,
                                  const struct envelope *envelope,
                                  const uint8_t data_key[SEAL_KEY_SIZE])
{
    struct seal_io io = io_of(flow);
    struct pbft_digest commit;
    struct pbft_digest cipher;
    enum pbft_status status =
        seal_open_stream(data_key, &envelope->identity, &io);

    digest_final(&flow->content, &commit);
    digest_final(&flow->cipher, &cipher);
    if (status == PBFT_OK &&
        (memcmp(commit.bytes, envelope->commit.bytes, sizeof commit.bytes) !=
             0 ||
         memcmp(cipher.bytes, envelope->cipher_digest.bytes,
                sizeof cipher.bytes) != 0)) {
        status = PBFT_BAD_SIGNATURE;
    }
    return status;
}

enum pbft_status seal_files_open(const struct envelope *envelope,
                                 const uint8_t data_key[SEAL_KEY_SIZE],
                                 const char *from, const char *to,
                                 struct salus_reason *reason)
{
    struct flow flow = {.reason = reason};
    enum pbft_status status = begin(&flow, from, to);

    if (status != PBFT_OK) {
        return status;
    }
    commit_sha256_init(&flow.content, COMMIT_DOMAIN_RECORD, envelope->salt);
    digest_init(&flow.cipher, DIGEST_BLAKE2B);
    status = open_flow(&flow, envelope, data_key);
    if (status == PBFT_MALFORMED) {
        salus_reason_set(reason, "%s: no sealed file, or cut off", from);
    } else if (status == PBFT_BAD_SIGNATURE) {
        salus_reason_set(reason,
                         "%s: changed, cut off, reordered, or sealed for "
                         "another record than the envelope is of",
                         from);
    } else if (status == PBFT_VERSION) {
        salus_reason_set(reason, "%s: sealed by a newer program", from);
    }
    return end(&flow, status);
}
