/* SPDX-License-Identifier: Apache-2.0 */
/* Roles of people: a PractitionerRole is one more name of its practitioner's
 * participant, who gets what all roles give together. Were they two, a deny of
 * the one would miss what is asked for, or was written, as the other. */
#include "fhir/plan_party.h"

#include <string.h>

#include "fhir/ledger_name.h"
#include "vault/roles.h"

static_assert(VAULT_ROLE_CODES_MAX == LEDGER_PARTICIPANT_ROLES_MAX,
              "a role may have all codes that a participant may have");

/* ---- whose it is --------------------------------------------------------- */

/* The row of the practitioner, who is of this institution's staff. */
static bool find_person(struct planner *planner, struct vault_participant *out)
{
    const struct fhir_reference *who = &planner->item->party.practitioner;
    struct fhir_ledger_name id;

    if (fhir_ledger_name_parse(&id, who->name, NULL)) {
        /* It may be anybody's, and there is no row to name. */
        planner_find(planner, FHIR_UNRESOLVED, who->path);
        return false;
    }
    if (!planner_participant(planner, out, who)) {
        return false;
    }
    if (out->kind != TRANSACTION_PROFESSIONAL) {
        planner_find(planner, FHIR_REFERENCE_TYPE, who->path);
        return false;
    }
    return true;
}

/* What the name means already: another practitioner's role, or somebody else.
 */
static bool is_free(struct planner *planner, const char *name,
                    const struct vault_participant *person)
{
    struct vault_participant known;
    enum pbft_status status =
        vault_find_participant(planner->options->vault, &known, name);

    if (status == PBFT_NOT_FOUND) {
        return true;
    }
    return planner_check(planner, status) &&
           memcmp(known.id, person->id, sizeof known.id) == 0;
}

static void name_person(struct planner *planner, const struct plan_names *names,
                        const struct vault_participant *person)
{
    const struct fhir_reference *who = &planner->item->party.practitioner;
    struct vault *vault = planner->options->vault;

    for (size_t i = 0; i < names->count && planner_is_sound(planner); i++) {
        if (!is_free(planner, names->items[i], person)) {
            planner_find(planner, FHIR_TAKEN,
                         i == 0 ? who->path : "identifier");
            return;
        }
        (void)planner_check(planner,
                            vault_alias(vault, VAULT_PARTICIPANT,
                                        planner_text(who->name),
                                        planner_text(names->items[i])));
    }
}

/* ---- what it gives ------------------------------------------------------- */

static void keep_role(struct planner *planner, const struct plan_names *names,
                      const struct vault_participant *person)
{
    const struct fhir_party *party = &planner->item->party;
    struct vault *vault = planner->options->vault;
    struct vault_role role = {
        .count = (uint32_t)party->role_count,
        .from_ms = plan_time(party->period.has_from, party->period.from),
        .to_ms = plan_time(party->period.has_to, party->period.to)};

    memcpy(role.person, person->id, sizeof role.person);
    memcpy(role.codes, party->roles, party->role_count * sizeof *role.codes);
    enum pbft_status status = vault_set_role(vault, names->items[0], &role);
    for (size_t i = 1; i < names->count && status == PBFT_OK; i++) {
        status = vault_alias_role(vault, names->items[0], names->items[i]);
    }
    if (status == PBFT_TOO_LARGE) {
        planner_find(planner, FHIR_MANY, "practitioner");
    } else if (status == PBFT_EXISTS) {
        planner_find(planner, FHIR_TAKEN, "identifier");
    } else {
        (void)planner_check(planner, status);
    }
}

static bool add_codes(struct plan_terms *out, const struct vault_role *role)
{
    for (size_t i = 0; i < role->count; i++) {
        bool is_there = false;
        for (size_t k = 0; k < out->role_count; k++) {
            is_there = is_there || out->roles[k] == role->codes[i];
        }
        if (!is_there && out->role_count == LEDGER_PARTICIPANT_ROLES_MAX) {
            return false;
        }
        if (!is_there) {
            out->roles[out->role_count++] = role->codes[i];
        }
    }
    return true;
}

/* The ledger has one period for all codes: that in which all roles are held.
 * Those that are over give nothing, and end nothing but themselves. */
static bool add_role(struct plan_terms *out, const struct vault_role *role)
{
    if (role->from_ms > out->from_ms) {
        out->from_ms = role->from_ms;
    }
    if (out->to_ms == 0 || (role->to_ms != 0 && role->to_ms < out->to_ms)) {
        out->to_ms = role->to_ms;
    }
    return add_codes(out, role);
}

static bool is_over(const struct vault_role *role, uint64_t at_ms)
{
    return role->to_ms != 0 && role->to_ms <= at_ms;
}

/* The role at that place. False: there is none, or a failure was noted. */
static bool next_role(struct planner *planner, struct vault_role *out,
                      const struct vault_participant *person, size_t place)
{
    enum pbft_status status = place < VAULT_ROLES_MAX
                                  ? vault_find_role_at(planner->options->vault,
                                                       out, person->id, place)
                                  : PBFT_NOT_FOUND;
    return status != PBFT_NOT_FOUND && planner_check(planner, status);
}

/* The moment whose roles the ledger is told: now; if none is held now, when the
 * next one begins. A role of later must not end one of today, and one that was
 * renewed for a time after it counts when that has come and it is told again.
 */
static uint64_t moment_of(struct planner *planner,
                          const struct vault_participant *person)
{
    const uint64_t now_ms = planner->options->now_ms;
    struct vault_role role;
    uint64_t moment_ms = UINT64_MAX;
    for (size_t i = 0; next_role(planner, &role, person, i); i++) {
        const uint64_t begins_ms =
            role.from_ms > now_ms ? role.from_ms : now_ms;
        if (!is_over(&role, now_ms) && begins_ms < moment_ms) {
            moment_ms = begins_ms;
        }
    }
    return moment_ms == UINT64_MAX ? now_ms : moment_ms;
}

/* Roles that are held at one moment meet. False: a finding or failure was
 * noted. */
static bool gather_terms(struct planner *planner, struct plan_terms *out,
                         const struct vault_participant *person)
{
    const uint64_t moment_ms = moment_of(planner, person);
    struct vault_role role;
    size_t held = 0;

    for (size_t i = 0; next_role(planner, &role, person, i); i++) {
        if (is_over(&role, moment_ms) || role.from_ms > moment_ms) {
            continue;
        }
        held++;
        if (!add_role(out, &role)) {
            planner_find(planner, FHIR_MANY, "code");
            return false;
        }
    }
    if (held == 0) {
        /* The ledger takes no end that is past: a moment that none of its
         * blocks has reached, so that he is valid neither now nor later. */
        out->from_ms = planner->options->envelope.not_after_ms;
        out->to_ms = out->from_ms + 1;
    }
    return planner_is_sound(planner);
}

bool plan_role_is_one_of_several(struct planner *planner, const char *name)
{
    struct vault *vault = planner->options->vault;
    struct vault_role role;
    enum pbft_status status = vault_find_role(vault, &role, name);

    if (status == PBFT_OK) {
        status = vault_find_role_at(vault, &role, role.person, 1);
    }
    return status != PBFT_NOT_FOUND && planner_check(planner, status);
}

/* ---- the whole ----------------------------------------------------------- */

void plan_role(struct planner *planner, const struct plan_names *names)
{
    struct vault_participant person;
    struct plan_terms terms = {.role_count = 0};

    if (names->count == 0) {
        planner_find(planner, FHIR_MISSING, "id");
        return;
    }
    if (!find_person(planner, &person)) {
        return;
    }
    name_person(planner, names, &person);
    if (planner_is_sound(planner)) {
        keep_role(planner, names, &person);
    }
    if (planner_is_sound(planner) && gather_terms(planner, &terms, &person)) {
        plan_update(planner, person.id, &terms);
    }
}
