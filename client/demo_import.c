/* SPDX-License-Identifier: Apache-2.0 */
/* FHIR resources come in at the first hospital; what the ledger made of each.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/demo.h"
#include "client/import.h"
#include "client/tool_config.h"
#include "crypto/keyfile.h"

#define REASONS_SIZE 160
#define FILE_COLUMN 38

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static const char *class_text(enum fhir_class value)
{
    switch (value) {
    case FHIR_ENFORCEABLE:
        return "enforceable";
    case FHIR_EVIDENCE_ONLY:
        return "evidence only";
    case FHIR_REJECT:
        return "rejected";
    case FHIR_LOCAL:
        return "local";
    }
    return "?";
}

static void on_event(void *context, const struct import_event *event)
{
    struct demo *demo = context;
    char reasons[REASONS_SIZE] = "-";
    const char *path = "$";
    const char *type = "?";

    if (event->item != NULL) {
        fhir_report_reasons(fhir_item_report(event->item), reasons,
                            sizeof(reasons));
        path = fhir_report_path(fhir_item_report(event->item));
        type = fhir_item_type(event->item);
    }
    (void)printf("   %3zu/%-3zu %-*.*s %-17.17s %-13s ", event->number,
                 event->total, FILE_COLUMN, FILE_COLUMN, base_name(event->file),
                 type, class_text(event->class_of));
    if (event->outcome == IMPORT_ON_LEDGER) {
        (void)printf("block %llu", (unsigned long long)event->seq);
        memcpy(demo->receipt_of, event->tx_id, sizeof(demo->receipt_of));
        demo->has_receipt_of = true;
    } else if (event->outcome == IMPORT_REFUSED) {
        (void)printf("refused: %s", salus_code_name(event->code));
    } else if (event->outcome != IMPORT_REJECTED) {
        (void)printf("%s", import_outcome_name(event->outcome));
    }
    (void)printf("\n");
    if (event->class_of != FHIR_ENFORCEABLE) {
        (void)printf("           %s, at %s\n", reasons, path);
    }
    (void)fflush(stdout);
}

/* The configuration of the first hospital's client, and its vault. */
static bool open_vault(struct demo *demo, struct import_options *options)
{
    char path[DEMO_PATH_MAX + 32];
    struct salus_reason reason = {""};
    struct tool_config config;
    struct keyfile key;

    (void)snprintf(path, sizeof(path), "%s/client-0.yaml", demo->folder);
    enum pbft_status status = tool_config_load(&config, path, &reason);
    if (status == PBFT_OK) {
        status = keyfile_read(&key, config.encryption_key, KEYFILE_ENCRYPTION,
                              &reason);
    }
    if (status == PBFT_OK) {
        memcpy(options->custodian_key, key.public_key.bytes,
               sizeof(options->custodian_key));
        keyfile_wipe(&key);
        status = vault_create(config.vault, &reason);
    }
    if (status == PBFT_OK) {
        status = vault_open(&options->vault, config.vault, &reason);
    }
    if (status != PBFT_OK) {
        (void)fprintf(stderr, "salus demo: %s\n", reason.text);
        return false;
    }
    (void)printf("   patient numbers and salts stay in %s\n", config.vault);
    return true;
}

static void summarize(const struct import_summary *summary)
{
    (void)printf("   %zu resources: %zu enforceable, %zu evidence only, %zu "
                 "rejected, %zu local; %zu transactions on the ledger\n",
                 summary->resources, summary->classes[FHIR_ENFORCEABLE],
                 summary->classes[FHIR_EVIDENCE_ONLY],
                 summary->classes[FHIR_REJECT], summary->classes[FHIR_LOCAL],
                 summary->transactions);
}

bool demo_import(struct demo *demo)
{
    struct import_options options = {.register_unknown = true};
    struct import_summary summary = {0};
    struct salus_reason reason = {""};
    struct import_port port;

    demo_title("FHIR R4 comes in at the first hospital");
    if (!open_vault(demo, &options)) {
        return false;
    }
    import_port_of_client(&port, demo->trial.clients[0]);
    enum pbft_status status =
        import_run(&port, &options, demo->files, demo->file_count, on_event,
                   demo, &summary, &reason);
    vault_close(options.vault);
    if (status != PBFT_OK) {
        (void)fprintf(stderr, "salus demo: the import failed: %s %s\n",
                      pbft_status_text(status), reason.text);
        return false;
    }
    summarize(&summary);
    return true;
}
