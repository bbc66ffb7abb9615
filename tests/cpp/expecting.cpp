/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd.hpp with failures as values: compiled with CFDTBD_EXPECTED, in C++17 with the header's own expected<T>, in C++23
 * with the standard's, and without exceptions, where no macro is needed. */
#include <cfdtbd.hpp>

#include "support.hpp"

#include <optional>
#include <type_traits>
#include <utility>

#ifndef CHECK_NAME
#define CHECK_NAME check_expecting
#endif

namespace {

static_assert(!std::is_copy_constructible_v<cfdtbd::model> && std::is_nothrow_move_constructible_v<cfdtbd::model>);
static_assert(std::is_same_v<cfdtbd::result<int>, cfdtbd::expected<int>>);
static_assert(!std::is_default_constructible_v<cfdtbd::context> && !std::is_default_constructible_v<cfdtbd::config>);
#if defined(__cpp_lib_expected)
static_assert(std::is_same_v<cfdtbd::result<int>, std::expected<int, cfdtbd::error>>);
#endif

/* The status of a result: CFD_OK if it is a value. */
template <typename T> cfd_status status_of(const T &result)
{
    if (result) {
        CHECK(result.has_value());
        return CFD_OK;
    }
    CHECK(!result.has_value() && result.error().what()[0] != '\0');
    return result.error().status();
}

cfdtbd::expected<cfdtbd::context> one_thread()
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 1;
    return cfdtbd::context::make(&options);
}

cfdtbd::expected<cfdtbd::model> small_model(const cfdtbd::context &context)
{
    const small_world world;
    auto data = cfdtbd::dataset::make(context, 4, 6);
    CHECK(data && data->add_interactions(CFD_SPLIT_TRAIN, world.users, world.items));
    CHECK(data->add_dense_modality("picture", world.pictures, 2));
    CHECK(data->add_sparse_modality("words", 3, world.offsets, world.words));
    CHECK(status_of(data->add_interactions(CFD_SPLIT_TRAIN, {0, 1}, {0})) == CFD_ERROR_ARGUMENT);
    CHECK(status_of(data->add_sparse_modality("less", 3, {0, 1}, world.words)) == CFD_ERROR_ARGUMENT);
    CHECK(status_of(data->user_items(CFD_SPLIT_TRAIN, 7)) == CFD_ERROR_ARGUMENT);
    auto settings = cfdtbd::config::make();
    CHECK(settings && settings->set({{"epochs", "2"}, {"select", "none"}, {"embedding_dim", "4"}}));
    CHECK(status_of(settings->set("layer", "1")) == CFD_ERROR_CONFIG);
    const auto unknown = settings->get_value("layer");
    CHECK(status_of(unknown) == CFD_ERROR_CONFIG && *settings->get_value("epochs") == "2");
    return cfdtbd::model::make(context, *settings, *data);
}

void check_model(const cfdtbd::context &context, const std::string &path)
{
    auto model = small_model(context);
    CHECK(model);
    int calls = 0;
    const auto summary = model->train([&](const cfd_progress &at) { return ++calls, at.epoch_ended == 1; });
    CHECK(summary && summary->stopped_by_caller == 1 && calls == 2);
    CHECK(model->train() && model->train_step()->total > 0);
    CHECK(status_of(model->receive_losses(false)) == CFD_ERROR_ARGUMENT);
    auto view = model->parameter("item.id");
    CHECK(view && view->rows() == 6 && view->columns() == 4);
    CHECK(status_of(model->parameter("nothing")) == CFD_ERROR_ARGUMENT);
    CHECK(model->save(path));
    CHECK(status_of(model->save("/nowhere/model")) == CFD_ERROR_FILE);

    auto scorer = cfdtbd::scorer::make(*model);
    const auto loaded = cfdtbd::scorer::load(context, path);
    CHECK(scorer && loaded && *loaded->score_users({0}) == *scorer->score_users({0}));
    CHECK(status_of(cfdtbd::scorer::load(context, path + ".none")) == CFD_ERROR_FILE);
    int32_t items[6];
    float scores[6];
    CHECK(scorer->recommend_into({0, 1}, 3, items, scores));
    const auto best = scorer->recommend({0, 1}, 3);
    CHECK(best && list(items, items + 6) == best->items && std::vector<float>(scores, scores + 6) == best->scores);
    CHECK(status_of(scorer->recommend_into({0}, 3, items)) == CFD_ERROR_ARGUMENT);
    CHECK(status_of(scorer->recommend({0, 1}, SIZE_MAX)) == CFD_ERROR_MEMORY);
    CHECK(status_of(scorer->recommend({9}, 1)) == CFD_ERROR_ARGUMENT);
    const cfdtbd::scorer held = *scorer, taken = *std::move(scorer);
    CHECK(held.get() == taken.get() && scorer->get() == nullptr && status_of(scorer->info()) == CFD_ERROR_ARGUMENT);
}

} // namespace

void CHECK_NAME(const std::string &path)
{
    const auto context = one_thread();
    CHECK(context && context->info()->threads == 1);
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "none";
    const auto none = cfdtbd::context::make(&options);
    CHECK(status_of(none) != CFD_OK && std::string(none.error().what()).find("none") != std::string::npos);
    CHECK(status_of(cfdtbd::check(CFD_OK)) == CFD_OK && status_of(cfdtbd::check(CFD_ERROR_FILE)) == CFD_ERROR_FILE);
    check_model(*context, path);
}
