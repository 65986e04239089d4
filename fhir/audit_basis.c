/* SPDX-License-Identifier: Apache-2.0 */
/* What a disclosure says it stands on: a decision, an emergency or a law by
 * agent.policy, consents by entities. Other policies are kept with the event.
 */
#include <string.h>
#include <strings.h>

#include "crypto/hex.h"
#include "fhir/audit_parts.h"
#include "fhir/ledger_name.h"
#include "fhir/plan.h"

uint32_t fhir_law_of_code(const char *code)
{
    const struct codes_entry *entry =
        codes_find(CODES_LEGAL_BASIS, "urn:salus:legal-basis", code);
    bool is_law = entry != NULL && (entry->id == CODES_BASIS_PUBLIC_HEALTH ||
                                    entry->id == CODES_BASIS_REQUIRED_BY_LAW ||
                                    entry->id == CODES_BASIS_COURT_ORDER);

    return is_law ? entry->id : 0;
}

/* Sixteen bytes as 32 hexadecimal digits, or as a UUID. */
static bool parse_id(uint8_t out[LEDGER_ID_SIZE], const char *text)
{
    char digits[2 * LEDGER_ID_SIZE + 1];
    size_t used = 0;

    for (; *text != 0; text++) {
        if (*text == '-') {
            continue;
        }
        if (used == 2 * LEDGER_ID_SIZE) {
            return false;
        }
        digits[used++] = *text;
    }
    digits[used] = 0;
    return used == 2 * LEDGER_ID_SIZE &&
           hex_decode(out, LEDGER_ID_SIZE, digits) == PBFT_OK;
}

/* What is behind the beginning of the URI; NULL: it has another one. */
static const char *behind(const char *uri, const char *beginning)
{
    size_t size = strlen(beginning);

    return strncmp(uri, beginning, size) == 0 ? uri + size : NULL;
}

static bool is_request(const struct fhir_node *policy)
{
    uint8_t id[LEDGER_ID_SIZE];
    const char *uri = fhir_string(policy);
    const char *rest = uri == NULL ? NULL : behind(uri, FHIR_DECISION_URI);

    return rest != NULL && parse_id(id, rest);
}

bool audit_names_request(const struct fhir_node *resource)
{
    struct fhir_node agents = fhir_field(resource, "agent");

    for (size_t i = 0; i < fhir_size(&agents); i++) {
        struct fhir_node agent = fhir_element(&agents, i);
        struct fhir_node policies = fhir_field(&agent, "policy");
        for (size_t k = 0; k < fhir_size(&policies); k++) {
            struct fhir_node policy = fhir_element(&policies, k);
            if (is_request(&policy)) {
                return true;
            }
        }
    }
    return false;
}

/* Which thing of the ledger; one is one. */
static bool take_id(bool *has, uint8_t id[LEDGER_ID_SIZE], const char *text)
{
    bool is_first = !*has;

    *has = true;
    return is_first && parse_id(id, text);
}

static bool take_document(struct fhir_audit *out, const char *text)
{
    bool is_first = !out->has_document;

    out->has_document = true;
    return is_first && strlen(text) == 2 * sizeof out->document &&
           hex_decode(out->document, sizeof out->document, text) == PBFT_OK;
}

void audit_read_policy(const struct fhir_reader *reader, struct fhir_audit *out,
                       const struct fhir_node *node)
{
    const char *uri = fhir_string(node);
    const char *rest = NULL;
    bool is_sound = true;

    if (uri == NULL) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, node, NULL);
        return;
    }
    if ((rest = behind(uri, FHIR_DECISION_URI)) != NULL) {
        is_sound = take_id(&out->has_decision, out->decision, rest);
    } else if ((rest = behind(uri, FHIR_EMERGENCY_URI)) != NULL) {
        is_sound = take_id(&out->has_emergency, out->emergency, rest);
    } else if ((rest = behind(uri, FHIR_DOCUMENT_URI)) != NULL) {
        is_sound = take_document(out, rest);
    } else if ((rest = behind(uri, FHIR_BASIS_URI)) != NULL) {
        uint32_t basis = fhir_law_of_code(rest);
        is_sound = out->basis == 0 || out->basis == basis;
        if (basis == 0) {
            fhir_find(reader->report, FHIR_BASIS_CODE, node, NULL);
        }
        out->basis = basis;
    } else {
        is_sound = strncasecmp(uri, FHIR_LEDGER_SYSTEM,
                               sizeof FHIR_LEDGER_SYSTEM - 1) != 0;
    }
    /* An emergency stands on itself: a law would be dropped. */
    is_sound = is_sound && (out->kind == FHIR_AUDIT_DISCLOSURE ||
                            (out->basis == 0 && !out->has_document));
    if (!is_sound) {
        fhir_find(reader->report, FHIR_POLICY_FORM, node, NULL);
    }
}

/* It only matters where nothing else is named: one that cannot be read must not
 * hide an event that stands on something else. */
void audit_read_consent(const struct fhir_reader *reader,
                        struct fhir_audit *out, const struct fhir_node *entity)
{
    struct fhir_node what = fhir_field(entity, "what");
    struct fhir_node said = fhir_field(&what, "reference");
    const char *name = fhir_string(&said);
    struct fhir_report ignored;
    const struct fhir_reader quiet = {
        .report = &ignored, .arena = reader->arena, .file = reader->file};

    if (out->consent_count == FHIR_AUDIT_ITEMS_MAX) {
        return;
    }
    struct fhir_reference *consent = &out->consents[out->consent_count++];
    *consent = (struct fhir_reference){.type = ""};
    consent->path = fhir_keep_path(reader, &what);
    fhir_report_init(&ignored, "");
    if (fhir_type(&what) == FHIR_JSON_OBJECT && name != NULL &&
        (!fhir_take_reference(&quiet, consent, &what) ||
         (consent->type[0] != 0 && strcmp(consent->type, "Consent") != 0))) {
        consent->name = NULL;
    }
}
