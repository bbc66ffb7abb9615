/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd.hpp: who owns what, failures as exceptions, empty lists, sizes that differ. What functions compute is tested in C.
 * Called with the path of a file that it may write. */
#include <cfdtbd.hpp>

#include <cstdio>
#include <type_traits>

static int failures;

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                                          \
        }                                                                        \
    } while (0)

/* The status that a call throws; CFD_OK if it throws nothing. */
template <typename F> static cfd_status thrown(F call)
{
    try {
        call();
    } catch (const cfdtbd::error &problem) {
        CHECK(problem.what()[0] != '\0');
        return problem.status();
    }
    return CFD_OK;
}

using list = std::vector<int32_t>;

static_assert(!std::is_copy_constructible_v<cfdtbd::context> && std::is_nothrow_move_constructible_v<cfdtbd::context>);
static_assert(!std::is_copy_constructible_v<cfdtbd::config> && std::is_nothrow_move_constructible_v<cfdtbd::config>);
static_assert(!std::is_copy_constructible_v<cfdtbd::dataset> && std::is_nothrow_move_constructible_v<cfdtbd::dataset>);
static_assert(!std::is_copy_constructible_v<cfdtbd::model> && std::is_nothrow_move_constructible_v<cfdtbd::model>);
static_assert(std::is_copy_constructible_v<cfdtbd::scorer> && std::is_nothrow_move_constructible_v<cfdtbd::scorer>);
static_assert(std::is_copy_assignable_v<cfdtbd::scorer> && std::is_base_of_v<std::runtime_error, cfdtbd::error>);

static cfdtbd::context one_thread()
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 1;
    return cfdtbd::context(&options);
}

static cfdtbd::dataset small_data(const cfdtbd::context &context)
{
    cfdtbd::dataset data(context, 4, 6);
    data.add_interactions(CFD_SPLIT_TRAIN, list{0, 0, 1, 1, 2, 2, 3, 3}, list{0, 2, 1, 3, 2, 4, 3, 5});
    data.add_interactions(CFD_SPLIT_TEST, list{0, 1}, list{4, 5});
    data.add_dense_modality("picture", std::vector<float>{1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1}, 2);
    const std::vector<int64_t> offsets{0, 1, 2, 3, 4, 5, 6};
    const list words{0, 1, 0, 1, 2, 2};
    data.add_sparse_modality("words", 3, offsets.data(), words.data());
    data.set_user_names({"a", "b", "c", "d"});
    data.set_item_names({"u", "v", "w", "x", "y", "z"});
    return data;
}

static void check_config()
{
    cfdtbd::config config;
    config.set("layers", "3").load_preset("beauty").load_ablation("no whitening").set("layers", "5");
    cfdtbd::config copy = config.copy();
    config.set("layers", "2");
    CHECK(copy.get_value("layers") == "5" && config.get_value("layers") == "2");
    CHECK(thrown([&] { config.set("layer", "1"); }) == CFD_ERROR_CONFIG);
    CHECK(thrown([&] { config.load_preset("none"); }) == CFD_ERROR_CONFIG);
    cfdtbd::config moved = std::move(config);
    CHECK(moved.get_value("layers") == "2" && config.get() == nullptr);
    CHECK(thrown([&] { config.set("layers", "1"); }) == CFD_ERROR_ARGUMENT);
}

static void check_dataset(const cfdtbd::context &context)
{
    cfdtbd::dataset data = small_data(context);
    CHECK(data.info().n_train == 8 && data.info().n_modalities == 2 && data.modality(1).is_sparse == 1);
    CHECK((data.user_items(CFD_SPLIT_TRAIN, 1) == list{1, 3}));
    CHECK(data.find_item("w") == 2 && data.find_user("e") == -1);
    CHECK(std::string(data.user_name(3)) == "d" && data.item_name(6) == nullptr);
    CHECK(thrown([&] { data.add_interactions(CFD_SPLIT_TRAIN, list{0, 1}, list{0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_dense_modality("short", std::vector<float>(11), 2); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.set_item_names({"u"}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { cfdtbd::dataset::open(context, "/nowhere"); }) == CFD_ERROR_FILE);
}

static cfdtbd::model trained(const cfdtbd::context &context)
{
    cfdtbd::config config;
    config.set("epochs", "2").set("select", "none").set("embedding_dim", "4").set("keep.history", "yes");
    cfdtbd::model model(context, config, small_data(context));
    CHECK(model.train().epochs_done == 2);
    CHECK(model.train_step().total > 0);
    CHECK(std::string(model.role(0)) == "picture" && model.role(2) == nullptr && model.info().n_items == 6);
    const cfd_tensor_info tensor = model.tensor(0);
    std::vector<float> values(static_cast<std::size_t>(tensor.rows * tensor.columns));
    model.get_parameter(tensor.name, values.data(), values.size());
    model.set_parameter(tensor.name, values);
    values.pop_back();
    CHECK(thrown([&] { model.set_parameter(tensor.name, values); }) == CFD_ERROR_ARGUMENT);
    return model;
}

static void check_lists(const cfdtbd::scorer &scorer)
{
    const cfdtbd::lists best = scorer.recommend(list{3, 0}, 6);
    CHECK(best.items.size() == 12 && (best.counts == list{6, 6}));
    const std::vector<float> all = scorer.score_users(list{3, 0});
    CHECK(all.size() == 12 && best.scores[6] == all[6 + static_cast<std::size_t>(best.items[6])]);
    CHECK((scorer.score_pairs(list{3, 0}, list{1, 5}) == std::vector<float>{all[1], all[11]}));
    CHECK((scorer.score_users(list{0}, list{5, 1}) == std::vector<float>{all[11], all[7]}));
    /* No items are no items, not all of them. */
    CHECK(scorer.score_users(list{0, 1}, list{}).empty());
    CHECK(thrown([&] { scorer.score_pairs(list{0}, list{0, 1}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend(list{4}, 3); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend(list{0, 1}, SIZE_MAX); }) == CFD_ERROR_MEMORY);
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    CHECK((scorer.recommend(list{0}, 6, &filter).counts == list{4}));
}

static void check_new(const cfdtbd::scorer &scorer)
{
    const std::vector<float> query = scorer.fold_in_user(list{1, 3});
    CHECK(query.size() == static_cast<std::size_t>(scorer.info().width));
    CHECK((scorer.recommend_queries(query, 3).counts == list{3}) && scorer.score_queries(query, list{0, 1}).size() == 2);
    CHECK((scorer.score_queries(scorer.fold_in_user(list{}), list{2}) == std::vector<float>{0.0F}));
    CHECK(thrown([&] { scorer.recommend_queries({query.data(), query.size() - 1}, 3); }) == CFD_ERROR_ARGUMENT);
    CHECK(scorer.similar_items(list{0, 1}, CFD_PART_COMMON, "picture", 2).items.size() == 4);
    CHECK(scorer.similar_items(list{0}, CFD_PART_FUSED, nullptr, 2).items.size() == 2);

    const std::vector<float> picture{1, 0};
    cfd_item_features features = CFD_ITEM_FEATURES_INIT;
    features.role = "picture";
    features.dense = picture.data();
    features.stride = 2;
    features.columns = 2;
    cfd_new_items added = CFD_NEW_ITEMS_INIT;
    added.n_items = 1;
    added.features = &features;
    added.n_features = 1;
    const cfdtbd::scorer larger = scorer.fold_in_items(added);
    CHECK(larger.info().n_items == 7 && scorer.info().n_items == 6);
    CHECK(scorer.search_items(features, 1, "words", 3).items.size() == 3);

    const cfd_explanation explanation = scorer.explain(0, 4);
    CHECK(explanation.score != 0);
    const cfdtbd::lists why = scorer.contributions(0, 4, 3), of_one = scorer.contributions(0, 4, list{2}, 3);
    CHECK(why.items[1] >= 0 && why.items[2] == -1 && of_one.items[0] == 2 && of_one.items[1] == -1);
    /* A history without items, not the one that the scorer keeps. */
    CHECK(scorer.contributions(0, 4, list{}, 3).items[0] == -1);
}

static void check_holds(const cfdtbd::context &context, const std::string &path)
{
    cfdtbd::model model = trained(context);
    model.save(path);
    cfdtbd::scorer scorer(model), held = scorer;
    CHECK(held.get() == scorer.get());
    cfdtbd::scorer loaded = cfdtbd::scorer::load(one_thread(), path);
    CHECK(loaded.score_users(list{0}) == scorer.score_users(list{0}) && loaded.settings().get_value("epochs") == "2");
    scorer = loaded;
    CHECK(scorer.get() == loaded.get() && held.get() != scorer.get() && held.info().n_items == 6);
    cfdtbd::scorer moved = std::move(scorer);
    CHECK(moved.get() == loaded.get() && scorer.get() == nullptr);
    CHECK(thrown([&] { scorer.info(); }) == CFD_ERROR_ARGUMENT);
    scorer = std::move(moved);
    CHECK(std::string(scorer.role(1)) == "words" && cfdtbd::scorer(context, model).info().n_users == 4);
    const cfdtbd::dataset data = small_data(context);
    CHECK(cfdtbd::evaluate(held, data).size() == 3);
    CHECK(cfdtbd::scorer::popularity(context, data).score_users(list{0}, list{2})[0] == 2);
    CHECK(thrown([&] { cfdtbd::scorer::load(context, path + ".none"); }) == CFD_ERROR_FILE);
    check_lists(held);
    check_new(held);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    try {
        const cfdtbd::context context = one_thread();
        CHECK(context.info().threads == 1);
        cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
        options.device = "none";
        CHECK(thrown([&] { cfdtbd::context none(&options); }) != CFD_OK);
        check_config();
        check_dataset(context);
        check_holds(context, argv[1]);
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
    return failures != 0;
}
