/* SPDX-License-Identifier: Apache-2.0 */
/* examples/minimal in C++: 40 users, 20 items of two kinds, one feature matrix; trains, and lists five items for user 0. */
#include <cfdtbd.hpp>

#include <cstdio>

static int run()
{
    const int32_t n_users = 40, n_items = 20, each = 5;
    std::vector<int32_t> users, items;
    std::vector<float> kinds;
    for (int32_t i = 0; i < n_items; i++) {
        kinds.insert(kinds.end(), {i % 2 == 0 ? 1.0F : 0.0F, i % 2 == 1 ? 1.0F : 0.0F}); // even and odd items
    }
    for (int32_t n = 0; n < n_users * each; n++) {
        users.push_back(n / each); // even users have even items, odd users odd ones
        items.push_back((users.back() % 2 + 2 * (users.back() / 2 * 3 + n % each)) % n_items);
    }
    cfdtbd::context context;
    cfdtbd::dataset data(context, n_users, n_items);
    data.add_interactions(CFD_SPLIT_TRAIN, users, items);
    data.add_dense_modality("kind", kinds, 2);
    cfdtbd::config config;
    config.set({{"epochs", "20"}, {"select", "none"}, {"keep.history", "yes"}});
    cfdtbd::model model(context, config, data);
    model.train();

    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    const cfdtbd::scorer scorer(model);
    const cfdtbd::lists best = scorer.recommend({0}, 5, &filter);
    for (int32_t k = 0; k < best.counts[0]; k++) {
        std::printf("item %d: %.3f\n", static_cast<int>(best.items[static_cast<std::size_t>(k)]),
                    static_cast<double>(best.scores[static_cast<std::size_t>(k)]));
    }
    return 0;
}

int main()
{
    try {
        return run();
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "minimal: %s\n", problem.what());
        return 1;
    }
}
