/* SPDX-License-Identifier: Apache-2.0 */
/* Adds up runs and prints the sums. */
#include "sim/totals.h"

#include <inttypes.h>
#include <string.h>

#define FAULT_MESSAGES_LOST "lost-message"
#define FAULT_MESSAGES_DOUBLED "doubled-message"

static void add_all(uint64_t *sums, const uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] += values[i];
    }
}

void sim_totals_add(struct sim_totals *totals, const struct sim_result *result)
{
    totals->seeds++;
    totals->failed += result->violation.found;
    totals->events += result->events;
    totals->time_us += result->time_us;
    totals->requests += result->requests;
    totals->blocks += result->blocks;
    totals->excused += result->is_excused;
    totals->byzantine += result->byzantine > 0;
    totals->hostile += result->hostile > 0;
    totals->network.lost += result->network.lost;
    totals->network.duplicated += result->network.duplicated;
    totals->hash += result->trace_hash;
    add_all(totals->faults, result->faults_by_kind, FAULT_KINDS_MAX);
    add_all(totals->attacks, result->acts, ADVERSARY_KINDS_MAX);
    add_all(totals->hostile_acts, result->hostile_acts, HOSTILE_KINDS_MAX);
    add_all(totals->marks, result->marks, PBFT_MARK_COUNT);
    tally_add(&totals->tally, &result->tally);
}

static double rate(double value, double seconds)
{
    return seconds > 0 ? value / seconds : 0;
}

static double simulated_seconds(const struct sim_totals *totals)
{
    return (double)totals->time_us * 1e-6;
}

/* Names and numbers, those that are not 0. */
struct counts {
    FILE *out;
    const char *before; /* Each entry. */
    bool is_first;
    bool has_zeros;
};

static void put_count(struct counts *counts, const char *name, uint64_t value)
{
    if (value == 0 && !counts->has_zeros) {
        return;
    }
    (void)fputs(counts->is_first ? "" : counts->before, counts->out);
    counts->is_first = false;
    if (counts->has_zeros) {
        (void)fprintf(counts->out, "\"%s\":%" PRIu64, name, value);
    } else {
        (void)fprintf(counts->out, "%s %" PRIu64, name, value);
    }
}

static struct counts begin_counts(FILE *out, bool is_json)
{
    return (struct counts){.out = out,
                           .before = is_json ? "," : ", ",
                           .is_first = true,
                           .has_zeros = is_json};
}

static void put_faults(const struct sim_totals *totals, FILE *out, bool is_json)
{
    struct counts counts = begin_counts(out, is_json);
    enum fault_class class = FAULT_NETWORK;
    for (uint32_t i = 0; fault_kind_at(i, &class) != NULL; i++) {
        put_count(&counts, fault_kind_at(i, &class)->name, totals->faults[i]);
    }
    put_count(&counts, FAULT_MESSAGES_LOST, totals->network.lost);
    put_count(&counts, FAULT_MESSAGES_DOUBLED, totals->network.duplicated);
}

/* Means of a run. Crashes and pauses have bars of their own. */
struct means {
    double network;
    double crashes;
    double pauses;
    double disks;
    double attacks; /* Of a run that has Byzantine replicas. */
};

static struct means means_of(const struct sim_totals *totals)
{
    struct means means = {
        .network = (double)(totals->network.lost + totals->network.duplicated)};
    enum fault_class class = FAULT_NETWORK;
    for (uint32_t i = 0; fault_kind_at(i, &class) != NULL; i++) {
        const double count = (double)totals->faults[i];
        const char *name = fault_kind_at(i, &class)->name;
        means.network += class == FAULT_NETWORK ? count : 0;
        means.disks += class == FAULT_STORAGE ? count : 0;
        if (strcmp(name, "crash") == 0 || strcmp(name, "power") == 0 ||
            strcmp(name, "flapping") == 0) {
            means.crashes += count;
        } else if (strcmp(name, "pause") == 0 || strcmp(name, "freeze") == 0) {
            means.pauses += count;
        }
    }
    for (uint32_t i = 0; i < adversary_kind_count; i++) {
        means.attacks += (double)totals->attacks[i];
    }
    const double seeds = totals->seeds > 0 ? (double)totals->seeds : 1;
    const double liars = totals->byzantine > 0 ? (double)totals->byzantine : 1;
    return (struct means){.network = means.network / seeds,
                          .crashes = means.crashes / seeds,
                          .pauses = means.pauses / seeds,
                          .disks = means.disks / seeds,
                          .attacks = means.attacks / liars};
}

static void put_attacks(const struct sim_totals *totals, FILE *out,
                        bool is_json)
{
    struct counts counts = begin_counts(out, is_json);
    for (uint32_t i = 0; i < adversary_kind_count; i++) {
        put_count(&counts, adversary_kinds[i].name, totals->attacks[i]);
    }
}

static void put_hostile(const struct sim_totals *totals, FILE *out,
                        bool is_json)
{
    struct counts counts = begin_counts(out, is_json);
    for (uint32_t i = 0; i < hostile_kind_count; i++) {
        put_count(&counts, hostile_kinds[i].name, totals->hostile_acts[i]);
    }
}

static void put_marks(const struct sim_totals *totals, FILE *out, bool is_json)
{
    struct counts counts = begin_counts(out, is_json);
    for (uint32_t i = 0; i < PBFT_MARK_COUNT; i++) {
        put_count(&counts, pbft_mark_name((enum pbft_mark)i), totals->marks[i]);
    }
}

static void put_missed_marks(const struct sim_totals *totals, FILE *out)
{
    const char *before = "; not";
    for (uint32_t i = 0; i < PBFT_MARK_COUNT; i++) {
        if (totals->marks[i] == 0) {
            (void)fprintf(out, "%s %s", before,
                          pbft_mark_name((enum pbft_mark)i));
            before = ",";
        }
    }
}

void sim_totals_print(const struct sim_totals *totals, const char *profile,
                      FILE *out)
{
    double simulated = simulated_seconds(totals);
    (void)fprintf(out,
                  "profile %s: %" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64
                  " with Byzantine replicas, %" PRIu64
                  " with hostile clients\n",
                  profile, totals->seeds, totals->failed, totals->byzantine,
                  totals->hostile);
    (void)fprintf(out,
                  "events %" PRIu64
                  ", %.0f/s; seeds %.1f/s; simulated %.1f s, %.0f : 1; took "
                  "%.2f s\nper CPU second: events %.0f, seeds %.1f, "
                  "simulated %.0f : 1\n",
                  totals->events, rate((double)totals->events, totals->seconds),
                  rate((double)totals->seeds, totals->seconds), simulated,
                  rate(simulated, totals->seconds), totals->seconds,
                  rate((double)totals->events, totals->cpu_seconds),
                  rate((double)totals->seeds, totals->cpu_seconds),
                  rate(simulated, totals->cpu_seconds));
    (void)fprintf(out,
                  "requests %" PRIu64 ", blocks %" PRIu64
                  "; trace sum %016" PRIx64 "\nfaults ",
                  totals->requests, totals->blocks, totals->hash);
    put_faults(totals, out, false);
    const struct means means = means_of(totals);
    (void)fprintf(out,
                  "\nmean of a run: %.1f network faults, %.1f crashes, "
                  "%.1f pauses, %.1f disk faults; %.1f attacks if Byzantine",
                  means.network, means.crashes, means.pauses, means.disks,
                  means.attacks);
    (void)fputs("\nattacks ", out);
    put_attacks(totals, out, false);
    (void)fputs("\nhostile clients ", out);
    put_hostile(totals, out, false);
    (void)fputs("\nmarks ", out);
    put_marks(totals, out, false);
    put_missed_marks(totals, out);
    (void)fprintf(out, "\nnon-liveness excused %" PRIu64 "\n", totals->excused);
}

void sim_totals_print_json(const struct sim_totals *totals, const char *profile,
                           const char *rule, const char *failure, FILE *out)
{
    double simulated = simulated_seconds(totals);
    (void)fprintf(out,
                  "{\"profile\":\"%s\",\"seeds\":%" PRIu64
                  ",\"failed\":%" PRIu64 ",\"byzantine\":%" PRIu64
                  ",\"events\":%" PRIu64 ",\"events_per_second\":%.0f"
                  ",\"events_per_cpu_second\":%.0f"
                  ",\"seeds_per_second\":%.2f,\"simulated_seconds\":%.1f"
                  ",\"simulated_to_real\":%.1f"
                  ",\"simulated_to_cpu\":%.1f,\"seconds\":%.2f"
                  ",\"cpu_seconds\":%.2f,\"requests\":%" PRIu64
                  ",\"blocks\":%" PRIu64 ",\"excused\":%" PRIu64
                  ",\"trace_sum\":\"%016" PRIx64 "\",\"faults\":{",
                  profile, totals->seeds, totals->failed, totals->byzantine,
                  totals->events, rate((double)totals->events, totals->seconds),
                  rate((double)totals->events, totals->cpu_seconds),
                  rate((double)totals->seeds, totals->seconds), simulated,
                  rate(simulated, totals->seconds),
                  rate(simulated, totals->cpu_seconds), totals->seconds,
                  totals->cpu_seconds, totals->requests, totals->blocks,
                  totals->excused, totals->hash);
    put_faults(totals, out, true);
    const struct means means = means_of(totals);
    (void)fprintf(out,
                  "},\"means\":{\"network\":%.1f,\"crashes\":%.1f"
                  ",\"pauses\":%.1f,\"disks\":%.1f,\"attacks\":%.1f}",
                  means.network, means.crashes, means.pauses, means.disks,
                  means.attacks);
    (void)fputs(",\"attacks\":{", out);
    put_attacks(totals, out, true);
    (void)fputs("},\"hostile_clients\":{", out);
    put_hostile(totals, out, true);
    (void)fputs("},\"marks\":{", out);
    put_marks(totals, out, true);
    (void)fputs("},", out);
    tally_print_json(&totals->tally, out);
    (void)fputs(",\"failures\":[", out);
    if (failure != NULL) {
        (void)fprintf(out, "{\"invariant\":\"%s\",\"reproduce\":\"%s\"}", rule,
                      failure);
    }
    (void)fputs("]}\n", out);
}
