/* SPDX-License-Identifier: Apache-2.0 */
/* Texts for people. */
#include "client/salus.h"
#include "ledger/errors.h"

const char *salus_status_text(enum salus_status status)
{
    switch (status) {
    case SALUS_OK:
        return "done";
    case SALUS_INVALID_ARGUMENT:
        return "invalid argument";
    case SALUS_BAD_FILE:
        return "a file is missing or not what it should be";
    case SALUS_REFUSED:
        return "ordered, and refused by the ledger";
    case SALUS_INADMISSIBLE:
        return "replicas refuse to order it";
    case SALUS_TIMED_OUT:
        return "not proved in time; it may still happen";
    case SALUS_UNREACHABLE:
        return "no replica can be reached";
    case SALUS_UNPROVED:
        return "replicas answered, but proved nothing";
    case SALUS_NOT_FOUND:
        return "not found";
    case SALUS_NOT_AUTHORIZED:
        return "not authorized";
    case SALUS_CLOSED:
        return "the client was closed";
    case SALUS_LIMIT:
        return "too much is under way";
    case SALUS_NO_MEMORY:
        return "out of memory";
    }
    return "unknown status";
}

const char *salus_witness_text(enum salus_witness witness)
{
    switch (witness) {
    case SALUS_WITNESS_NOT_ASKED:
        return "was not asked";
    case SALUS_WITNESS_AGREES:
        return "agrees";
    case SALUS_WITNESS_DISAGREES:
        return "signed another answer";
    case SALUS_WITNESS_BAD_REPLY:
        return "answered what it has not signed";
    case SALUS_WITNESS_REFUSES:
        return "refuses";
    case SALUS_WITNESS_BEHIND:
        return "is at another block";
    case SALUS_WITNESS_SILENT:
        return "did not answer in time";
    case SALUS_WITNESS_UNREACHABLE:
        return "cannot be reached";
    }
    return "unknown";
}

const char *salus_code_name(uint32_t code)
{
    return ledger_code_name(code);
}

const char *salus_code_text(uint32_t code)
{
    return ledger_code_text(code);
}
