/* SPDX-License-Identifier: Apache-2.0 */
/** @file cfdtbd.hpp
 * cfdtbd.h for C++17: handles that destroy themselves, failures as exceptions, vectors for arrays. Header-only, and nothing
 * more: what each function does, and which threads may call it, stands in cfdtbd.h; structs of options are those of C.
 *
 *     cfdtbd::context context;
 *     cfdtbd::dataset data = cfdtbd::dataset::open(context, "DATA");
 *     cfdtbd::model model(context, cfdtbd::config(), data);
 *     model.train();
 *     cfdtbd::lists best = cfdtbd::scorer(model).recommend(std::vector<int32_t>{7}, 10);
 *
 * Handles are moved, not copied; a scorer is copied, too, as another hold on the same one. What was moved from holds
 * nothing: the library refuses it with CFD_ERROR_ARGUMENT. handle.get() is the handle of C, for what has no method here.
 * Callbacks are called from C: no exception may leave them. */
#ifndef CFDTBD_HPP
#define CFDTBD_HPP

#include "cfdtbd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cfdtbd {

/** A call that failed: its status, and cfd_last_error() as what(). */
class error : public std::runtime_error {
public:
    /** Of a call that failed. */
    error(cfd_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    /** What became of the call. */
    cfd_status status() const noexcept { return status_; }

private:
    cfd_status status_;
};

/** Throws unless the status is CFD_OK. For calls of C beside this header, too. */
inline void check(cfd_status status)
{
    if (status != CFD_OK) {
        throw error(status, cfd_last_error());
    }
}

/** Numbers in the caller's memory: a pointer and how many, or a vector. */
template <typename T> class view {
public:
    /** Of size numbers; they outlive the view. */
    view(const T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    /** Of all of a vector's; it outlives the view. */
    view(const std::vector<T> &all) noexcept : data_(all.data()), size_(all.size()) {}
    /** Never NULL, which means something else than an empty list to some functions. */
    const T *data() const noexcept { return data_ != nullptr ? data_ : &none; }
    /** How many. */
    std::size_t size() const noexcept { return size_; }

private:
    static constexpr T none = T();
    const T *data_;
    std::size_t size_;
};

using ids = view<int32_t>;   /**< Of users or items. */
using numbers = view<float>; /**< Rows or features. */

/** Lists of k items each, one after the other, as cfd_recommend fills them: counts has how many of them there are. */
struct lists {
    std::vector<int32_t> items;  /**< Ids; -1 where a list is shorter. */
    std::vector<float> scores;   /**< Of each; -infinity where a list is shorter. */
    std::vector<int32_t> counts; /**< How many items each list has. */
};

namespace detail {

template <typename T, void (*destroy)(T *)> class handle {
public:
    T *get() const noexcept { return owned_.get(); }

protected:
    handle() noexcept = default;
    explicit handle(T *owned) noexcept : owned_(owned) {}
    void own(T *owned) noexcept { owned_.reset(owned); }

private:
    struct deleter {
        void operator()(T *owned) const noexcept { destroy(owned); }
    };
    std::unique_ptr<T, deleter> owned_;
};

/** What C cannot see: the sizes of two arrays that it takes as one. */
inline void same_size(std::size_t a, std::size_t b)
{
    if (a != b) {
        throw error(CFD_ERROR_ARGUMENT, "sizes differ: " + std::to_string(a) + " and " + std::to_string(b));
    }
}

inline std::size_t product(std::size_t a, std::size_t b)
{
    if (b != 0 && a > SIZE_MAX / b) {
        throw error(CFD_ERROR_MEMORY, "too many numbers: " + std::to_string(a) + " x " + std::to_string(b));
    }
    return a * b;
}

inline lists make_lists(std::size_t n, std::size_t k)
{
    return lists{std::vector<int32_t>(product(n, k)), std::vector<float>(product(n, k)), std::vector<int32_t>(n)};
}

inline std::vector<const char *> pointers(const std::vector<std::string> &names)
{
    std::vector<const char *> all;
    for (const std::string &name : names) {
        all.push_back(name.c_str());
    }
    return all;
}

} // namespace detail

/* ---- context and config ---- */

/** A device, its threads, memory and seed. */
class context : public detail::handle<cfd_context, cfd_context_destroy> {
public:
    explicit context(const cfd_context_options *options = nullptr)
    {
        cfd_context *made = nullptr;
        check(cfd_context_create(options, &made));
        own(made);
    }
    cfd_context_info info() const
    {
        cfd_context_info filled = CFD_CONTEXT_INFO_INIT;
        check(cfd_context_get_info(get(), &filled));
        return filled;
    }
};

/** Every setting of model, training and evaluation, by key. */
class config : public detail::handle<cfd_config, cfd_config_destroy> {
public:
    config()
    {
        cfd_config *made = nullptr;
        check(cfd_config_create(&made));
        own(made);
    }
    /** Takes over a handle of C. */
    explicit config(cfd_config *owned) noexcept : handle(owned) {}
    config copy() const
    {
        cfd_config *made = nullptr;
        check(cfd_config_copy(get(), &made));
        return config(made);
    }
    config &load_preset(const std::string &name)
    {
        check(cfd_config_load_preset(get(), name.c_str()));
        return *this;
    }
    config &load_ablation(const std::string &name)
    {
        check(cfd_config_load_ablation(get(), name.c_str()));
        return *this;
    }
    config &set(const std::string &key, const std::string &value)
    {
        check(cfd_config_set(get(), key.c_str(), value.c_str()));
        return *this;
    }
    std::string get_value(const std::string &key) const
    {
        std::size_t length = 0;
        check(cfd_config_get(get(), key.c_str(), nullptr, 0, &length));
        std::string value(length + 1, '\0');
        check(cfd_config_get(get(), key.c_str(), &value[0], value.size(), nullptr));
        value.resize(length);
        return value;
    }
};

/* ---- data set ---- */

/** Users, items, interactions, modalities, names. */
class dataset : public detail::handle<cfd_dataset, cfd_dataset_destroy> {
public:
    dataset(const context &in, int32_t n_users, int32_t n_items)
    {
        cfd_dataset *made = nullptr;
        check(cfd_dataset_create(in.get(), n_users, n_items, &made));
        own(made);
    }
    /** Takes over a handle of C. */
    explicit dataset(cfd_dataset *owned) noexcept : handle(owned) {}
    static dataset open(const context &in, const std::string &directory)
    {
        cfd_dataset *made = nullptr;
        check(cfd_dataset_open(in.get(), directory.c_str(), &made));
        return dataset(made);
    }
    void add_interactions(cfd_split split, ids users, ids items)
    {
        detail::same_size(users.size(), items.size());
        check(cfd_dataset_add_interactions(get(), split, users.data(), items.data(), users.size()));
    }
    /** One row per item, stride elements apart. */
    void add_dense_modality(const std::string &name, const void *features, cfd_element element, int32_t columns,
                            std::size_t stride)
    {
        check(cfd_dataset_add_dense_modality(get(), name.c_str(), features, element, columns, stride));
    }
    /** One row of `columns` numbers per item, without gaps. */
    void add_dense_modality(const std::string &name, numbers features, int32_t columns)
    {
        detail::same_size(features.size(), static_cast<std::size_t>(info().n_items) * static_cast<std::size_t>(columns));
        add_dense_modality(name, features.data(), CFD_FLOAT32, columns, static_cast<std::size_t>(columns));
    }
    /** CSR, as in C: values of NULL are tags. */
    void add_sparse_modality(const std::string &name, int32_t columns, const int64_t *row_offsets, const int32_t *column_ids,
                             const float *values = nullptr)
    {
        check(cfd_dataset_add_sparse_modality(get(), name.c_str(), columns, row_offsets, column_ids, values));
    }
    void set_user_names(const std::vector<std::string> &names)
    {
        detail::same_size(names.size(), static_cast<std::size_t>(info().n_users));
        check(cfd_dataset_set_user_names(get(), detail::pointers(names).data()));
    }
    void set_item_names(const std::vector<std::string> &names)
    {
        detail::same_size(names.size(), static_cast<std::size_t>(info().n_items));
        check(cfd_dataset_set_item_names(get(), detail::pointers(names).data()));
    }
    cfd_dataset_info info() const
    {
        cfd_dataset_info filled = CFD_DATASET_INFO_INIT;
        check(cfd_dataset_get_info(get(), &filled));
        return filled;
    }
    cfd_modality_info modality(std::size_t index) const
    {
        cfd_modality_info filled = CFD_MODALITY_INFO_INIT;
        check(cfd_dataset_get_modality(get(), index, &filled));
        return filled;
    }
    std::vector<int32_t> user_items(cfd_split split, int32_t user) const
    {
        const int32_t *items = nullptr;
        std::size_t n = 0;
        check(cfd_dataset_user_items(get(), split, user, &items, &n));
        return std::vector<int32_t>(items, items + n);
    }
    /** NULL where there is none. */
    const char *user_name(int32_t user) const noexcept { return cfd_dataset_user_name(get(), user); }
    const char *item_name(int32_t item) const noexcept { return cfd_dataset_item_name(get(), item); }
    /** -1 where there is none. */
    int32_t find_user(const std::string &name) const noexcept { return cfd_dataset_find_user(get(), name.c_str()); }
    int32_t find_item(const std::string &name) const noexcept { return cfd_dataset_find_item(get(), name.c_str()); }
};

/* ---- model ---- */

/** Parameters, optimizer state and graph: what is trained. */
class model : public detail::handle<cfd_model, cfd_model_destroy> {
public:
    model(const context &in, const config &settings, const dataset &data)
    {
        cfd_model *made = nullptr;
        check(cfd_model_create(in.get(), settings.get(), data.get(), &made));
        own(made);
    }
    cfd_train_summary train(const cfd_train_options *options = nullptr)
    {
        cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
        check(cfd_train(get(), options, &summary));
        return summary;
    }
    cfd_losses train_step(const cfd_batch *batch = nullptr)
    {
        cfd_losses losses = CFD_LOSSES_INIT;
        check(cfd_train_step(get(), batch, &losses));
        return losses;
    }
    void save(const std::string &path) { check(cfd_model_save(get(), path.c_str())); }
    cfd_model_info info() const
    {
        cfd_model_info filled = CFD_MODEL_INFO_INIT;
        check(cfd_model_get_info(get(), &filled));
        return filled;
    }
    /** NULL beyond the last. */
    const char *role(std::size_t index) const noexcept { return cfd_model_role(get(), index); }
    cfd_tensor_info tensor(std::size_t index) const
    {
        cfd_tensor_info filled = CFD_TENSOR_INFO_INIT;
        check(cfd_model_get_tensor_info(get(), index, &filled));
        return filled;
    }
    void get_parameter(const std::string &name, float *values, std::size_t n) const
    {
        check(cfd_model_get_parameter(get(), name.c_str(), values, n));
    }
    void set_parameter(const std::string &name, numbers values)
    {
        check(cfd_model_set_parameter(get(), name.c_str(), values.data(), values.size()));
    }
};

/* ---- scorer ---- */

/** An immutable snapshot that serves any number of threads. */
class scorer : public detail::handle<cfd_scorer, cfd_scorer_release> {
public:
    explicit scorer(model &from)
    {
        cfd_scorer *made = nullptr;
        check(cfd_scorer_create(from.get(), &made));
        own(made);
    }
    scorer(const context &in, model &from)
    {
        cfd_scorer *made = nullptr;
        check(cfd_scorer_create_in(in.get(), from.get(), &made));
        own(made);
    }
    /** Takes over a hold of C. */
    explicit scorer(cfd_scorer *owned) noexcept : handle(owned) {}
    static scorer load(const context &in, const std::string &path)
    {
        cfd_scorer *made = nullptr;
        check(cfd_scorer_load(in.get(), path.c_str(), &made));
        return scorer(made);
    }
    static scorer popularity(const context &in, const dataset &data, bool with_validation = false)
    {
        cfd_scorer *made = nullptr;
        check(cfd_scorer_create_popularity(in.get(), data.get(), with_validation, &made));
        return scorer(made);
    }
    scorer(const scorer &other) noexcept : handle(cfd_scorer_retain(other.get())) {}
    /** Takes over the other's hold. */
    scorer(scorer &&other) noexcept = default;
    /** Another hold in place of this one. */
    scorer &operator=(scorer other) noexcept
    {
        std::swap(static_cast<handle &>(*this), static_cast<handle &>(other));
        return *this;
    }

    cfd_scorer_info info() const
    {
        cfd_scorer_info filled = CFD_SCORER_INFO_INIT;
        check(cfd_scorer_get_info(get(), &filled));
        return filled;
    }
    /** NULL beyond the last. */
    const char *role(std::size_t index) const noexcept { return cfd_scorer_role(get(), index); }
    config settings() const
    {
        cfd_config *made = nullptr;
        check(cfd_scorer_get_config(get(), &made));
        return config(made);
    }

    /** users x items. */
    std::vector<float> score_users(ids users, ids items) const
    {
        std::vector<float> scores(detail::product(users.size(), items.size()));
        check(cfd_score_users(get(), users.data(), users.size(), items.data(), items.size(), scores.data()));
        return scores;
    }
    /** users x all items. */
    std::vector<float> score_users(ids users) const
    {
        std::vector<float> scores(detail::product(users.size(), static_cast<std::size_t>(info().n_items)));
        check(cfd_score_users(get(), users.data(), users.size(), nullptr, 0, scores.data()));
        return scores;
    }
    std::vector<float> score_pairs(ids users, ids items) const
    {
        detail::same_size(users.size(), items.size());
        std::vector<float> scores(users.size());
        check(cfd_score_pairs(get(), users.data(), items.data(), users.size(), scores.data()));
        return scores;
    }
    lists recommend(ids users, std::size_t k, const cfd_filter *filter = nullptr) const
    {
        lists made = detail::make_lists(users.size(), k);
        check(cfd_recommend(get(), users.data(), users.size(), k, filter, made.items.data(), made.scores.data(),
                            made.counts.data()));
        return made;
    }

    /** The query row of a user who was not there in training. */
    std::vector<float> fold_in_user(ids items) const
    {
        std::vector<float> query(static_cast<std::size_t>(info().width));
        check(cfd_fold_in_user(get(), items.data(), items.size(), query.data()));
        return query;
    }
    /** One query row or several, one after the other. */
    lists recommend_queries(numbers queries, std::size_t k, const cfd_filter *filter = nullptr) const
    {
        std::size_t n = rows_of(queries);
        lists made = detail::make_lists(n, k);
        check(cfd_recommend_queries(get(), queries.data(), n, k, filter, made.items.data(), made.scores.data(),
                                    made.counts.data()));
        return made;
    }
    std::vector<float> score_queries(numbers queries, ids items) const
    {
        std::size_t n = rows_of(queries);
        std::vector<float> scores(detail::product(n, items.size()));
        check(cfd_score_queries(get(), queries.data(), n, items.data(), items.size(), scores.data()));
        return scores;
    }
    /** A scorer that has new items after its own. */
    scorer fold_in_items(const cfd_new_items &items) const
    {
        cfd_scorer *made = nullptr;
        check(cfd_fold_in_items(get(), &items, nullptr, &made));
        return scorer(made);
    }

    /** role: NULL for those of all modalities. */
    lists similar_items(ids items, cfd_part part, const char *role, std::size_t k, const cfd_filter *filter = nullptr) const
    {
        lists made = detail::make_lists(items.size(), k);
        check(cfd_similar_items(get(), items.data(), items.size(), part, role, k, filter, made.items.data(),
                                made.scores.data(), made.counts.data()));
        return made;
    }
    /** n rows of features in one role, compared with the items in another. */
    lists search_items(const cfd_item_features &features, std::size_t n, const std::string &other_role, std::size_t k,
                       const cfd_filter *filter = nullptr) const
    {
        lists made = detail::make_lists(n, k);
        check(cfd_search_items(get(), &features, n, other_role.c_str(), k, filter, made.items.data(), made.scores.data(),
                               made.counts.data()));
        return made;
    }
    cfd_explanation explain(int32_t user, int32_t item) const
    {
        cfd_explanation explanation = CFD_EXPLANATION_INIT;
        check(cfd_explain(get(), user, item, &explanation, nullptr, 0, 0, nullptr, nullptr));
        return explanation;
    }
    /** The k of the user's items that contribute most, as one list: scores are contributions, counts is left empty. */
    lists contributions(int32_t user, int32_t item, ids history, std::size_t k) const
    {
        return contributions(user, item, history.data(), history.size(), k);
    }
    /** With the history that the scorer keeps. */
    lists contributions(int32_t user, int32_t item, std::size_t k) const { return contributions(user, item, nullptr, 0, k); }

private:
    lists contributions(int32_t user, int32_t item, const int32_t *history, std::size_t n, std::size_t k) const
    {
        lists made = detail::make_lists(1, k);
        made.counts.clear();
        check(cfd_explain(get(), user, item, nullptr, history, n, k, made.items.data(), made.scores.data()));
        return made;
    }
    std::size_t rows_of(numbers queries) const
    {
        std::size_t width = static_cast<std::size_t>(info().width), n = queries.size() / width;
        detail::same_size(queries.size(), n * width);
        return n;
    }
};

/* ---- evaluation ---- */

/** One for each cut-off of the options: 5, 10 and 20 by default. */
inline std::vector<cfd_metrics> evaluate(const scorer &ranks, const dataset &data,
                                         const cfd_evaluate_options *options = nullptr)
{
    std::vector<cfd_metrics> metrics(options != nullptr && options->ks != nullptr ? options->n_ks : 3);
    check(cfd_evaluate_scorer(ranks.get(), data.get(), options, metrics.data(), nullptr));
    return metrics;
}

} // namespace cfdtbd

#endif /* CFDTBD_HPP */
