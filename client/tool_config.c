/* SPDX-License-Identifier: Apache-2.0 */
/* The client's YAML file by libcyaml, strictly: unknown keys, wrong types and
 * keys that are missing are errors with line and column. */
#include "client/tool_config.h"

#include <cyaml/cyaml.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/file.h"

#define FILE_MAX 65536u
#define TIMEOUT_MS_MAX 3600000

/* As it stands in the file. */
struct text {
    char *genesis;
    char *key;
    char *certificate;
    char *tls_key;
    char *session;
    char *encryption_key;
    char *vault;
    char *replica;
    unsigned timeout_ms;
    unsigned max_staleness_ms;
};

#define PATH_KEY(name)                                                         \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER, struct text, name, 1,    \
                           TOOL_PATH_MAX - 1)
#define OPTIONAL_PATH_KEY(name)                                                \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,    \
                           struct text, name, 1, TOOL_PATH_MAX - 1)

static const cyaml_schema_field_t fields[] = {
    PATH_KEY(genesis),
    PATH_KEY(key),
    PATH_KEY(certificate),
    PATH_KEY(tls_key),
    OPTIONAL_PATH_KEY(session),
    OPTIONAL_PATH_KEY(encryption_key),
    OPTIONAL_PATH_KEY(vault),
    CYAML_FIELD_STRING_PTR("replica", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct text, replica, 1, 32),
    CYAML_FIELD_UINT("timeout_ms", CYAML_FLAG_OPTIONAL, struct text,
                     timeout_ms),
    CYAML_FIELD_UINT("max_staleness_ms", CYAML_FLAG_OPTIONAL, struct text,
                     max_staleness_ms),
    CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct text, fields)};

/* libcyaml says what is wrong in several lines: first the error, then where it
 * is, innermost first. One line is made of the two. */
struct complaint {
    char what[160];
    unsigned line;
    unsigned column;
};

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 0)))
#endif
static void
on_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct complaint *complaint = context;
    char line[240];

    if (level < CYAML_LOG_ERROR) {
        return;
    }
    (void)vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    const char *text = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
    const char *place = strstr(text, "(line: ");
    if (place == NULL && complaint->what[0] == '\0') {
        (void)snprintf(complaint->what, sizeof complaint->what, "%s", text);
    } else if (place != NULL && complaint->line == 0) {
        (void)sscanf(place, "(line: %u, column: %u)", &complaint->line,
                     &complaint->column);
    }
}

/* The line of the n-th "key:" at the left margin, from 1; 0: there is none.
 * The file is flat: its keys stand nowhere else. */
static unsigned line_of(struct pbft_bytes bytes, const char *key, unsigned n)
{
    const char *text = (const char *)bytes.data;
    size_t length = strlen(key);
    unsigned line = 1;

    for (size_t at = 0; at < bytes.size; line++) {
        size_t rest = bytes.size - at;
        if (rest > length && memcmp(text + at, key, length) == 0 &&
            text[at + length] == ':' && --n == 0) {
            return line;
        }
        const char *end = memchr(text + at, '\n', rest);
        at = end != NULL ? (size_t)(end - text) + 1 : bytes.size;
    }
    return 0;
}

/* libcyaml places an unexpected key at the end of what stands before it. */
static void correct_place(struct complaint *complaint, struct pbft_bytes bytes)
{
    static const char unexpected[] = "Unexpected key: ";
    if (strncmp(complaint->what, unexpected, sizeof unexpected - 1) == 0) {
        unsigned line =
            line_of(bytes, complaint->what + sizeof unexpected - 1, 1);
        complaint->line = line != 0 ? line : complaint->line;
        complaint->column = line != 0 ? 1 : complaint->column;
    }
}

/* libcyaml would take the last one. */
static bool has_double_key(struct complaint *complaint, struct pbft_bytes bytes)
{
    for (const cyaml_schema_field_t *field = fields; field->key != NULL;
         field++) {
        unsigned line = line_of(bytes, field->key, 2);
        if (line != 0) {
            (void)snprintf(complaint->what, sizeof complaint->what,
                           "key %s stands there twice", field->key);
            complaint->line = line;
            complaint->column = 1;
            return true;
        }
    }
    return false;
}

static bool complete(char out[TOOL_PATH_MAX], const char *folder,
                     const char *path)
{
    int size = 0;
    out[0] = '\0';
    if (path == NULL) {
        return true;
    }
    if (path[0] == '/') {
        size = snprintf(out, TOOL_PATH_MAX, "%s", path);
    } else {
        size = snprintf(out, TOOL_PATH_MAX, "%s/%s", folder, path);
    }
    return size > 0 && size < TOOL_PATH_MAX;
}

static bool complete_all(struct tool_config *out, const struct text *text,
                         const char *path)
{
    char copy[TOOL_PATH_MAX];
    if (strlen(path) >= sizeof copy) {
        return false;
    }
    (void)snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    out->timeout_ms = text->timeout_ms;
    out->max_staleness_ms = text->max_staleness_ms;
    (void)snprintf(out->replica, sizeof out->replica, "%s",
                   text->replica != NULL ? text->replica : "");
    return complete(out->genesis, folder, text->genesis) &&
           complete(out->key, folder, text->key) &&
           complete(out->certificate, folder, text->certificate) &&
           complete(out->tls_key, folder, text->tls_key) &&
           complete(out->session, folder, text->session) &&
           complete(out->encryption_key, folder, text->encryption_key) &&
           complete(out->vault, folder, text->vault);
}

/* Another kind of file altogether. */
static bool has_no_keys(const struct complaint *complaint)
{
    static const char words[] = "Expecting MAPPING";
    return complaint->line == 0 &&
           strncmp(complaint->what, words, sizeof words - 1) == 0;
}

static enum pbft_status parse(struct tool_config *out, const char *path,
                              struct pbft_bytes bytes,
                              struct salus_reason *reason)
{
    struct complaint complaint = {.line = 0};
    struct text *text = NULL;
    const cyaml_config_t config = {.log_fn = on_log,
                                   .log_ctx = &complaint,
                                   .mem_fn = cyaml_mem,
                                   .log_level = CYAML_LOG_ERROR};
    enum pbft_status status = PBFT_OK;
    cyaml_err_t error = CYAML_ERR_INVALID_KEY;

    if (!has_double_key(&complaint, bytes)) {
        error = cyaml_load_data(bytes.data, bytes.size, &config, &schema,
                                (cyaml_data_t **)&text, NULL);
        correct_place(&complaint, bytes);
    }
    if (has_no_keys(&complaint)) {
        salus_reason_set(reason,
                         "%s: no client configuration: that has lines such as "
                         "\"genesis: genesis.txt\"",
                         path);
        return PBFT_INVALID_CONFIG;
    }
    if (error != CYAML_OK || text == NULL) {
        salus_reason_set(
            reason, "%s:%u:%u: %s", path, complaint.line, complaint.column,
            complaint.what[0] != '\0'           ? complaint.what
            : text == NULL && error == CYAML_OK ? "the file says nothing"
                                                : cyaml_strerror(error));
        return PBFT_INVALID_CONFIG;
    }
    if (text->timeout_ms > TIMEOUT_MS_MAX) {
        salus_reason_set(reason, "%s: timeout_ms: at most %d", path,
                         TIMEOUT_MS_MAX);
        status = PBFT_INVALID_CONFIG;
    } else if (!complete_all(out, text, path)) {
        salus_reason_set(reason, "%s: a path is too long", path);
        status = PBFT_INVALID_CONFIG;
    }
    (void)cyaml_free(&config, &schema, text, 0);
    return status;
}

enum pbft_status tool_config_load(struct tool_config *out, const char *path,
                                  struct salus_reason *reason)
{
    memset(out, 0, sizeof *out);
    if (path == NULL) {
        path = getenv(TOOL_CONFIG_VARIABLE);
    }
    if (path == NULL || path[0] == '\0') {
        salus_reason_set(reason, "no client configuration: give --config FILE "
                                 "or set " TOOL_CONFIG_VARIABLE);
        return PBFT_INVALID_ARGUMENT;
    }
    uint8_t *bytes = malloc(FILE_MAX);
    size_t size = 0;
    if (bytes == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        file_read(bytes, FILE_MAX, &size, path, FILE_PUBLIC, reason);
    if (status == PBFT_OK) {
        status = parse(out, path, (struct pbft_bytes){bytes, size}, reason);
    }
    free(bytes);
    return status;
}

void tool_config_to_client(struct salus_config *out,
                           const struct tool_config *config)
{
    salus_config_init(out);
    out->genesis_file = config->genesis;
    out->key_file = config->key;
    out->certificate_file = config->certificate;
    out->tls_key_file = config->tls_key;
    out->session_file = config->session[0] != '\0' ? config->session : NULL;
    out->replica = config->replica[0] != '\0' ? config->replica : NULL;
    out->max_staleness_ms = config->max_staleness_ms;
    if (config->timeout_ms > 0) {
        out->timeout_ms = config->timeout_ms;
    }
}

struct salus_client *tool_open(const char *path, const char *replica,
                               unsigned timeout_ms)
{
    struct tool_config config;
    struct salus_config settings;
    struct salus_reason reason = {""};
    struct salus_client *client = NULL;
    char problem[SALUS_PROBLEM_SIZE] = "";

    if (tool_config_load(&config, path, &reason) != PBFT_OK) {
        (void)fprintf(stderr, "salus: %s\n", reason.text);
        return NULL;
    }
    tool_config_to_client(&settings, &config);
    if (replica != NULL) {
        settings.replica = replica;
    }
    if (timeout_ms > 0) {
        settings.timeout_ms = timeout_ms;
    }
    if (salus_open(&client, problem, &settings) != SALUS_OK) {
        (void)fprintf(stderr, "salus: %s\n", problem);
        return NULL;
    }
    return client;
}

const char *tool_one_replica_text(enum salus_status status)
{
    return status == SALUS_UNREACHABLE ? "this replica does not answer"
                                       : salus_status_text(status);
}
