/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd.hpp with failures as exceptions: every method, who owns what, empty lists, sizes that differ. */
#include <cfdtbd.hpp>

#include "support.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <type_traits>
#if __cplusplus >= 202002L
#include <span>
#endif

namespace {

/* The status that a call throws; CFD_OK if it throws nothing. */
template <typename F> cfd_status thrown(F call)
{
    try {
        call();
    } catch (const cfdtbd::error &problem) {
        CHECK(problem.what()[0] != '\0');
        return problem.status();
    }
    return CFD_OK;
}

template <typename T>
constexpr bool moved_only = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                            std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
static_assert(moved_only<cfdtbd::context> && moved_only<cfdtbd::config> && moved_only<cfdtbd::dataset>);
static_assert(moved_only<cfdtbd::model> && moved_only<cfdtbd::matrix>);
static_assert(std::is_copy_constructible_v<cfdtbd::scorer> && std::is_nothrow_move_constructible_v<cfdtbd::scorer>);
static_assert(std::is_copy_assignable_v<cfdtbd::scorer> && std::is_base_of_v<std::runtime_error, cfdtbd::error>);
static_assert(std::is_same_v<cfdtbd::result<int>, int>);

/* What views are made of, and not. */
static_assert(std::is_convertible_v<list &, cfdtbd::ids_out> && std::is_convertible_v<const list &, cfdtbd::ids>);
static_assert(!std::is_convertible_v<const list &, cfdtbd::ids_out> && !std::is_convertible_v<list, cfdtbd::ids_out>);
static_assert(!std::is_convertible_v<std::initializer_list<int32_t>, cfdtbd::ids_out>);
static_assert(!std::is_convertible_v<std::vector<int64_t> &, cfdtbd::ids> &&
              !std::is_convertible_v<list &, cfdtbd::numbers>);
static_assert(std::is_convertible_v<const std::array<float, 3> &, cfdtbd::numbers>);
static_assert(std::is_convertible_v<int32_t (&)[2], cfdtbd::ids> && std::is_convertible_v<cfdtbd::ids_out, cfdtbd::ids>);
#if defined(__cpp_lib_span)
static_assert(std::is_convertible_v<std::span<int32_t>, cfdtbd::ids_out> &&
              std::is_convertible_v<std::span<int32_t, 4>, cfdtbd::ids>);
static_assert(std::is_convertible_v<std::span<const int32_t>, cfdtbd::ids> &&
              !std::is_convertible_v<std::span<const int32_t>, cfdtbd::ids_out>);
#endif

cfdtbd::context one_thread(int32_t profile = 0)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 1;
    options.profile = profile;
    return cfdtbd::context(&options);
}

cfdtbd::dataset small_data(const cfdtbd::context &context)
{
    const small_world world;
    cfdtbd::dataset data(context, 4, 6);
    data.add_interactions(CFD_SPLIT_TRAIN, world.users, world.items);
    data.add_interactions(CFD_SPLIT_TEST, world.test_users, world.test_items);
    data.add_dense_modality("picture", world.pictures, 2);
    data.add_sparse_modality("words", 3, world.offsets, world.words);
    data.set_user_names({"a", "b", "c", "d"});
    data.set_item_names({"u", "v", "w", "x", "y", "z"});
    return data;
}

void check_views()
{
    int32_t numbers[3] = {4, 5, 6};
    const std::array<int32_t, 2> fixed{7, 8};
    auto sum = [](cfdtbd::ids all) {
        int32_t total = 0;
        for (std::size_t i = 0; i < all.size(); i++) {
            total += all.data()[i];
        }
        return total;
    };
    CHECK(sum(numbers) == 15 && sum(fixed) == 15 && sum({1, 2}) == 3 && sum({numbers, 2}) == 9 && sum({}) == 0);
    CHECK(cfdtbd::ids().data() != nullptr && cfdtbd::ids(list()).data() != nullptr && cfdtbd::ids_out().data() == nullptr);
    const cfdtbd::ids_out out(numbers);
    out.data()[1] = 1;
    CHECK(sum(out) == 11 && cfdtbd::ids(out).data() == numbers);
#if defined(__cpp_lib_span)
    CHECK(sum(std::span<int32_t>(numbers)) == 11 && sum(std::span(fixed)) == 15);
#endif
}

void check_context()
{
    const cfdtbd::context plain = one_thread();
    CHECK(plain.info().threads == 1 && plain.profile().empty());
    cfdtbd::context profiled = one_thread(1);
    cfdtbd::model model(profiled, cfdtbd::config(), small_data(profiled));
    model.train_step();
    const std::vector<cfd_profile_entry> entries = profiled.profile();
    CHECK(entries.size() > 3 && entries[0].calls > 0 && entries[0].operation[0] != '\0');
    profiled.reset_profile();
    CHECK(profiled.profile().size() == entries.size() && profiled.profile()[0].calls == 0);
    cfd_probe copy = CFD_PROBE_INIT;
    copy.rows = copy.inner = copy.columns = 64;
    CHECK(plain.probe(copy, 3).size() == 3 && plain.probe(copy)[0] >= 0);
    copy.kind = 9;
    CHECK(thrown([&] { plain.probe(copy); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { plain.probe(copy, SIZE_MAX); }) == CFD_ERROR_MEMORY);
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "none";
    CHECK(thrown([&] { cfdtbd::context none(&options); }) != CFD_OK);

    cfdtbd::context given(one_thread().release()), &same = given;
    given = std::move(same);
    CHECK(given.get() != nullptr && given.info().threads == 1);
    cfdtbd::context taken = std::move(given);
    CHECK(given.get() == nullptr && thrown([&] { given.info(); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { cfdtbd::dataset(given, 1, 1); }) == CFD_ERROR_ARGUMENT && given.profile().empty());
    given.reset_profile();
    given = std::move(taken);
    CHECK(given.info().threads == 1);
}

void check_config()
{
    cfdtbd::config config;
    config.set("layers", "3").load_preset("beauty").load_ablation("no whitening").set("layers", "5");
    cfdtbd::config copy = config.copy();
    config.set("layers", "2");
    CHECK(copy.get_value("layers") == "5" && config.get_value("layers") == "2");
    config.set({{"layers", "4"}, {"lambda.photo", "0.5"}}).set("epochs", "3");
    const std::vector<std::string> roles = config.roles();
    CHECK(config.get_value("layers") == "4" && std::count(roles.begin(), roles.end(), "photo") == 1);
    CHECK(cfdtbd::config::keys().size() == cfd_config_key_count() && cfdtbd::config::keys()[1].help[0] != '\0');
    CHECK(thrown([&] { config.set("layer", "1"); }) == CFD_ERROR_CONFIG);
    CHECK(thrown([&] { config.set({{"layers", "7"}, {"layer", "1"}, {"layers", "8"}}); }) == CFD_ERROR_CONFIG);
    CHECK(config.get_value("layers") == "7");
    CHECK(thrown([&] { config.get_value("layer"); }) == CFD_ERROR_CONFIG);
    CHECK(thrown([&] { config.load_preset("none"); }) == CFD_ERROR_CONFIG);
    CHECK(thrown([&] { config.load_ablation("none"); }) == CFD_ERROR_CONFIG);
    cfdtbd::config moved = std::move(config);
    CHECK(moved.get_value("layers") == "7" && config.get() == nullptr);
    CHECK(thrown([&] { config.set("layers", "1"); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { config.copy(); }) == CFD_ERROR_ARGUMENT && config.roles().empty());
}

void check_dataset(const cfdtbd::context &context)
{
    const small_world world;
    cfdtbd::dataset data = small_data(context);
    CHECK(data.info().n_train == 8 && data.info().n_modalities == 2 && data.modality(1).is_sparse == 1);
    const cfdtbd::ids items = data.user_items(CFD_SPLIT_TRAIN, 1);
    CHECK(items.size() == 2 && items.data()[0] == 1 && items.data()[1] == 3);
    CHECK(data.find_item("w") == 2 && data.find_user("e") == -1);
    CHECK(std::string(data.user_name(3)) == "d" && data.item_name(6) == nullptr);
    const uint16_t halves[6] = {0x3c00, 0, 0x3c00, 0, 0x3c00, 0};
    data.add_dense_modality("half", halves, CFD_FLOAT16, 1, 1);
    data.add_sparse_modality("weighted", 3, world.offsets, world.words, {1, 2, 3, 4, 5, 6});
    CHECK(data.modality(2).element == CFD_FLOAT16 && data.modality(3).nonzeros == 6);
    CHECK(thrown([&] { data.add_interactions(CFD_SPLIT_TRAIN, {0, 1}, {0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_interactions(CFD_SPLIT_TRAIN, {4}, {0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_dense_modality("short", std::vector<float>(11), 2); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_dense_modality("none", std::vector<float>(12), -2); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_dense_modality("nan", {NAN, 0, 0, 0, 0, 0}, 1); }) == CFD_ERROR_DATA);
    CHECK(thrown([&] { data.add_dense_modality("half", halves, CFD_FLOAT16, 1, 1); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_sparse_modality("rows", 3, {0, 1}, {0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_sparse_modality("ids", 3, world.offsets, {0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_sparse_modality("values", 3, world.offsets, world.words, {1}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_sparse_modality("below", 3, {0, 0, 0, 0, 0, 0, -1}, {}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.set_item_names({"u"}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.set_user_names({"u"}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.modality(9); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.user_items(CFD_SPLIT_TRAIN, 4); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { cfdtbd::dataset::open(context, "/nowhere"); }) == CFD_ERROR_FILE);
    const cfdtbd::dataset moved = std::move(data);
    CHECK(moved.info().n_items == 6 && thrown([&] { data.info(); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_dense_modality("late", {1, 2, 3, 4, 5, 6}, 1); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { data.add_sparse_modality("late", 3, {0}, {}); }) == CFD_ERROR_ARGUMENT);
}

cfdtbd::model new_model(const cfdtbd::context &context)
{
    cfdtbd::config config;
    config.set("epochs", "2").set("select", "none").set("embedding_dim", "4").set("keep.history", "yes");
    return cfdtbd::model(context, config, small_data(context));
}

void check_training(const cfdtbd::context &context)
{
    cfdtbd::model model = new_model(context);
    int calls = 0, ends = 0;
    CHECK(model.train([&](const cfd_progress &at) { calls++, ends += at.epoch_ended; }).epochs_done == 2);
    CHECK(calls == 4 && ends == 2);
    CHECK(model.train([](const cfd_progress &at) { return at.epoch == 1; }, {3}).stopped_by_caller == 1);
    CHECK(thrown([&] { model.train([](const cfd_progress &) {}, {0}); }) == CFD_ERROR_ARGUMENT);
    /* What a callback throws comes out, of whatever type, and the model trains on. */
    try {
        model.train([](const cfd_progress &at) { throw static_cast<int>(at.step); });
        CHECK(false);
    } catch (int step) {
        CHECK(step == 1);
    }
    struct counts {
        int calls = 0;
        void operator()(const cfd_progress &) { calls++; }
    } counted; /* an object of the caller's is called, not copied */
    CHECK(model.train(counted).epochs_done == 2 && counted.calls == 4);
    CHECK(model.train().epochs_done == 2);
    cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
    CHECK(model.train(&options).epochs_done == 2);

    const cfd_losses losses = model.train_step();
    CHECK(losses.total > 0);
    CHECK(thrown([&] { model.receive_losses(true); }) == CFD_ERROR_ARGUMENT);
    model.step();
    model.request_losses();
    CHECK(model.receive_losses(true)->total > 0 && model.receive_losses(false).has_value());
    model.synchronise();
    const list one{0}, two{2, 3};
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = batch.positives = one.data();
    batch.negatives = two.data();
    batch.size = 1;
    const double before = model.compute_gradients(&batch).total;
    CHECK(before == model.train_step(&batch).total && before > model.compute_gradients(&batch).total);
    batch.size = 0;
    CHECK(thrown([&] { model.step(&batch); }) == CFD_ERROR_ARGUMENT);
}

void check_parameters(const cfdtbd::context &context)
{
    cfdtbd::model model = new_model(context);
    CHECK(std::string(model.role(0)) == "picture" && model.role(2) == nullptr && model.info().n_items == 6);
    const cfd_tensor_info tensor = model.tensor(0);
    std::vector<float> values(static_cast<std::size_t>(tensor.rows * tensor.columns)), gradient(values);
    model.get_parameter(tensor.name, values);
    const cfdtbd::matrix lies = model.parameter(tensor.name);
    CHECK(lies.rows() == 4 && lies.columns() == 4 && lies.stride() >= 4 && lies.device() == 1 &&
          lies.data()[5] == values[5]);
    CHECK(model.parameter("user.common.picture").stride() > 4);
    values[5] = 0.25F;
    model.set_parameter(tensor.name, values);
    CHECK(lies.data()[5] == 0.25F);
    lies.data()[6] = 0.5F;
    model.get_parameter(tensor.name, values);
    CHECK(values[6] == 0.5F);
    CHECK(thrown([&] { model.get_gradient(tensor.name, gradient); }) == CFD_ERROR_ARGUMENT);
    model.compute_gradients();
    model.get_gradient(tensor.name, gradient);
    CHECK(std::count(gradient.begin(), gradient.end(), 0.0F) < static_cast<std::ptrdiff_t>(gradient.size()));
    std::vector<float> base(10 * 4);
    model.get_embedding("base", base);
    CHECK(base[0] != 0 && thrown([&] { model.get_embedding("basis", base); }) == CFD_ERROR_ARGUMENT);
    values.pop_back();
    CHECK(thrown([&] { model.set_parameter(tensor.name, values); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { model.get_parameter(tensor.name, values); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { model.parameter("nothing"); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { model.tensor(99); }) == CFD_ERROR_ARGUMENT);

    cfdtbd::dataset more(context, 5, 7);
    more.add_interactions(CFD_SPLIT_TRAIN, {0, 4}, {2, 6});
    more.add_dense_modality("picture", std::vector<float>(14, 1.0F), 2);
    more.add_sparse_modality("words", 3, {0, 1, 1, 1, 1, 1, 1, 2}, {0, 2});
    cfdtbd::model extended = model.extend(more);
    CHECK(extended.info().n_items == 7 && extended.parameter(tensor.name).data()[6] == 0.5F);
    CHECK(thrown([&] { extended.extend(cfdtbd::dataset(context, 1, 1)); }) == CFD_ERROR_DATA);
    /* A matrix outlives its model, in whoever's hands it is; a model that was moved from is refused. */
    model = std::move(extended);
    CHECK(lies.data()[5] == 0.25F && model.info().n_items == 7);
    cfdtbd::matrix handed(model.parameter("item.id").release());
    const cfdtbd::model last = std::move(model);
    CHECK(handed.rows() == 7 && thrown([&] { model.train(); }) == CFD_ERROR_ARGUMENT);
}

void check_lists(const cfdtbd::scorer &scorer)
{
    const cfdtbd::lists best = scorer.recommend({3, 0}, 6);
    CHECK(best.items.size() == 12 && (best.counts == list{6, 6}));
    const std::vector<float> all = scorer.score_users({3, 0});
    CHECK(all.size() == 12 && best.scores[6] == all[6 + static_cast<std::size_t>(best.items[6])]);
    CHECK((scorer.score_pairs({3, 0}, {1, 5}) == std::vector<float>{all[1], all[11]}));
    CHECK((scorer.score_users({0}, {5, 1}) == std::vector<float>{all[11], all[7]}));
    /* No items are no items, not all of them. */
    CHECK(scorer.score_users({0, 1}, {}).empty());
    CHECK(thrown([&] { scorer.score_pairs({0}, {0, 1}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend({4}, 3); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend({0, 1}, SIZE_MAX); }) == CFD_ERROR_MEMORY);
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    CHECK((scorer.recommend({0}, 6, &filter).counts == list{4}));

    std::array<float, 12> scores{};
    scorer.score_users_into({3, 0}, scores);
    CHECK(std::equal(all.begin(), all.end(), scores.begin()));
    scorer.score_users_into({0}, {5, 1}, {scores.data(), 2});
    CHECK(scores[0] == all[11] && scores[1] == all[7]);
    scorer.score_pairs_into({3, 0}, {1, 5}, {scores.data(), 2});
    CHECK(scores[0] == all[1] && scores[1] == all[11] && scores[2] == all[2]);
    list items(12), counts(2);
    scorer.recommend_into({3, 0}, 6, items, scores, counts);
    CHECK(items == best.items && counts == best.counts && std::equal(scores.begin(), scores.end(), best.scores.begin()));
    items.assign(12, -7);
    scorer.recommend_into({3, 0}, 6, items);
    CHECK(items == best.items);
    list six(6);
    scorer.recommend_into({0}, 6, six, {}, {}, &filter);
    CHECK(six[3] >= 0 && six[4] == -1);
    items.assign(12, -7);
    CHECK(thrown([&] { scorer.recommend_into({3}, 6, items); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend_into({3, 0}, 6, items, {scores.data(), 11}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend_into({3, 0}, 6, items, scores, {counts.data(), 1}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend_into({3, 0}, SIZE_MAX, items); }) == CFD_ERROR_MEMORY);
    CHECK(thrown([&] { scorer.score_users_into({3}, scores); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.score_users_into({3}, {1, 2}, scores); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.score_pairs_into({3}, {1}, scores); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.score_pairs_into({3}, {1, 2}, {scores.data(), 1}); }) == CFD_ERROR_ARGUMENT);
    CHECK(items == list(12, -7));
}

void check_new_users(const cfdtbd::scorer &scorer)
{
    const std::vector<float> query = scorer.fold_in_user({1, 3});
    CHECK(query.size() == static_cast<std::size_t>(scorer.info().width));
    std::vector<float> same(query.size());
    scorer.fold_in_user_into({1, 3}, same);
    CHECK(same == query);
    const cfdtbd::lists best = scorer.recommend_queries(query, 3);
    CHECK((best.counts == list{3}) && scorer.score_queries(query, {0, 1}).size() == 2);
    CHECK((scorer.score_queries(scorer.fold_in_user({}), {2}) == std::vector<float>{0.0F}));
    std::array<int32_t, 3> items{};
    scorer.recommend_queries_into(query, 3, items);
    CHECK(std::equal(items.begin(), items.end(), best.items.begin()));
    float score = 0;
    scorer.score_queries_into(query, {best.items.data(), 1}, {&score, 1});
    CHECK(score == best.scores[0]);
    CHECK(scorer.recommend_queries({}, 3).items.empty() && scorer.score_queries({}, {0}).empty());
    CHECK(thrown([&] { scorer.recommend_queries({}, 0); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend_queries({query.data(), query.size() - 1}, 3); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.score_queries({query.data(), 1}, {0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend_queries_into(query, 2, items); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.score_queries_into(query, {0, 1}, {&score, 1}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.fold_in_user_into({1}, {same.data(), 1}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.fold_in_user({6}); }) == CFD_ERROR_ARGUMENT);
}

void check_new_items(const cfdtbd::scorer &scorer)
{
    CHECK(scorer.similar_items({0, 1}, CFD_PART_COMMON, "picture", 2).items.size() == 4);
    CHECK(scorer.similar_items({0}, CFD_PART_FUSED, nullptr, 2).items.size() == 2);
    CHECK(thrown([&] { scorer.similar_items({0}, CFD_PART_COMMON, "sound", 2); }) == CFD_ERROR_ARGUMENT);
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
    const cfdtbd::matrix keys = larger.rows("key");
    const std::vector<float> key = scorer.fold_in_keys(added);
    CHECK(key.size() == keys.columns() && std::equal(key.begin(), key.end(), keys.data() + 6 * keys.stride()));
    CHECK(scorer.search_items(features, 1, "words", 3).items.size() == 3);
    CHECK(thrown([&] { scorer.search_items(features, 1, "sound", 3); }) == CFD_ERROR_ARGUMENT);
    features.columns = 3;
    CHECK(thrown([&] { scorer.fold_in_items(added); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.fold_in_keys(added); }) == CFD_ERROR_ARGUMENT);
}

void check_reasons(const cfdtbd::scorer &scorer)
{
    CHECK(scorer.explain(0, 4).score != 0 && thrown([&] { scorer.explain(0, 6); }) == CFD_ERROR_ARGUMENT);
    const cfdtbd::lists why = scorer.contributions(0, 4, 3), of_one = scorer.contributions(0, 4, {2}, 3);
    CHECK(why.items[1] >= 0 && why.items[2] == -1 && why.counts.empty() && of_one.items[0] == 2 && of_one.items[1] == -1);
    /* A history without items, not the one that the scorer keeps. */
    CHECK(scorer.contributions(0, 4, list{}, 3).items[0] == -1);
    CHECK(thrown([&] { scorer.contributions(4, 4, 3); }) == CFD_ERROR_ARGUMENT);
}

void check_holds(const cfdtbd::context &context, const std::string &path)
{
    cfdtbd::model model = new_model(context);
    model.train();
    model.save(path);
    cfdtbd::scorer scorer(model), held = scorer;
    CHECK(held.get() == scorer.get());
    cfdtbd::scorer loaded = cfdtbd::scorer::load(one_thread(), path);
    CHECK(loaded.score_users({0}) == scorer.score_users({0}) && loaded.settings().get_value("epochs") == "2");
    scorer = loaded;
    CHECK(scorer.get() == loaded.get() && held.get() != scorer.get() && held.info().n_items == 6);
    const cfdtbd::scorer &same = scorer;
    scorer = same;
    CHECK(scorer.get() == loaded.get());
    cfdtbd::scorer moved = std::move(scorer);
    CHECK(moved.get() == loaded.get() && scorer.get() == nullptr && thrown([&] { scorer.info(); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.score_users({0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.fold_in_user({0}); }) == CFD_ERROR_ARGUMENT);
    CHECK(thrown([&] { scorer.recommend_queries({1, 2}, 3); }) == CFD_ERROR_ARGUMENT);
    const cfdtbd::scorer nothing = scorer;
    CHECK(nothing.get() == nullptr);
    scorer = std::move(moved);
    CHECK(std::string(scorer.role(1)) == "words" && cfdtbd::scorer(context, model).info().n_users == 4);
    cfdtbd::matrix queries = scorer.rows("query");
    const float first = queries.data()[0];
    scorer = held;
    loaded = held;
    CHECK(queries.rows() == 4 && queries.data()[0] == first);
    CHECK(thrown([&] { held.rows("keys"); }) == CFD_ERROR_ARGUMENT);
    const std::string exported = path + ".vectors";
    held.export_rows(exported, CFD_EXPORT_SAFETENSORS);
    CHECK(std::remove(exported.c_str()) == 0);
    CHECK(thrown([&] { held.export_rows("/nowhere/x", CFD_EXPORT_SAFETENSORS); }) == CFD_ERROR_FILE);

    const cfdtbd::dataset data = small_data(context);
    std::size_t n_users = 0;
    const std::vector<cfd_metrics> metrics = cfdtbd::evaluate(held, data, nullptr, &n_users);
    CHECK(metrics.size() == 3 && metrics[2].k == 20 && n_users == 2);
    cfd_evaluate_options options = CFD_EVALUATE_OPTIONS_INIT;
    const list ks{1};
    options.ks = ks.data();
    options.n_ks = 1;
    CHECK(cfdtbd::evaluate(model, data, &options).size() == 1);
    options.split = CFD_SPLIT_VALIDATION;
    CHECK(thrown([&] { cfdtbd::evaluate(model, data, &options); }) == CFD_ERROR_DATA);
    CHECK(thrown([&] { cfdtbd::evaluate(held, data, &options); }) == CFD_ERROR_DATA);
    CHECK(cfdtbd::scorer::popularity(context, data).score_users({0}, {2})[0] == 2);
    CHECK(thrown([&] { cfdtbd::scorer::load(context, path + ".none"); }) == CFD_ERROR_FILE);
    CHECK(thrown([&] { cfdtbd::check(CFD_ERROR_FILE); }) == CFD_ERROR_FILE);
    cfdtbd::check(CFD_OK);
    check_lists(held);
    check_new_users(held);
    check_new_items(held);
    check_reasons(held);
}

} // namespace

void check_throwing(const std::string &path)
{
    const cfdtbd::context context = one_thread();
    check_views();
    check_context();
    check_config();
    check_dataset(context);
    check_training(context);
    check_parameters(context);
    check_holds(context, path);
}
