/* SPDX-License-Identifier: Apache-2.0 */
/** @file cfdtbd_serving.hpp
 * The part of cfdtbd.hpp that serves, and evaluates: cfdtbd_serving.h for C++. Include cfdtbd.hpp, which includes it. */
#ifndef CFDTBD_SERVING_HPP
#define CFDTBD_SERVING_HPP

#ifndef CFDTBD_HPP
#error "include cfdtbd.hpp"
#endif

namespace cfdtbd {
inline namespace CFDTBD_HPP_WAY {

/* ---- scorer ---- */

/** An immutable snapshot that serves any number of threads. */
class scorer : public detail::handle<cfd_scorer, cfd_scorer_release> {
public:
    /** Takes over a hold of C. */
    explicit scorer(cfd_scorer *owned) noexcept : handle(owned) {}
    static result<scorer> make(model &from) { return way::make<scorer>(cfd_scorer_create, from.get()); }
    static result<scorer> make(const context &in, model &from)
    {
        return way::make<scorer>(cfd_scorer_create_in, in.get(), from.get());
    }
#if CFDTBD_HPP_THROWS
    explicit scorer(model &from) : scorer(make(from)) {}
    scorer(const context &in, model &from) : scorer(make(in, from)) {}
#endif
    static result<scorer> load(const context &in, const std::string &path)
    {
        return way::make<scorer>(cfd_scorer_load, in.get(), path.c_str());
    }
    static result<scorer> popularity(const context &in, const dataset &data, bool with_validation = false)
    {
        return way::make<scorer>(cfd_scorer_create_popularity, in.get(), data.get(), with_validation);
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
    ~scorer() = default;

    result<cfd_scorer_info> info() const
    {
        return way::fill(cfd_scorer_info CFD_SCORER_INFO_INIT, cfd_scorer_get_info, get());
    }
    /** NULL beyond the last. */
    const char *role(std::size_t index) const noexcept
    {
        return cfd_scorer_role(get(), index);
    }
    result<config> settings() const
    {
        return way::make<config>(cfd_scorer_get_config, get());
    }
    result<void> export_rows(const std::string &path, cfd_export_format format) const
    {
        return way::done(cfd_scorer_export(get(), path.c_str(), format));
    }
    /** "query" or "key" rows where they lie, to be read only. */
    result<matrix> rows(const std::string &name) const
    {
        return way::make<matrix>(cfd_scorer_dlpack, get(), name.c_str());
    }

    /* ---- scores ---- */

    /** users x items. */
    result<void> score_users_into(ids users, ids items, numbers_out scores) const
    {
        way::steps all;
        if (all.product_is(users.size(), items.size(), scores.size())) {
            all.status(cfd_score_users(get(), users.data(), users.size(), items.data(), items.size(), scores.data()));
        }
        return all.done();
    }
    /** users x all items. */
    result<void> score_users_into(ids users, numbers_out scores) const
    {
        way::steps all;
        if (all.product_is(users.size(), n_items(all), scores.size())) {
            all.status(cfd_score_users(get(), users.data(), users.size(), nullptr, 0, scores.data()));
        }
        return all.done();
    }
    result<std::vector<float>> score_users(ids users, ids items) const
    {
        way::steps all;
        std::vector<float> scores;
        if (all.resize(scores, users.size(), items.size())) {
            all.status(cfd_score_users(get(), users.data(), users.size(), items.data(), items.size(), scores.data()));
        }
        return all.give(std::move(scores));
    }
    result<std::vector<float>> score_users(ids users) const
    {
        way::steps all;
        std::vector<float> scores;
        if (all.resize(scores, users.size(), n_items(all))) {
            all.status(cfd_score_users(get(), users.data(), users.size(), nullptr, 0, scores.data()));
        }
        return all.give(std::move(scores));
    }
    result<void> score_pairs_into(ids users, ids items, numbers_out scores) const
    {
        way::steps all;
        if (all.same_size(users.size(), items.size()) && all.same_size(users.size(), scores.size())) {
            all.status(cfd_score_pairs(get(), users.data(), items.data(), users.size(), scores.data()));
        }
        return all.done();
    }
    result<std::vector<float>> score_pairs(ids users, ids items) const
    {
        way::steps all;
        std::vector<float> scores;
        if (all.same_size(users.size(), items.size()) && all.resize(scores, users.size(), 1)) {
            all.status(cfd_score_pairs(get(), users.data(), items.data(), users.size(), scores.data()));
        }
        return all.give(std::move(scores));
    }

    /* ---- lists ---- */

    /** users x k items; so many scores, and a count for each user, or neither. */
    result<void> recommend_into(ids users, std::size_t k, ids_out items, numbers_out scores = {}, ids_out counts = {},
                                const cfd_filter *filter = nullptr) const
    {
        way::steps all;
        if (fit(all, users.size(), k, items, scores, counts)) {
            all.status(
                cfd_recommend(get(), users.data(), users.size(), k, filter, items.data(), scores.data(), counts.data()));
        }
        return all.done();
    }
    result<lists> recommend(ids users, std::size_t k, const cfd_filter *filter = nullptr) const
    {
        way::steps all;
        lists made;
        if (all.make_lists(made, users.size(), k)) {
            all.status(cfd_recommend(get(), users.data(), users.size(), k, filter, made.items.data(), made.scores.data(),
                                     made.counts.data()));
        }
        return all.give(std::move(made));
    }
    /** role: NULL for those of all modalities. */
    result<lists> similar_items(ids items, cfd_part part, const char *role, std::size_t k,
                                const cfd_filter *filter = nullptr) const
    {
        way::steps all;
        lists made;
        if (all.make_lists(made, items.size(), k)) {
            all.status(cfd_similar_items(get(), items.data(), items.size(), part, role, k, filter, made.items.data(),
                                         made.scores.data(), made.counts.data()));
        }
        return all.give(std::move(made));
    }
    /** n rows of features in one role, compared with the items in another. */
    result<lists> search_items(const cfd_item_features &features, std::size_t n, const std::string &other_role,
                               std::size_t k, const cfd_filter *filter = nullptr) const
    {
        way::steps all;
        lists made;
        if (all.make_lists(made, n, k)) {
            all.status(cfd_search_items(get(), &features, n, other_role.c_str(), k, filter, made.items.data(),
                                        made.scores.data(), made.counts.data()));
        }
        return all.give(std::move(made));
    }

    /* ---- users and items who were not there in training ---- */

    /** A user's query row, of info().width numbers. */
    result<void> fold_in_user_into(ids items, numbers_out query) const
    {
        way::steps all;
        if (all.same_size(query.size(), width(all))) {
            all.status(cfd_fold_in_user(get(), items.data(), items.size(), query.data()));
        }
        return all.done();
    }
    result<std::vector<float>> fold_in_user(ids items) const
    {
        way::steps all;
        std::vector<float> query;
        if (all.resize(query, width(all), 1)) {
            all.status(cfd_fold_in_user(get(), items.data(), items.size(), query.data()));
        }
        return all.give(std::move(query));
    }
    /** One query row or several, one after the other, x items. */
    result<void> score_queries_into(numbers queries, ids items, numbers_out scores) const
    {
        way::steps all;
        std::size_t n = 0;
        if (rows_of(all, queries, n) && all.product_is(n, items.size(), scores.size())) {
            all.status(cfd_score_queries(get(), queries.data(), n, items.data(), items.size(), scores.data()));
        }
        return all.done();
    }
    result<std::vector<float>> score_queries(numbers queries, ids items) const
    {
        way::steps all;
        std::vector<float> scores;
        std::size_t n = 0;
        if (rows_of(all, queries, n) && all.resize(scores, n, items.size())) {
            all.status(cfd_score_queries(get(), queries.data(), n, items.data(), items.size(), scores.data()));
        }
        return all.give(std::move(scores));
    }
    result<void> recommend_queries_into(numbers queries, std::size_t k, ids_out items, numbers_out scores = {},
                                        ids_out counts = {}, const cfd_filter *filter = nullptr) const
    {
        way::steps all;
        std::size_t n = 0;
        if (rows_of(all, queries, n) && fit(all, n, k, items, scores, counts)) {
            all.status(
                cfd_recommend_queries(get(), queries.data(), n, k, filter, items.data(), scores.data(), counts.data()));
        }
        return all.done();
    }
    result<lists> recommend_queries(numbers queries, std::size_t k, const cfd_filter *filter = nullptr) const
    {
        way::steps all;
        lists made;
        std::size_t n = 0;
        if (rows_of(all, queries, n) && all.make_lists(made, n, k)) {
            all.status(cfd_recommend_queries(get(), queries.data(), n, k, filter, made.items.data(), made.scores.data(),
                                             made.counts.data()));
        }
        return all.give(std::move(made));
    }
    /** A scorer that has new items after its own. */
    result<scorer> fold_in_items(const cfd_new_items &items) const
    {
        return way::make<scorer>(cfd_fold_in_items, get(), &items, nullptr);
    }
    /** Only their key rows, one after the other. */
    result<std::vector<float>> fold_in_keys(const cfd_new_items &items) const
    {
        way::steps all;
        std::vector<float> keys;
        if (all.resize(keys, items.n_items, width(all))) {
            all.status(cfd_fold_in_items(get(), &items, keys.data(), nullptr));
        }
        return all.give(std::move(keys));
    }

    /* ---- reasons ---- */

    result<cfd_explanation> explain(int32_t user, int32_t item) const
    {
        way::steps all;
        cfd_explanation explanation = CFD_EXPLANATION_INIT;
        all.status(cfd_explain(get(), user, item, &explanation, nullptr, 0, 0, nullptr, nullptr));
        return all.give(std::move(explanation));
    }
    /** The k of the user's items that contribute most, as one list: scores are contributions, counts is left empty. */
    result<lists> contributions(int32_t user, int32_t item, ids history, std::size_t k) const
    {
        return contributions(user, item, history.data(), history.size(), k);
    }
    /** With the history that the scorer keeps. */
    result<lists> contributions(int32_t user, int32_t item, std::size_t k) const
    {
        return contributions(user, item, nullptr, 0, k);
    }

private:
    result<lists> contributions(int32_t user, int32_t item, const int32_t *history, std::size_t n, std::size_t k) const
    {
        way::steps all;
        lists made;
        if (all.make_lists(made, 1, k)) {
            made.counts.clear();
            all.status(cfd_explain(get(), user, item, nullptr, history, n, k, made.items.data(), made.scores.data()));
        }
        return all.give(std::move(made));
    }
    std::size_t number(way::steps &all, int32_t cfd_scorer_info::*which) const
    {
        cfd_scorer_info filled = CFD_SCORER_INFO_INIT;
        all.status(cfd_scorer_get_info(get(), &filled));
        return static_cast<std::size_t>(filled.*which);
    }
    std::size_t n_items(way::steps &all) const
    {
        return number(all, &cfd_scorer_info::n_items);
    }
    std::size_t width(way::steps &all) const
    {
        return number(all, &cfd_scorer_info::width);
    }
    bool rows_of(way::steps &all, numbers queries, std::size_t &n) const
    {
        const std::size_t columns = width(all);
        n = columns > 0 ? queries.size() / columns : 0;
        return all.same_size(queries.size(), n * columns);
    }
    static bool fit(way::steps &all, std::size_t n, std::size_t k, ids_out items, numbers_out scores, ids_out counts)
    {
        return all.product_is(n, k, items.size()) &&
               (scores.data() == nullptr || all.same_size(scores.size(), items.size())) &&
               (counts.data() == nullptr || all.same_size(counts.size(), n));
    }
};

/* ---- evaluation ---- */

namespace way {

template <typename F, typename T>
result<std::vector<cfd_metrics>> evaluate(F function, T *ranks, const dataset &data, const cfd_evaluate_options *options,
                                          std::size_t *n_users)
{
    steps all;
    std::vector<cfd_metrics> metrics(options != nullptr && options->ks != nullptr ? options->n_ks : 3);
    all.status(function(ranks, data.get(), options, metrics.data(), n_users));
    return all.give(std::move(metrics));
}

} // namespace way

/** One for each cut-off of the options, 5, 10 and 20 by default; n_users: over how many users they are means, or NULL. */
inline result<std::vector<cfd_metrics>> evaluate(const scorer &ranks, const dataset &data,
                                                 const cfd_evaluate_options *options = nullptr,
                                                 std::size_t *n_users = nullptr)
{
    return way::evaluate(cfd_evaluate_scorer, ranks.get(), data, options, n_users);
}
/** As a scorer's, at the model's present parameters. */
inline result<std::vector<cfd_metrics>>
evaluate(model &ranks, const dataset &data, const cfd_evaluate_options *options = nullptr, std::size_t *n_users = nullptr)
{
    return way::evaluate(cfd_evaluate, ranks.get(), data, options, n_users);
}

} // namespace CFDTBD_HPP_WAY
} // namespace cfdtbd

#endif /* CFDTBD_SERVING_HPP */
