/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the status codes. */
#include "consensus/status.h"

const char *pbft_status_text(enum pbft_status status)
{
    switch (status) {
#define PBFT_STATUS_CASE(name, value, text)                                    \
    case name:                                                                 \
        return text;
        PBFT_STATUS_LIST(PBFT_STATUS_CASE)
#undef PBFT_STATUS_CASE
    }
    return "unknown status";
}
