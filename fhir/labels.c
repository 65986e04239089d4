/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of FHIR R4, with two parents where substance use disorders are
 * also ETH information: a rule on either must find them. */
#include "fhir/labels.h"

#include <string.h>

struct label {
    const char *code;
    const char *parents[2]; /* NULL: none. */
};

static const struct label labels[] = {
    {"ETH", {NULL, NULL}},        {"GDIS", {NULL, NULL}},
    {"HIV", {NULL, NULL}},        {"MST", {NULL, NULL}},
    {"PREGNANT", {NULL, NULL}},   {"SCA", {NULL, NULL}},
    {"SDV", {NULL, NULL}},        {"SEX", {NULL, NULL}},
    {"SPI", {NULL, NULL}},        {"BH", {"SPI", NULL}},
    {"COGN", {"BH", NULL}},       {"DVD", {"BH", NULL}},
    {"EMOTDIS", {"BH", NULL}},    {"MH", {"BH", NULL}},
    {"PSY", {"BH", NULL}},        {"PSYTHPN", {"BH", NULL}},
    {"SUD", {"BH", NULL}},        {"ETHUD", {"ETH", "SUD"}},
    {"OPIOIDUD", {"ETH", "SUD"}}, {"STD", {NULL, NULL}},
    {"TBOO", {NULL, NULL}},       {"VIO", {NULL, NULL}},
    {"IDS", {NULL, NULL}},        {"SICKLE", {NULL, NULL}},
};

static const struct label *find_label(const char *code)
{
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(labels[i].code, code) == 0) {
            return &labels[i];
        }
    }
    return NULL;
}

bool fhir_label_is_known(const char *code)
{
    return find_label(code) != NULL;
}

const char *fhir_label_at(size_t index)
{
    return index < sizeof labels / sizeof labels[0] ? labels[index].code : NULL;
}

static bool has(const char *const *list, size_t count, const char *code)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], code) == 0) {
            return true;
        }
    }
    return false;
}

size_t fhir_label_ancestors(const char *out[FHIR_LABEL_ANCESTORS_MAX],
                            const char *code)
{
    const struct label *label = find_label(code);
    size_t count = 0;

    if (label == NULL) {
        return 0;
    }
    out[count++] = label->code;
    for (size_t i = 0; i < count; i++) {
        const struct label *below = find_label(out[i]);
        for (size_t k = 0; k < 2 && below->parents[k] != NULL; k++) {
            if (count < FHIR_LABEL_ANCESTORS_MAX &&
                !has(out, count, below->parents[k])) {
                out[count++] = below->parents[k];
            }
        }
    }
    return count;
}
