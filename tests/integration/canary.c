/* SPDX-License-Identifier: Apache-2.0 */
/* Imports FHIR files into four real replicas, and then looks for every name,
 * number, date of birth, address and narrative of these files in all files of
 * the consortium: stores, logs, vault.
 *
 *   canary FOLDER...     folders that are not there are skipped, loudly
 */
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/fhir_files.h"
#include "client/import.h"
#include "client/tool_config.h"
#include "client/trial.h"
#include "crypto/keyfile.h"
#include "vault/journal.h"

#define REPLICAS 4
#define START_TIMEOUT_MS 60000
#define STOP_PATIENCE_MS 20000
#define WAIT_MS 60000
#define NEEDLES_MAX 20000
#define NEEDLE_MIN 6 /* Shorter ones are met by chance. */
#define NEEDLE_USED 64
#define FILTER_SIZE 65536
#define CONTROL_SIZE 40 /* Of a transaction: proof that we can find at all. */

struct needle {
    uint8_t bytes[NEEDLE_USED];
    size_t size;
    bool was_there; /* Before anything was imported: a common word. */
    size_t hits;
    size_t replicas; /* Bit i: met in the folder of replica i. */
};

static struct needle needles[NEEDLES_MAX];
static size_t needle_count;
static uint8_t filter[FILTER_SIZE / 8];
static size_t control; /* Index of what must be found. */
static bool has_control;
static const struct trial *current;
static uint64_t bytes_seen;

/* ---- what must not be found ---------------------------------------------- */

static unsigned prefix_hash(const uint8_t *at)
{
    uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 |
                    (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;

    return (word * 2654435761u) >> 16;
}

static void add_needle(const void *bytes, size_t size)
{
    if (size < NEEDLE_MIN || needle_count == NEEDLES_MAX) {
        return;
    }
    size = size < NEEDLE_USED ? size : NEEDLE_USED;
    for (size_t i = 0; i < needle_count; i++) {
        if (needles[i].size == size &&
            memcmp(needles[i].bytes, bytes, size) == 0) {
            return;
        }
    }
    struct needle *needle = &needles[needle_count++];
    memcpy(needle->bytes, bytes, size);
    needle->size = size;
    unsigned hash = prefix_hash(needle->bytes);
    filter[hash / 8] |= (uint8_t)(1u << hash % 8);
}

static bool is_personal(const char *key)
{
    static const char *const keys[] = {
        "family",  "given",       "text",  "div",
        "display", "birthDate",   "line",  "city",
        "name",    "description", "value", "reference",
        "title",   "comment",     "id",    "deceasedDateTime"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void collect(const json_t *json, const char *key)
{
    const char *name;
    json_t *value;
    size_t index;

    if (json_is_object(json)) {
        json_object_foreach((json_t *)(uintptr_t)json, name, value)
        {
            collect(value, name);
        }
    } else if (json_is_array(json)) {
        json_array_foreach(json, index, value)
        {
            collect(value, key);
        }
    } else if (json_is_string(json) && is_personal(key)) {
        add_needle(json_string_value(json), json_string_length(json));
    }
}

static void collect_file(const char *path)
{
    struct fhir_file *file = NULL;
    const struct fhir_options options = {.zone_minutes = 0};

    if (fhir_file_open(&file, path) != PBFT_OK) {
        return;
    }
    for (size_t i = 0; i < fhir_file_count(file); i++) {
        struct fhir_item *item = NULL;
        if (fhir_item_load(&item, file, i, &options) == PBFT_OK) {
            struct pbft_bytes bytes = fhir_item_bytes(item);
            json_t *json =
                json_loadb((const char *)bytes.data, bytes.size, 0, NULL);
            collect(json, "");
            json_decref(json);
        }
        fhir_item_free(item);
    }
    fhir_file_close(file);
}

/* ---- looking ------------------------------------------------------------- */

static size_t replica_of(const char *path)
{
    for (size_t i = 0; i < REPLICAS; i++) {
        const char *name = salus_replica_name(current->clients[0], (uint32_t)i);
        if (name != NULL && strstr(path, name) != NULL) {
            return (size_t)1 << i;
        }
    }
    return 0;
}

static void match(const uint8_t *at, size_t left, const char *path)
{
    for (size_t i = 0; i < needle_count; i++) {
        struct needle *needle = &needles[i];
        if (needle->size <= left &&
            memcmp(needle->bytes, at, needle->size) == 0) {
            needle->hits++;
            needle->replicas |= replica_of(path);
        }
    }
}

static int look_at(const char *path, const struct stat *info, int type,
                   struct FTW *walk)
{
    (void)walk;
    if (type != FTW_F || info->st_size == 0) {
        return 0;
    }
    uint8_t *bytes = malloc((size_t)info->st_size);
    FILE *file = fopen(path, "rb");
    if (bytes != NULL && file != NULL) {
        size_t size = fread(bytes, 1, (size_t)info->st_size, file);
        bytes_seen += size;
        for (size_t i = 0; i + NEEDLE_MIN <= size; i++) {
            unsigned hash = prefix_hash(bytes + i);
            if ((filter[hash / 8] >> hash % 8 & 1) != 0) {
                match(bytes + i, size - i, path);
            }
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(bytes);
    return 0;
}

static void look(const char *folder)
{
    for (size_t i = 0; i < needle_count; i++) {
        needles[i].hits = 0;
        needles[i].replicas = 0;
    }
    bytes_seen = 0;
    (void)nftw(folder, look_at, 16, FTW_PHYS);
}

/* False and said if anything of a patient is there. */
static bool judge(void)
{
    size_t common = 0;
    size_t found = 0;

    for (size_t i = 0; i < needle_count; i++) {
        common += needles[i].was_there;
        if (needles[i].hits > 0 && !needles[i].was_there && i != control) {
            found++;
            fprintf(stderr, "canary: FOUND \"%.*s\"\n", (int)needles[i].size,
                    (const char *)needles[i].bytes);
        }
    }
    printf("canary: %zu texts, %zu of them common words, looked for in %llu "
           "bytes: %zu found\n",
           needle_count, common, (unsigned long long)bytes_seen, found);
    if (!has_control || needles[control].replicas != (1u << REPLICAS) - 1) {
        fprintf(stderr, "canary: a transaction was not found at every replica: "
                        "nothing is proved\n");
        return false;
    }
    return found == 0;
}

/* ---- importing ----------------------------------------------------------- */

static void on_event(void *context, const struct import_event *event)
{
    (void)context;
    if (event->steps == NULL || event->outcome != IMPORT_ON_LEDGER ||
        has_control) {
        return;
    }
    const struct vault_step *step =
        &event->steps->steps[event->steps->step_count - 1];
    if (step->size > CONTROL_SIZE) {
        control = needle_count;
        add_needle(step->body + step->size - CONTROL_SIZE, CONTROL_SIZE);
        has_control = needle_count == control + 1;
    }
}

static bool import_files(struct trial *trial, const char *folder,
                         const struct fhir_files *files)
{
    char path[256];
    struct tool_config config;
    struct keyfile key;
    struct salus_reason reason = {""};
    struct import_port port;
    struct import_summary summary;
    struct import_options options = {.register_unknown = true,
                                     .self_report = true,
                                     .emergency_reason =
                                         CODES_REASON_LIFE_THREAT};

    (void)snprintf(path, sizeof path, "%s/client-0.yaml", folder);
    if (tool_config_load(&config, path, &reason) != PBFT_OK ||
        keyfile_read(&key, config.encryption_key, KEYFILE_ENCRYPTION,
                     &reason) != PBFT_OK ||
        vault_create(config.vault, &reason) != PBFT_OK ||
        vault_open(&options.vault, config.vault, &reason) != PBFT_OK) {
        fprintf(stderr, "canary: %s\n", reason.text);
        return false;
    }
    memcpy(options.custodian_key, key.public_key.bytes,
           sizeof options.custodian_key);
    keyfile_wipe(&key);
    import_port_of_client(&port, trial->clients[0]);
    enum pbft_status status =
        import_run(&port, &options, (const char *const *)files->paths,
                   files->count, on_event, NULL, &summary, &reason);
    vault_close(options.vault);
    printf("canary: %zu resources, %zu transactions, %s\n", summary.resources,
           summary.transactions, pbft_status_text(status));
    return status == PBFT_OK && summary.transactions > 30;
}

static bool run(struct trial *trial, const char *folder,
                const struct fhir_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        collect_file(files->paths[i]);
    }
    look(folder);
    for (size_t i = 0; i < needle_count; i++) {
        needles[i].was_there = needles[i].hits > 0;
    }
    if (!import_files(trial, folder, files) ||
        !trial_converge(trial, WAIT_MS)) {
        return false;
    }
    look(folder);
    return judge();
}

int main(int argc, char **argv)
{
    static struct trial trial;
    struct fhir_files files = {NULL, 0, 0};
    char folder[] = "/tmp/salus-canary-XXXXXX";
    bool good = false;

    for (int i = 1; i < argc; i++) {
        if (fhir_files_add(&files, argv[i], NULL, NULL) != PBFT_OK) {
            fprintf(stderr, "canary: SKIPPED: no data in %s\n", argv[i]);
        }
    }
    if (files.count == 0 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "usage: canary FOLDER...\n");
        return 2;
    }
    current = &trial;
    if (trial_create(&trial, folder, REPLICAS) == PBFT_OK &&
        trial_start(&trial, START_TIMEOUT_MS) == PBFT_OK) {
        good = run(&trial, folder, &files);
    }
    trial_close_clients(&trial);
    good = replicas_stop_all(&trial.replicas, STOP_PATIENCE_MS) == 0 && good;
    if (good) {
        replicas_remove_folder(folder);
    } else {
        fprintf(stderr, "canary: see %s\n", folder);
    }
    fhir_files_free(&files);
    return good ? 0 : 1;
}
