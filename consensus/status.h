/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, in four kinds that a caller treats differently.
 *
 *   1..   usage: the caller's mistake (a bad argument, a bad configuration)
 *   100.. input: bytes from outside that are malformed, forged or too large
 *   200.. I/O: the environment failed (disk, socket, file)
 *   300.. internal: memory, a limit of our own
 *
 * Every function that can fail for a reason returns one of these.
 */
#ifndef CONSENSUS_STATUS_H
#define CONSENSUS_STATUS_H

#if defined(__GNUC__) || defined(__clang__)
#define PBFT_MUST_USE __attribute__((warn_unused_result))
#else
#define PBFT_MUST_USE
#endif

#define PBFT_STATUS_LIST(X)                                                    \
    X(PBFT_OK, 0, "ok")                                                        \
    X(PBFT_INVALID_ARGUMENT, 1, "invalid argument")                            \
    X(PBFT_INVALID_CONFIG, 2, "invalid configuration")                         \
    X(PBFT_NOT_FOUND, 3, "not found")                                          \
    X(PBFT_EXISTS, 4, "already exists")                                        \
    X(PBFT_WRONG_IDENTITY, 5, "belongs to another replica or cluster")         \
    X(PBFT_PERMISSION, 6, "permission denied or file mode too open")           \
    X(PBFT_TIMED_OUT, 7, "timed out")                                          \
    X(PBFT_CLOSED, 8, "closed")                                                \
    X(PBFT_MALFORMED, 100, "malformed")                                        \
    X(PBFT_TOO_LARGE, 101, "larger than its limit")                            \
    X(PBFT_BAD_SIGNATURE, 102, "signature does not verify")                    \
    X(PBFT_BAD_DIGEST, 103, "digest does not match the content")               \
    X(PBFT_NOT_MEMBER, 104, "signer is not a member")                          \
    X(PBFT_BAD_CERTIFICATE, 105, "certificate does not prove its claim")       \
    X(PBFT_NOT_CANONICAL, 106, "encoding is not canonical")                    \
    X(PBFT_VERSION, 107, "protocol version is not supported")                  \
    X(PBFT_IO, 200, "input or output error")                                   \
    X(PBFT_CORRUPT, 201, "stored data is damaged")                             \
    X(PBFT_NO_SPACE, 202, "no space left")                                     \
    X(PBFT_LOCKED, 203, "in use by another process")                           \
    X(PBFT_UNREACHABLE, 204, "peer cannot be reached")                         \
    X(PBFT_NO_MEMORY, 300, "out of memory")                                    \
    X(PBFT_LIMIT, 301, "a limit of this replica is reached; try later")

enum pbft_status {
#define PBFT_STATUS_ENUM(name, value, text) name = value,
    PBFT_STATUS_LIST(PBFT_STATUS_ENUM)
#undef PBFT_STATUS_ENUM
};

/* A static text for `status`; never NULL, also for values not in the list. */
const char *pbft_status_text(enum pbft_status status);

#endif /* CONSENSUS_STATUS_H */
