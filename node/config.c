/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file by libcyaml, made strict: every complaint is one line
 * with the place that has to be changed.
 */
#include "node/config.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/config_private.h"

#define WORD_MAX 64

#define TEXT_KEY(type, name, max)                                              \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER, type, name, 1, max)
#define PATH_KEY(name) TEXT_KEY(struct config_file, name, CONFIG_PATH_MAX - 1)
#define NUMBER_KEY(type, name)                                                 \
    CYAML_FIELD_UINT(#name, CYAML_FLAG_OPTIONAL, type, name)

static const cyaml_schema_field_t peer_fields[] = {
    TEXT_KEY(struct config_file_peer, name, MEMBER_NAME_MAX),
    TEXT_KEY(struct config_file_peer, address, MEMBER_ADDRESS_MAX),
    CYAML_FIELD_END};

static const cyaml_schema_value_t peer_schema = {CYAML_VALUE_MAPPING(
    CYAML_FLAG_DEFAULT, struct config_file_peer, peer_fields)};

static const cyaml_schema_field_t limits_fields[] = {
    NUMBER_KEY(struct config_file_limits, verifier_threads),
    NUMBER_KEY(struct config_file_limits, calls_max),
    NUMBER_KEY(struct config_file_limits, calls_per_caller_max),
    NUMBER_KEY(struct config_file_limits, write_buffer_mib),
    NUMBER_KEY(struct config_file_limits, cache_mib),
    CYAML_FIELD_END};

static const cyaml_schema_field_t timeouts_fields[] = {
    NUMBER_KEY(struct config_file_timeouts, request_ms),
    NUMBER_KEY(struct config_file_timeouts, batch_delay_ms),
    NUMBER_KEY(struct config_file_timeouts, status_ms),
    NUMBER_KEY(struct config_file_timeouts, resend_ms), CYAML_FIELD_END};

static const cyaml_strval_t log_levels[] = {{"error", CONFIG_LOG_ERROR + 1},
                                            {"warning", CONFIG_LOG_WARNING + 1},
                                            {"info", CONFIG_LOG_INFO + 1}};

static const cyaml_strval_t switches[] = {{"on", CONFIG_ON},
                                          {"off", CONFIG_OFF}};

static const cyaml_schema_field_t file_fields[] = {
    PATH_KEY(genesis),
    PATH_KEY(replica_key),
    PATH_KEY(certificate),
    PATH_KEY(tls_key),
    PATH_KEY(data_dir),
    TEXT_KEY(struct config_file, peer_listen, MEMBER_ADDRESS_MAX),
    TEXT_KEY(struct config_file, client_listen, MEMBER_ADDRESS_MAX),
    CYAML_FIELD_STRING_PTR("institution",
                           CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct config_file, institution, 1, MEMBER_NAME_MAX),
    CYAML_FIELD_ENUM("log_level", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
                     struct config_file, log_level, log_levels,
                     CYAML_ARRAY_LEN(log_levels)),
    CYAML_FIELD_ENUM("monitor", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
                     struct config_file, monitor, switches,
                     CYAML_ARRAY_LEN(switches)),
    CYAML_FIELD_SEQUENCE("peers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct config_file, peers, &peer_schema, 0,
                         PBFT_REPLICAS_MAX),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct config_file,
                        limits, limits_fields),
    CYAML_FIELD_MAPPING("timeouts", CYAML_FLAG_OPTIONAL, struct config_file,
                        timeouts, timeouts_fields),
    CYAML_FIELD_END};

static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_file, file_fields)};

/* libcyaml complains in several lines: first what, then where, innermost first.
 */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 0)))
#endif
static void
on_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct config_source *source = context;
    char line[256];
    (void)level;
    (void)vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    const char *place = strstr(line, "(line: ");
    if (source->what[0] == '\0') {
        const char *what = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
        (void)snprintf(source->what, sizeof source->what, "%.127s", what);
    } else if (place != NULL && source->place.line == 0) {
        char *end = NULL;
        source->place.line =
            (unsigned)strtoul(place + strlen("(line: "), &end, 10);
        if (strncmp(end, ", column: ", 10) == 0) {
            source->place.column = (unsigned)strtoul(end + 10, NULL, 10);
        }
    }
}

static void *on_memory(void *context, void *pointer, size_t size)
{
    (void)context;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    return realloc(pointer, size);
}

enum pbft_status config_refuse(const struct config_source *source,
                               const char *what)
{
    if (source->place.line > 0) {
        salus_reason_set(source->reason, "%s:%u:%u: %s", source->path,
                         source->place.line, source->place.column, what);
    } else {
        salus_reason_set(source->reason, "%s: %s", source->path, what);
    }
    return PBFT_INVALID_CONFIG;
}

enum pbft_status config_refuse_key(struct config_source *source,
                                   const char *key, const char *what)
{
    char line[160];
    const struct config_place start = {0};
    (void)snprintf(line, sizeof line, "%.64s: %.90s", key, what);
    source->place = start;
    (void)config_text_find(source->text, key, start, &source->place);
    return config_refuse(source, line);
}

/* A key that libcyaml refuses stands behind the place that it tells. */
static enum pbft_status refuse_unknown(struct config_source *source,
                                       const char *key)
{
    char line[192];
    (void)config_text_find(source->text, key, source->place, &source->place);
    if (strncmp(key, "unsafe", 6) == 0) {
        (void)snprintf(line, sizeof line,
                       "%.64s: unsafe options are given on the command line "
                       "only",
                       key);
    } else {
        (void)snprintf(line, sizeof line, "unknown key %.64s", key);
    }
    return config_refuse(source, line);
}

/* What the key may say whose value libcyaml refuses. */
static const char *words_there(const struct config_source *source)
{
    const struct config_place start = {0};
    struct config_place monitor = {0};
    return config_text_find(source->text, "monitor", start, &monitor) &&
                   monitor.line == source->place.line
               ? "on, off"
               : "error, warning, info";
}

/* In words of the file instead of the library's; NULL: as it stands. */
static const char *advice(const char *what)
{
    static const struct {
        const char *begins;
        const char *advice;
    } known[] = {
        {"Expecting STRING, got event: SEQUENCE",
         "one text belongs here; one that begins with a bracket, as an IPv6 "
         "address does, stands in quotes"},
        {"Expecting STRING", "one text belongs here"},
        {"STRING length < ", "the value is missing"},
        {"STRING length > ", "the value is too long"},
        {"libyaml: found character that cannot start any token",
         "a character that may not stand here; lines are indented by blanks, "
         "never by tabs"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(what, known[i].begins, strlen(known[i].begins)) == 0) {
            return known[i].advice;
        }
    }
    return NULL;
}

static enum pbft_status refuse_text(struct config_source *source,
                                    cyaml_err_t error)
{
    char key[WORD_MAX];
    char line[192];
    if (sscanf(source->what, "Unexpected key: %63s", key) == 1) {
        return refuse_unknown(source, key);
    }
    if (sscanf(source->what, "Mapping field already seen: %63s", key) == 1) {
        (void)config_text_find(source->text, key, source->place,
                               &source->place);
        (void)snprintf(line, sizeof line, "key %.63s stands there twice", key);
        return config_refuse(source, line);
    }
    if (sscanf(source->what, "Missing required mapping field: %63s", key) ==
        1) {
        (void)snprintf(line, sizeof line, "key %.63s is missing", key);
        return config_refuse(source, line);
    }
    if (sscanf(source->what, "Invalid ENUM value: %63s", key) == 1) {
        (void)snprintf(line, sizeof line, "%.63s is none of: %s", key,
                       words_there(source));
        return config_refuse(source, line);
    }
    if (sscanf(source->what, "Invalid %*s value: %63s", key) == 1) {
        (void)snprintf(line, sizeof line,
                       "%.63s is no whole number, or too large a one", key);
        return config_refuse(source, line);
    }
    if (advice(source->what) != NULL) {
        return config_refuse(source, advice(source->what));
    }
    return config_refuse(
        source, source->what[0] != '\0' ? source->what : cyaml_strerror(error));
}

static const cyaml_config_t *yaml_config(cyaml_config_t *out,
                                         struct config_source *source)
{
    *out = (cyaml_config_t){
        .log_fn = on_log,
        .log_ctx = source,
        .mem_fn = on_memory,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    return out;
}

static enum pbft_status parse(struct config_source *source, size_t size,
                              struct node_config *out)
{
    struct config_file *text = NULL;
    cyaml_config_t yaml;
    if (strlen(source->text) != size) {
        return config_refuse(source, "holds a NUL byte: not a text file");
    }
    if (config_text_has_second_document(source->text, &source->place)) {
        return config_refuse(source, "a second YAML document");
    }
    cyaml_err_t error = cyaml_load_data(
        (const uint8_t *)source->text, size, yaml_config(&yaml, source),
        &file_schema, (cyaml_data_t **)&text, NULL);
    if (error != CYAML_OK) {
        return refuse_text(source, error);
    }
    if (text == NULL) {
        return config_refuse(source, "the file is empty");
    }
    enum pbft_status status = config_take(source, text, out);
    (void)cyaml_free(&yaml, &file_schema, text, 0);
    return status;
}

static enum pbft_status refuse_file(const char *path, int error,
                                    struct salus_reason *reason)
{
    salus_reason_set(reason, "%s: %s", path, strerror(error));
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return PBFT_NOT_FOUND;
    case EACCES:
    case EPERM:
        return PBFT_PERMISSION;
    default:
        return PBFT_IO;
    }
}

/* Fills `text` and ends it with NUL. */
static enum pbft_status read_all(int file, char *text, size_t *size,
                                 const char *path, struct salus_reason *reason)
{
    *size = 0;
    while (*size <= CONFIG_FILE_BYTES_MAX) {
        ssize_t got =
            read(file, text + *size, CONFIG_FILE_BYTES_MAX + 1 - *size);
        if (got < 0 && errno != EINTR) {
            return refuse_file(path, errno, reason);
        }
        if (got == 0) {
            text[*size] = '\0';
            return PBFT_OK;
        }
        *size += got > 0 ? (size_t)got : 0;
    }
    salus_reason_set(reason, "%s: larger than %u bytes", path,
                     CONFIG_FILE_BYTES_MAX);
    return PBFT_TOO_LARGE;
}

static enum pbft_status read_file(const char *path, char *text, size_t *size,
                                  struct salus_reason *reason)
{
    struct stat info;
    /* Not blocking: somebody may have put a pipe there. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return refuse_file(path, errno, reason);
    }
    enum pbft_status status = PBFT_INVALID_CONFIG;
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        salus_reason_set(reason, "%s: not a regular file", path);
    } else {
        status = read_all(file, text, size, path, reason);
    }
    (void)close(file);
    return status;
}

enum pbft_status config_load(const char *path, struct node_config *out,
                             struct salus_reason *reason)
{
    size_t size = 0;
    memset(out, 0, sizeof *out);
    char *text = malloc(CONFIG_FILE_BYTES_MAX + 2);
    if (text == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = read_file(path, text, &size, reason);
    if (status == PBFT_OK) {
        struct config_source source = {
            .path = path, .text = text, .reason = reason};
        status = parse(&source, size, out);
    }
    free(text);
    return status;
}

const char *config_peer_address(const struct node_config *config,
                                const char *name)
{
    for (uint32_t i = 0; i < config->peer_count; i++) {
        if (strcmp(config->peers[i].name, name) == 0) {
            return config->peers[i].address;
        }
    }
    return NULL;
}
