/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, folders and armored files of the tool. */
#ifndef CLIENT_TOOL_FOLDER_H
#define CLIENT_TOOL_FOLDER_H

#include "client/tool_consortium.h"
#include "proto/armor.h"

/* "folder/name"; TOO_LARGE beyond CONSORTIUM_PATH_MAX. */
PBFT_MUST_USE enum pbft_status tool_path(char out[CONSORTIUM_PATH_MAX],
                                         const char *folder, const char *name,
                                         struct salus_reason *reason);

/* Makes the folder, or takes an empty one; EXISTS if there is anything in it.
 */
PBFT_MUST_USE enum pbft_status tool_folder_claim(const char *folder,
                                                 unsigned mode,
                                                 struct salus_reason *reason);

/* Armors and creates a public file; it must not exist. */
PBFT_MUST_USE enum pbft_status tool_armor_create(const char *path,
                                                 enum armor_kind kind,
                                                 struct pbft_bytes bytes,
                                                 struct salus_reason *reason);
/* Reads an armored file of at most `bytes_max` bytes. The caller deinits
 * `bytes` in any case. */
PBFT_MUST_USE enum pbft_status tool_armor_load(struct wire_buffer *bytes,
                                               const char *path,
                                               enum armor_kind kind,
                                               size_t bytes_max,
                                               struct salus_reason *reason);

/* A whole public file, or standard input if the path is "-", from malloc. */
PBFT_MUST_USE enum pbft_status tool_text_load(struct wire_buffer *text,
                                              const char *path,
                                              size_t bytes_max,
                                              struct salus_reason *reason);

#endif /* CLIENT_TOOL_FOLDER_H */
