/* SPDX-License-Identifier: Apache-2.0 */
/* The authors of a document. The ledger has a place for one: the others are
 * related to it, and a rule on an author names both. */
#include <string.h>

#include "fhir/plan_document.h"
#include "vault/older.h"

/* A deny of before names an author alone, and would miss all but the first. */
static void check_rules(struct planner *planner, const struct anchor *anchor)
{
    const struct fhir_document *document = &planner->item->document;
    bool found = false;

    if (document->subject.name != NULL && !planner->options->rehearse &&
        planner_check(planner,
                      vault_has_older_rules(planner->options->vault, &found,
                                            anchor->subject.handle,
                                            planner->options->now_ms)) &&
        found) {
        planner_find(planner, FHIR_OLDER_RULES, "author");
    }
}

void plan_authors(struct planner *planner, struct anchor *anchor)
{
    const struct fhir_document *document = &planner->item->document;
    size_t others = 0;

    for (size_t i = 0; i < document->author_count; i++) {
        struct vault_participant author;
        if (!planner_actor(planner, &author, &document->authors[i]) ||
            author.kind == VAULT_IS_INSTITUTION) {
            continue; /* An institution as author is the custodian itself. */
        }
        if (!anchor->has_author) {
            anchor->author = author;
            anchor->has_author = true;
        } else if (memcmp(author.id, anchor->author.id, VAULT_ID_SIZE) != 0) {
            plan_relate_to(planner, anchor, author.id, "author");
            others++;
        }
    }
    if (others > 0) {
        check_rules(planner, anchor);
    }
}
