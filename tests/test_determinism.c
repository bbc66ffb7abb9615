/* SPDX-License-Identifier: Apache-2.0 */
/* Same seed, same data: the same bits, whatever the number of threads, whatever else the process computes at the
 * time, and in a child after fork(). */
#define _GNU_SOURCE /* fork, alarm, sched_setaffinity */
#include "model_random.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Large enough that every operation is cut into several blocks. */
static const random_world large = {
    .users = 3000, .items = 2000, .per_user = 8, .dense_columns = {70, 33}, .sparse_columns = 200, .seed = 6};

enum { STEPS = 15 };

static cfd_model *make_model(cfd_context *context, const char *sampler)
{
    const char *const settings[] = {"embedding_dim", "24",   "batch_size", "512", "sampler", sampler,
                                    "learning_rate", "0.01", NULL};
    cfd_dataset *data = random_dataset(context, &large);
    cfd_config *config = config_of("art", settings);
    cfd_model *model;
    OK(cfd_model_create(context, config, data, &model));
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    return model;
}

static void train(cfd_model *model, int steps, double *total)
{
    for (int step = 0; step < steps; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(model, NULL, &losses));
        *total += losses.total;
    }
}

/* Everything that a run leaves behind. */
typedef struct outcome {
    double total; /* of the losses of all steps */
    float *parameters, *scores;
    size_t n_parameters;
} outcome;

static outcome outcome_of(cfd_model *model, double total)
{
    outcome o = {.total = total};
    o.parameters = all_parameters(model, &o.n_parameters);
    o.scores = all_scores(model);
    return o;
}

static void release(outcome *o)
{
    free(o->parameters);
    free(o->scores);
}

static outcome run(const char *sampler, int32_t threads, uint64_t seed)
{
    cfd_context *context = open_context("cpu", threads, seed);
    cfd_model *model = make_model(context, sampler);
    cfd_context_destroy(context);
    double total = 0.0;
    train(model, STEPS, &total);
    outcome o = outcome_of(model, total);
    cfd_model_destroy(model);
    return o;
}

static bool same(const outcome *a, const outcome *b)
{
    size_t scores = (size_t)large.users * (size_t)large.items;
    return memcmp(&a->total, &b->total, sizeof a->total) == 0 && a->n_parameters == b->n_parameters &&
           memcmp(a->parameters, b->parameters, a->n_parameters * sizeof(float)) == 0 &&
           memcmp(a->scores, b->scores, scores * sizeof(float)) == 0;
}

static const char *const samplers[] = {"users", "interactions"};

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    static const int32_t threads[] = {2, 3, 7};
    outcome alone = run(samplers[_i], 1, 11);
    for (int k = 0; k < 3; k++) {
        outcome shared = run(samplers[_i], threads[k], 11);
        ck_assert_msg(same(&alone, &shared), "sampler %s: %d threads give other bits than one", samplers[_i],
                      (int)threads[k]);
        release(&shared);
    }
    release(&alone);
}
END_TEST

START_TEST(a_seed_is_the_same_again_and_another_is_not)
{
    outcome first = run("users", 2, 11);
    outcome again = run("users", 2, 11);
    outcome other = run("users", 2, 12);
    ck_assert(same(&first, &again));
    ck_assert(!same(&first, &other));
    ck_assert(first.total != other.total);
    release(&other);
    release(&again);
    release(&first);
}
END_TEST

/* ---- two models at once ---- */

typedef struct job {
    cfd_model *model;
    double total;
    bool failed;
} job;

/* Check's assertions belong to the thread of the test: this one only notes. */
static void *train_job(void *argument)
{
    job *j = argument;
    for (int step = 0; step < STEPS && !j->failed; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        j->failed = cfd_train_step(j->model, NULL, &losses) != CFD_OK;
        j->total += losses.total;
    }
    return NULL;
}

START_TEST(two_models_of_a_context_do_not_disturb_each_other)
{
    outcome alone = run("users", 2, 11);
    outcome alone_too = run("interactions", 2, 11);
    cfd_context *context = open_context("cpu", 3, 11);
    job jobs[2] = {{.model = make_model(context, "users")}, {.model = make_model(context, "interactions")}};
    pthread_t threads[2];
    for (int k = 0; k < 2; k++) {
        ck_assert_int_eq(pthread_create(&threads[k], NULL, train_job, &jobs[k]), 0);
    }
    outcome together[2];
    for (int k = 0; k < 2; k++) {
        ck_assert_int_eq(pthread_join(threads[k], NULL), 0);
        ck_assert(!jobs[k].failed);
        together[k] = outcome_of(jobs[k].model, jobs[k].total);
    }
    ck_assert(same(&together[0], &alone));
    ck_assert(same(&together[1], &alone_too));
    for (int k = 0; k < 2; k++) {
        release(&together[k]);
        cfd_model_destroy(jobs[k].model);
    }
    release(&alone_too);
    release(&alone);
    cfd_context_destroy(context);
}
END_TEST

/* ---- after fork() ---- */

/* The child goes on where the parent's workers are not: it must neither wait for them nor compute otherwise. */
START_TEST(a_forked_child_trains_on_with_the_same_bits)
{
    cfd_context *context = open_context("cpu", 3, 11);
    cfd_model *model = make_model(context, "users");
    double total = 0.0;
    train(model, 2, &total);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(30); /* a child that hangs is killed, and the parent reads nothing */
        cfd_losses losses = CFD_LOSSES_INIT;
        size_t n;
        bool right = cfd_train_step(model, NULL, &losses) == CFD_OK;
        float *values = all_parameters(model, &n);
        right = right && write(ends[1], &losses.total, sizeof losses.total) == (ssize_t)sizeof losses.total;
        const char *at = (const char *)values;
        for (size_t left = n * sizeof(float); right && left > 0;) {
            ssize_t written = write(ends[1], at, left);
            right = written > 0;
            at += written;
            left -= (size_t)written;
        }
        _exit(right ? 0 : 1);
    }
    close(ends[1]);
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_train_step(model, NULL, &losses));
    size_t n;
    float *values = all_parameters(model, &n);
    size_t bytes = sizeof(double) + n * sizeof(float);
    char *received = allocated(bytes, 1);
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length<bytes; length += got> 0 ? (size_t)got : 0) {
        got = read(ends[0], received + length, bytes - length);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFSIGNALED(status), "the child was ended by signal %d (%d: it hung)", WTERMSIG(status), SIGALRM);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_uint_eq(length, bytes);
    ck_assert_mem_eq(received, &losses.total, sizeof losses.total);
    ck_assert_mem_eq(received + sizeof losses.total, values, n * sizeof *values);
    close(ends[0]);
    free(received);
    free(values);
    cfd_model_destroy(model);
    cfd_context_destroy(context);
}
END_TEST

/* ---- in a process with fewer processors ----
 *
 * The libraries behind the products count processors and start threads of their own, once for a process: so this
 * program runs itself again, with one processor and with all of them, and compares what the two runs write. */

static const char digest_variable[] = "TEST_DETERMINISM_DIGEST";

/* The published width, at which a library might think it worth while to share the work of whitening. */
START_TEST(digest_of_a_few_steps)
{
    static const char *const settings[] = {"batch_size", "512", "learning_rate", "0.01", NULL};
    cfd_model *model = random_model(&large, "art", settings);
    double total = 0.0;
    train(model, 8, &total);
    size_t n;
    float *values = all_parameters(model, &n);
    uint64_t digest = UINT64_C(14695981039346656037);
    const unsigned char *bytes = (const unsigned char *)values;
    for (size_t i = 0; i < n * sizeof *values; i++) {
        digest = (digest ^ bytes[i]) * UINT64_C(1099511628211);
    }
    int to = atoi(getenv(digest_variable));
    ck_assert_int_eq((int)write(to, &digest, sizeof digest), (int)sizeof digest);
    free(values);
    cfd_model_destroy(model);
}
END_TEST

/* In a fresh child; does not return. */
static void run_again(int to, bool one_processor)
{
    char text[16];
    snprintf(text, sizeof text, "%d", to);
    setenv(digest_variable, text, 1);
    setenv("OPENBLAS_NUM_THREADS", one_processor ? "1" : "4", 1);
    setenv("OMP_NUM_THREADS", one_processor ? "1" : "4", 1);
    cpu_set_t all;
    if (one_processor && sched_getaffinity(0, sizeof all, &all) == 0) {
        int first = 0;
        while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &all)) {
            first++;
        }
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    execl("/proc/self/exe", "test_determinism", (char *)NULL);
    _exit(127);
}

static uint64_t digest_of(bool one_processor)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        run_again(ends[1], one_processor);
    }
    close(ends[1]);
    uint64_t digest = 0;
    ck_assert_int_eq((int)read(ends[0], &digest, sizeof digest), (int)sizeof digest);
    close(ends[0]);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    return digest;
}

START_TEST(any_number_of_processors_gives_the_same_bits)
{
    ck_assert_uint_eq(digest_of(true), digest_of(false));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("determinism");
    TCase *bits = tcase_create("bits");
    tcase_set_timeout(bits, 300);
    tcase_add_loop_test(bits, any_number_of_threads_gives_the_same_bits, 0, 2);
    tcase_add_test(bits, a_seed_is_the_same_again_and_another_is_not);
    tcase_add_test(bits, two_models_of_a_context_do_not_disturb_each_other);
    tcase_add_test(bits, a_forked_child_trains_on_with_the_same_bits);
    tcase_add_test(bits, any_number_of_processors_gives_the_same_bits);
    suite_add_tcase(s, bits);
    return s;
}

static Suite *digest_suite(void)
{
    Suite *s = suite_create("digest");
    TCase *steps = tcase_create("steps");
    tcase_add_test(steps, digest_of_a_few_steps);
    suite_add_tcase(s, steps);
    return s;
}

int main(void)
{
    bool digest = getenv(digest_variable) != NULL;
    SRunner *runner = srunner_create(digest ? digest_suite() : suite());
    if (digest) {
        srunner_set_fork_status(runner, CK_NOFORK);
    }
    srunner_run_all(runner, digest ? CK_SILENT : CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
