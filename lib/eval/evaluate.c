/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: finds the users with held-out items, runs a protocol over blocks of them, and takes the means.
 * Sums are made by block and then over the blocks in order, so the bits do not depend on the threads. */
#include "eval/evaluate.h"

#include "eval/candidates.h"
#include "eval/ranking.h"

/* Lists the users with held-out items and measures the blocks. */
static cfd_status find_users(ranking_run *run, int32_t **out)
{
    const bipartite *held_out = run->held_out;
    for (int32_t user = 0; user < held_out->users; user++) {
        run->n_users += held_out_count(run, user) > 0;
    }
    if (run->n_users == 0) {
        return fail(CFD_ERROR_DATA, "nothing to evaluate: the data set's %s split is empty",
                    run->what->split == CFD_SPLIT_TEST ? "test" : "validation");
    }
    int32_t *users;
    TRY(memory_allocate(run->s->memory, run->n_users, sizeof *users, "an evaluation", &users));
    size_t n = 0;
    size_t held_outs = 0;
    size_t excluded = 0;
    for (int32_t user = 0; user < held_out->users; user++) {
        if (held_out_count(run, user) == 0) {
            continue;
        }
        if (n % run->block_users == 0) {
            held_outs = excluded = 0;
        }
        users[n++] = user;
        held_outs += held_out_count(run, user);
        excluded += candidates_excluded_bound(run->data, run->what->split, user);
        run->most_held_out = held_outs > run->most_held_out ? held_outs : run->most_held_out;
        run->most_excluded = excluded > run->most_excluded ? excluded : run->most_excluded;
    }
    *out = users;
    return CFD_OK;
}

static void write_means(const ranking_run *run, size_t blocks, cfd_metrics *metrics)
{
    size_t n_ks = run->what->n_ks;
    double users = (double)run->n_users;
    for (size_t i = 0; i < n_ks; i++) {
        cfd_metrics sum = {.k = run->what->ks[i]};
        for (size_t block = 0; block < blocks; block++) {
            const cfd_metrics *part = &run->sums[block * n_ks + i];
            sum.hr += part->hr;
            sum.ndcg += part->ndcg;
            sum.recall += part->recall;
            sum.precision += part->precision;
            sum.map += part->map;
            sum.mrr += part->mrr;
        }
        sum.hr /= users;
        sum.ndcg /= users;
        sum.recall /= users;
        sum.precision /= users;
        sum.map /= users;
        sum.mrr /= users;
        metrics[i] = sum;
    }
}

cfd_status evaluate(const scorer *s, const dataset *data, const evaluation *what, cfd_metrics *metrics, size_t *n_users)
{
    if (s->users != data->users || s->items != data->items) {
        return fail(CFD_ERROR_DATA, "the model has %d users and %d items, the data set %d users and %d items", (int)s->users,
                    (int)s->items, (int)data->users, (int)data->items);
    }
    ranking_run run = {.s = s, .data = data, .what = what, .held_out = &data->splits[what->split]};
    bool full = what->protocol == CFD_PROTOCOL_FULL;
    run.block_users = full ? full_ranking_users(&run) : sampled_ranking_users(&run);
    int32_t *users = NULL;
    TRY(find_users(&run, &users));
    run.users = users;
    size_t blocks = blocks_of(run.n_users, run.block_users);
    size_t n_sums;
    cfd_status status;
    if (!checked_multiply(blocks, what->n_ks, &n_sums)) {
        status = fail(CFD_ERROR_MEMORY, "out of memory: %zu cut-offs", what->n_ks);
        goto done;
    }
    TRY_OR(done, memory_allocate_zero(s->memory, n_sums, sizeof *run.sums, "an evaluation", &run.sums));
    TRY_OR(done, metric_table_init(&run.table, s->memory, what->ks, what->n_ks));
    lane_plan plan = {0};
    (full ? full_ranking_plan : sampled_ranking_plan)(&run, &plan);
    TRY_OR(done, lanes_run(s->memory, s->pool, blocks, &plan, "an evaluation",
                           full ? full_ranking_block : sampled_ranking_block, &run));
    write_means(&run, blocks, metrics);
    if (n_users) {
        *n_users = run.n_users;
    }
done:
    metric_table_release(&run.table);
    memory_release(s->memory, run.sums);
    memory_release(s->memory, users);
    return status;
}
