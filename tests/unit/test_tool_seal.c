/* SPDX-License-Identifier: Apache-2.0 */
/* salus seal and salus open with the files of a trial: who may open, what is
 * refused, and that size needs no memory. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/tool.h"
#include "crypto/init.h"
#include "crypto/seal.h"
#include "tests/support/folder.h"

#define PATH_SIZE (SUPPORT_PATH_MAX + 64)
#define CONTENT_SIZE (3 * SEAL_SEGMENT_SIZE + 17)
#define SEALED_SEGMENT (SEAL_SEGMENT_SIZE + SEAL_TAG_SIZE)
#define LARGE_SIZE ((off_t)200 * 1024 * 1024)
#define MEMORY_MAX_KIB (100L * 1024) /* Half of it. */

struct bench {
    char folder[SUPPORT_PATH_MAX];
    char trial[PATH_SIZE];
    char content[PATH_SIZE];
    char sealed[PATH_SIZE];
    char envelope[PATH_SIZE];
    char opened[PATH_SIZE];
    uint8_t bytes[CONTENT_SIZE];
};

static void path_of(const struct bench *bench, char out[PATH_SIZE],
                    const char *name)
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", bench->folder, name);
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *path, uint8_t *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size_t size = fread(bytes, 1, capacity, file);
    (void)fclose(file);
    return size;
}

static int run(const struct tool_command *command, const char *const *rest)
{
    char *argv[16] = {(char *)(uintptr_t)command->name};
    int argc = 1;

    for (; *rest != NULL; rest++) {
        argv[argc++] = (char *)(uintptr_t)*rest;
    }
    return command->run(argc, argv);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    assert_int_equal(crypto_init(), PBFT_OK);
    support_folder_create(bench->folder);
    path_of(bench, bench->trial, "trial");
    path_of(bench, bench->content, "content");
    path_of(bench, bench->sealed, "sealed");
    path_of(bench, bench->envelope, "sealed.envelope");
    path_of(bench, bench->opened, "opened");
    for (size_t i = 0; i < CONTENT_SIZE; i++) {
        bench->bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    write_file(bench->content, bench->bytes, CONTENT_SIZE);
    const char *const arguments[] = {bench->trial,  "--replicas", "4",
                                     "--base-port", "7000",       NULL};
    assert_int_equal(run(&tool_init, arguments), TOOL_OK);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    support_folder_remove(bench->folder);
    free(bench);
    return 0;
}

/* As the institution with that number in the trial. */
static void config_of(const struct bench *bench, char out[PATH_SIZE + 32],
                      int number)
{
    (void)snprintf(out, PATH_SIZE + 32, "%s/client-%d.yaml", bench->trial,
                   number);
}

static int seal(const struct bench *bench, const char *from,
                const char *recipient)
{
    char config[PATH_SIZE + 32];

    config_of(bench, config, 0);
    const char *const arguments[] = {
        from,         "--for",         recipient,  "-o",   bench->sealed,
        "--envelope", bench->envelope, "--config", config, NULL};
    return run(&tool_seal, arguments);
}

static int open_as(const struct bench *bench, int number, const char *to)
{
    char config[PATH_SIZE + 32];

    config_of(bench, config, number);
    (void)unlink(bench->opened);
    const char *const arguments[] = {
        bench->sealed,   "-o",       to,     "--envelope",
        bench->envelope, "--config", config, NULL};
    return run(&tool_open_sealed, arguments);
}

static bool exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0;
}

static void expect_opened(struct bench *bench, int number)
{
    static uint8_t found[CONTENT_SIZE + 1];

    assert_int_equal(open_as(bench, number, bench->opened), TOOL_OK);
    assert_int_equal(read_file(bench->opened, found, sizeof found),
                     CONTENT_SIZE);
    assert_memory_equal(found, bench->bytes, CONTENT_SIZE);
}

static void expect_refused(struct bench *bench, int number)
{
    assert_int_equal(open_as(bench, number, bench->opened), TOOL_FAILED);
    /* Nothing of it stays, not even a part. */
    char part[PATH_SIZE + 8];
    (void)snprintf(part, sizeof part, "%s.part", bench->opened);
    assert_false(exists(bench->opened));
    assert_false(exists(part));
}

static void test_recipient_and_custodian_open_nobody_else(void **state)
{
    struct bench *bench = *state;
    struct stat info;

    assert_int_equal(seal(bench, bench->content, "lakeside"), TOOL_OK);
    assert_int_equal(stat(bench->envelope, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    expect_opened(bench, 0);
    expect_opened(bench, 1);
    expect_refused(bench, 2);
}

static void test_nothing_is_overwritten(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(seal(bench, bench->content, "lakeside"), TOOL_OK);
    assert_int_equal(seal(bench, bench->content, "lakeside"), TOOL_FAILED);
    expect_opened(bench, 1);
    assert_int_equal(seal(bench, bench->content, "nobody"), TOOL_FAILED);
}

/* Damages the sealed file in every way, and puts it back. */
static void test_damage_is_refused(void **state)
{
    struct bench *bench = *state;
    static uint8_t sealed[CONTENT_SIZE + 1024];
    static uint8_t bad[CONTENT_SIZE + 1024];

    assert_int_equal(seal(bench, bench->content, "lakeside"), TOOL_OK);
    size_t size = read_file(bench->sealed, sealed, sizeof sealed);
    const size_t cuts[] = {0, 7, SEAL_HEADER_SIZE,
                           SEAL_HEADER_SIZE + SEALED_SEGMENT, size - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        write_file(bench->sealed, sealed, cuts[i]);
        expect_refused(bench, 1);
    }
    const size_t flips[] = {0, SEAL_HEADER_SIZE - 1, SEAL_HEADER_SIZE,
                            size - 1};
    for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) {
        memcpy(bad, sealed, size);
        bad[flips[i]] ^= 1;
        write_file(bench->sealed, bad, size);
        expect_refused(bench, 1);
    }
    memcpy(bad, sealed, size);
    memcpy(bad + SEAL_HEADER_SIZE, sealed + SEAL_HEADER_SIZE + SEALED_SEGMENT,
           SEALED_SEGMENT);
    memcpy(bad + SEAL_HEADER_SIZE + SEALED_SEGMENT, sealed + SEAL_HEADER_SIZE,
           SEALED_SEGMENT);
    write_file(bench->sealed, bad, size);
    expect_refused(bench, 1);
    write_file(bench->sealed, sealed, size);
    expect_opened(bench, 1);
}

static void test_envelope_of_another_record_is_refused(void **state)
{
    struct bench *bench = *state;
    char first[PATH_SIZE];

    assert_int_equal(seal(bench, bench->content, "lakeside"), TOOL_OK);
    path_of(bench, first, "first.envelope");
    assert_int_equal(rename(bench->envelope, first), 0);
    assert_int_equal(unlink(bench->sealed), 0);
    assert_int_equal(seal(bench, bench->content, "lakeside"), TOOL_OK);
    assert_int_equal(rename(first, bench->envelope), 0);
    expect_refused(bench, 1);
    /* And without one there is nothing to open. */
    assert_int_equal(unlink(bench->envelope), 0);
    expect_refused(bench, 1);
}

/* ---- large contents ------------------------------------------------------ */

/* Feeds the file into a pipe. */
static pid_t feed(const char *path, int *out)
{
    static uint8_t buffer[65536];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int file = open(path, O_RDONLY);
        ssize_t got;
        (void)close(ends[0]);
        while ((got = read(file, buffer, sizeof buffer)) > 0) {
            for (ssize_t done = 0; done < got;) {
                ssize_t put =
                    write(ends[1], buffer + done, (size_t)(got - done));
                if (put <= 0) {
                    _exit(1);
                }
                done += put;
            }
        }
        _exit(got == 0 ? 0 : 1);
    }
    (void)close(ends[1]);
    *out = ends[0];
    return child;
}

/* Runs the command on standard input, in a process whose memory is known. */
static void run_on_pipe(const struct tool_command *command, const char *from,
                        const char *const *arguments)
{
    struct rusage usage;
    int input = -1;
    int status = 0;
    pid_t feeder = feed(from, &input);
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(input, STDIN_FILENO);
        _exit(run(command, arguments));
    }
    (void)close(input);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == TOOL_OK);
#ifndef __SANITIZE_ADDRESS__
    /* That sanitizer keeps what was freed. */
    assert_true(usage.ru_maxrss < MEMORY_MAX_KIB);
#endif
    assert_int_equal(waitpid(feeder, &status, 0), feeder);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_size_needs_no_memory(void **state)
{
    struct bench *bench = *state;
    char config[PATH_SIZE + 32];
    struct stat info;

    config_of(bench, config, 0);
    write_file(bench->content, bench->bytes, 1);
    assert_int_equal(truncate(bench->content, LARGE_SIZE), 0);
    const char *const seals[] = {
        "-",          "--for",         "lakeside", "-o",   bench->sealed,
        "--envelope", bench->envelope, "--config", config, NULL};
    run_on_pipe(&tool_seal, bench->content, seals);
    assert_int_equal(stat(bench->sealed, &info), 0);
    assert_int_equal(info.st_size, seal_size((uint64_t)LARGE_SIZE));
    config_of(bench, config, 1);
    const char *const opens[] = {
        "-",        "-o",   bench->opened, "--envelope", bench->envelope,
        "--config", config, NULL};
    run_on_pipe(&tool_open_sealed, bench->sealed, opens);
    assert_int_equal(stat(bench->opened, &info), 0);
    assert_int_equal(info.st_size, LARGE_SIZE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_recipient_and_custodian_open_nobody_else),
        T(test_nothing_is_overwritten),
        T(test_damage_is_refused),
        T(test_envelope_of_another_record_is_refused),
        T(test_size_needs_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
