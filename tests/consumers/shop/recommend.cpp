/* SPDX-License-Identifier: Apache-2.0 */
/* recommend.c by the wrapper for C++17; prints the same. Called with the number of threads. */
#include "shop.h"

#include <cfdtbd.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>

static cfdtbd::config settings()
{
    cfdtbd::config config;
    config.set("epochs", "2").set("embedding_dim", "16").set("batch_size", "512").set("learning_rate", "0.01");
    config.set("select", "none").set("keep.history", "yes");
    return config;
}

static int run(int threads)
{
    const auto s = std::make_unique<shop>();
    shop_fill(s.get());

    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = threads;
    const cfdtbd::context context(&options);
    cfdtbd::dataset data(context, SHOP_CUSTOMERS, SHOP_PRODUCTS);
    data.add_interactions(CFD_SPLIT_TRAIN, {s->customers, SHOP_PURCHASES}, {s->products, SHOP_PURCHASES});
    data.add_dense_modality("photo", {s->photos, SHOP_PRODUCTS * SHOP_PIXELS}, SHOP_PIXELS);
    data.add_sparse_modality("tags", SHOP_TAGS, s->tag_offsets, s->tags);
    cfdtbd::model model(context, settings(), data);
    model.train();

    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    const cfdtbd::lists best = cfdtbd::scorer(model).recommend({s->everyone, SHOP_CUSTOMERS}, SHOP_LISTED, &filter);
    const auto lists = std::make_unique<shop_lists>();
    std::copy(best.items.begin(), best.items.end(), lists->products);
    std::copy(best.scores.begin(), best.scores.end(), lists->scores);
    return shop_print(lists.get());
}

int main(int argc, char **argv)
{
    try {
        return run(argc > 1 ? std::atoi(argv[1]) : 0);
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "recommend: %s\n", problem.what());
        return 1;
    }
}
