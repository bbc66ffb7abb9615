/* SPDX-License-Identifier: Apache-2.0 */
/** @file cfdtbd.hpp
 * cfdtbd.h for C++17 and later: handles that destroy themselves, views for arrays, failures as exceptions or as values.
 * Header-only, without state of its own. What each function does, and which threads may call it, stands in cfdtbd.h;
 * structs of options are those of C. Scorers are in cfdtbd_serving.hpp, which this header includes.
 *
 *     cfdtbd::context context;
 *     cfdtbd::dataset data = cfdtbd::dataset::open(context, "DATA");
 *     cfdtbd::model model(context, cfdtbd::config(), data);
 *     model.train();
 *     cfdtbd::lists best = cfdtbd::scorer(model).recommend({7}, 10);
 *
 * Handles are moved, not copied; a scorer is copied, too, as another hold on the same one. What was moved from holds
 * nothing: the library refuses it with CFD_ERROR_ARGUMENT. handle.get() is the handle of C, for what has no method here; a
 * constructor takes over a handle that was made in C.
 *
 * Failures: a result<T> is a T, and what fails throws cfdtbd::error. Where exceptions are off, or CFDTBD_EXPECTED is
 * defined before this header is included, a result<T> is an expected<T> (std::expected where there is one), and static
 * functions make(...) stand in for constructors, which cannot return one:
 *
 *     auto context = cfdtbd::context::make();
 *     if (!context) { std::puts(context.error().what()); return 1; }
 *
 * It is a choice for a source file, not for a call, so that each operation has one name and is written once. The ways lie in
 * inline namespaces of different names: files of one program may choose differently.
 *
 * Operations that end in _into write into the caller's memory and allocate nothing here. Others return vectors, whose memory
 * is the standard library's affair: std::bad_alloc, or the end of a program without exceptions. */
#ifndef CFDTBD_HPP
#define CFDTBD_HPP

#include "cfdtbd.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
#if defined(__has_include) && __cplusplus > 202002L
#if __has_include(<expected>)
#include <expected>
#endif
#endif

#if defined(__cpp_exceptions)
#include <exception>
#define CFDTBD_HPP_CATCHES 1
#else
#define CFDTBD_HPP_CATCHES 0
#endif
#if CFDTBD_HPP_CATCHES && !defined(CFDTBD_EXPECTED)
#define CFDTBD_HPP_THROWS 1
#define CFDTBD_HPP_WAY throwing
#else
#define CFDTBD_HPP_THROWS 0
#if CFDTBD_HPP_CATCHES && defined(__cpp_lib_expected)
#define CFDTBD_HPP_WAY expecting_std
#elif CFDTBD_HPP_CATCHES
#define CFDTBD_HPP_WAY expecting
#elif defined(__cpp_lib_expected)
#define CFDTBD_HPP_WAY no_exceptions_std
#else
#define CFDTBD_HPP_WAY no_exceptions
#endif
#endif

namespace cfdtbd {

/** A call that failed: its status, and cfd_last_error() as what(). */
class error : public std::runtime_error {
public:
    /** Of a call that failed. */
    error(cfd_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    /** What became of the call. */
    cfd_status status() const noexcept { return status_; }
    /** "CFD_ERROR_FILE" for instance. */
    const char *name() const noexcept { return cfd_status_name(status_); }

private:
    cfd_status status_;
};

/** Numbers in somebody else's memory, to be read (T is const) or written: of a pointer and how many; of an array, or of what
 * has data() and size(), as std::vector, std::array, std::span; to be read, also of a list in braces, during a call. */
template <typename T> class view {
public:
    /** Of nothing. */
    view() noexcept = default;
    /** Of size numbers, which outlive the view. */
    view(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    /** Of all of a container's, which outlives the view. */
    template <typename C, typename Data = decltype(std::data(std::declval<C>())),
              typename = std::enable_if_t<std::is_same_v<std::remove_const_t<std::remove_pointer_t<Data>>,
                                                         std::remove_const_t<T>> &&
                                          std::is_convertible_v<Data, T *> && !std::is_same_v<std::decay_t<C>, view>>>
    view(C &&all) noexcept : data_(std::data(all)), size_(std::size(all))
    {
    }
    /** Of a list in braces, during a call. */
    template <typename U = T, typename = std::enable_if_t<std::is_const_v<U>>>
    view(std::initializer_list<std::remove_const_t<U>> all) noexcept : data_(std::data(all)), size_(all.size())
    {
    }
    /** Never NULL where they are to be read: that means something else than an empty list to some functions. */
    T *data() const noexcept
    {
        if constexpr (std::is_const_v<T>) {
            return data_ != nullptr ? data_ : &none;
        } else {
            return data_;
        }
    }
    /** How many. */
    std::size_t size() const noexcept { return size_; }

private:
    static constexpr std::remove_const_t<T> none{};
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

using ids = view<const int32_t>;     /**< Of users, items or columns. */
using offsets = view<const int64_t>; /**< Of rows in CSR form. */
using numbers = view<const float>;   /**< Rows or features. */
using ids_out = view<int32_t>;       /**< To be written. */
using numbers_out = view<float>;     /**< To be written. */

/** Lists of k items each, one after the other, as cfd_recommend fills them: counts has how many of them there are. */
struct lists {
    std::vector<int32_t> items;  /**< Ids; -1 where a list is shorter. */
    std::vector<float> scores;   /**< Of each; -infinity where a list is shorter. */
    std::vector<int32_t> counts; /**< How many items each list has. */
};

namespace detail {

template <typename T, void (*destroy)(T *)> class handle {
public:
    /** NULL if it was moved from. */
    T *get() const noexcept { return owned_.get(); }
    /** To whoever destroys it. */
    T *release() noexcept { return owned_.release(); }

protected:
    explicit handle(T *owned) noexcept : owned_(owned) {}

private:
    struct deleter {
        void operator()(T *owned) const noexcept { destroy(owned); }
    };
    std::unique_ptr<T, deleter> owned_;
};

inline std::vector<const char *> pointers(const std::vector<std::string> &names)
{
    std::vector<const char *> all;
    all.reserve(names.size());
    for (const std::string &name : names) {
        all.push_back(name.c_str());
    }
    return all;
}

/** DLPack's DLManagedTensor by its layout: copied out, for the type itself is in a header that the caller may not have. */
struct tensor_layout {
    void *data;
    int32_t device_type, device_id, ndim;
    uint8_t code, bits;
    uint16_t lanes;
    int64_t *shape, *strides;
    uint64_t byte_offset;
    void *manager;
    void (*deleter)(DLManagedTensor *);
};

inline tensor_layout layout_of(const DLManagedTensor *tensor) noexcept
{
    tensor_layout layout;
    std::memcpy(&layout, static_cast<const void *>(tensor), sizeof layout);
    return layout;
}

inline void end_tensor(DLManagedTensor *tensor) noexcept
{
    layout_of(tensor).deleter(tensor);
}

} // namespace detail

/** A matrix of the library where it lies, which is kept alive (cfd_model_dlpack, cfd_scorer_dlpack). release() hands it to
 * whoever takes over DLPack's tensors. The data are in host memory where device() is 1, DLPack's number for that. */
class matrix : public detail::handle<DLManagedTensor, detail::end_tensor> {
public:
    /** Takes over a view that was made in C. */
    explicit matrix(DLManagedTensor *owned) noexcept : handle(owned) {}
    /** The first number of the first row. */
    float *data() const noexcept { return static_cast<float *>(layout().data); }
    /** How many. */
    std::size_t rows() const noexcept { return static_cast<std::size_t>(layout().shape[0]); }
    /** Numbers of a row, side by side. */
    std::size_t columns() const noexcept { return static_cast<std::size_t>(layout().shape[1]); }
    /** Numbers from one row to the next. */
    std::size_t stride() const noexcept { return static_cast<std::size_t>(layout().strides[0]); }
    /** DLPack's number of the kind of device. */
    int32_t device() const noexcept { return layout().device_type; }

private:
    detail::tensor_layout layout() const noexcept { return detail::layout_of(get()); }
};

inline namespace CFDTBD_HPP_WAY {

/* ---- results ---- */

#if CFDTBD_HPP_THROWS
/** What an operation gives: see above. */
template <typename T> using result = T;
/** What an operation gives that is one of several in a row on one handle: the handle, or an expected<void>. */
template <typename T> using chain = T &;
#elif defined(__cpp_lib_expected)
template <typename T> using expected = std::expected<T, error>;
template <typename T> using result = expected<T>;
template <typename T> using chain = expected<void>;
#else
/** A value or an error, as far as it is needed of std::expected. *, -> and error() may be asked for what is there only. */
template <typename T> class [[nodiscard]] expected {
public:
    expected(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    expected(cfdtbd::error problem) : held_(std::in_place_index<1>, std::move(problem)) {}
    bool has_value() const noexcept { return held_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    T &operator*() & noexcept { return *std::get_if<0>(&held_); }
    const T &operator*() const & noexcept { return *std::get_if<0>(&held_); }
    T &&operator*() && noexcept { return std::move(*std::get_if<0>(&held_)); }
    T *operator->() noexcept { return std::get_if<0>(&held_); }
    const T *operator->() const noexcept { return std::get_if<0>(&held_); }
    const cfdtbd::error &error() const noexcept { return *std::get_if<1>(&held_); }

private:
    std::variant<T, cfdtbd::error> held_;
};
template <> class [[nodiscard]] expected<void> {
public:
    expected() noexcept = default;
    expected(cfdtbd::error problem) : problem_(std::move(problem)) {}
    bool has_value() const noexcept { return !problem_; }
    explicit operator bool() const noexcept { return has_value(); }
    const cfdtbd::error &error() const noexcept { return *problem_; }

private:
    std::optional<cfdtbd::error> problem_;
};
template <typename T> using result = expected<T>;
template <typename T> using chain = expected<void>;
#endif

namespace way {

/** The steps of one operation, each of which says whether to go on. It ends with the first that failed. */
class steps {
public:
    bool status(cfd_status status) { return status == CFD_OK ? !problem_ : fail(status, cfd_last_error()); }
    /** What C cannot see: the sizes of two arrays that it takes as one. */
    bool same_size(std::size_t a, std::size_t b)
    {
        if (a != b) {
            return fail(CFD_ERROR_ARGUMENT, "sizes differ: " + std::to_string(a) + " and " + std::to_string(b));
        }
        return !problem_;
    }
    /** n = a x b numbers of at most the size of a double. */
    bool product(std::size_t a, std::size_t b, std::size_t &n)
    {
        if (b != 0 && a > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(double) / b) {
            return fail(CFD_ERROR_MEMORY, "too many numbers: " + std::to_string(a) + " x " + std::to_string(b));
        }
        n = a * b;
        return !problem_;
    }
    template <typename T> bool resize(std::vector<T> &all, std::size_t a, std::size_t b)
    {
        std::size_t n = 0;
        if (!product(a, b, n)) {
            return false;
        }
        all.resize(n);
        return true;
    }
    bool product_is(std::size_t a, std::size_t b, std::size_t n)
    {
        std::size_t wanted = 0;
        return product(a, b, wanted) && same_size(n, wanted);
    }
    bool make_lists(lists &made, std::size_t n, std::size_t k)
    {
        return resize(made.items, n, k) && resize(made.scores, n, k) && resize(made.counts, n, 1);
    }

#if CFDTBD_HPP_THROWS
    void done()
    {
        if (problem_) {
            throw std::move(*problem_);
        }
    }
    template <typename T> T give(T &&value)
    {
        done();
        return std::forward<T>(value);
    }
    template <typename T> T &go_on(T &self)
    {
        done();
        return self;
    }
#else
    expected<void> done() { return problem_ ? refused<void>() : expected<void>(); }
    template <typename T> expected<T> give(T &&value)
    {
        static_assert(!std::is_reference_v<T>);
        return problem_ ? refused<T>() : expected<T>(std::forward<T>(value));
    }
    template <typename T> expected<void> go_on(T &) { return done(); }
#endif

private:
    bool fail(cfd_status status, const std::string &message)
    {
        if (!problem_) {
            problem_.emplace(status, message);
        }
        return false;
    }
#if !CFDTBD_HPP_THROWS && defined(__cpp_lib_expected)
    template <typename T> expected<T> refused() { return std::unexpected<error>(std::move(*problem_)); }
#elif !CFDTBD_HPP_THROWS
    template <typename T> expected<T> refused() { return std::move(*problem_); }
#endif
    std::optional<cfdtbd::error> problem_;
};

/** A caller's function, called from C, and what it threw. */
template <typename F> struct carrier {
    F &function;
#if CFDTBD_HPP_CATCHES
    std::exception_ptr thrown = nullptr;
#endif

    static int call(void *user, const cfd_progress *progress) noexcept
    {
        carrier *self = static_cast<carrier *>(user);
#if CFDTBD_HPP_CATCHES
        try {
            return self->answer(*progress);
        } catch (...) {
            self->thrown = std::current_exception();
            return 1;
        }
#else
        return self->answer(*progress);
#endif
    }
    int answer(const cfd_progress &progress)
    {
        if constexpr (std::is_void_v<decltype(function(progress))>) {
            function(progress);
            return 0;
        } else {
            return function(progress) ? 1 : 0;
        }
    }
    void rethrow()
    {
#if CFDTBD_HPP_CATCHES
        if (thrown) {
            std::rethrow_exception(thrown);
        }
#endif
    }
};

/** The handle that a function of C gives in its last argument, in a class of this header. */
template <typename H, typename F, typename... A> result<H> make(F function, A... arguments)
{
    decltype(std::declval<H &>().get()) made = nullptr;
    steps all;
    all.status(function(arguments..., &made));
    return all.give(H(made));
}

/** The struct that a function of C fills, its last argument. */
template <typename T, typename F, typename... A> result<T> fill(T blank, F function, A... arguments)
{
    steps all;
    all.status(function(arguments..., &blank));
    return all.give(std::move(blank));
}

/** A call of C that gives nothing. */
inline result<void> done(cfd_status status)
{
    steps all;
    all.status(status);
    return all.done();
}

} // namespace way

/** For calls of C beside this header: fails unless the status is CFD_OK. */
inline result<void> check(cfd_status status)
{
    return way::done(status);
}

/* ---- context and config ---- */

/** A device, its threads, memory and seed. */
class context : public detail::handle<cfd_context, cfd_context_destroy> {
public:
    /** Takes over a handle of C. */
    explicit context(cfd_context *owned) noexcept : handle(owned) {}
    static result<context> make(const cfd_context_options *options = nullptr)
    {
        return way::make<context>(cfd_context_create, options);
    }
#if CFDTBD_HPP_THROWS
    explicit context(const cfd_context_options *options = nullptr) : context(make(options)) {}
#endif
    result<cfd_context_info> info() const
    {
        return way::fill(cfd_context_info CFD_CONTEXT_INFO_INIT, cfd_context_get_info, get());
    }
    /** All kinds of operations; none where the options asked for no profile. */
    result<std::vector<cfd_profile_entry>> profile() const
    {
        way::steps all;
        std::vector<cfd_profile_entry> entries(cfd_context_profile_count(get()), cfd_profile_entry CFD_PROFILE_ENTRY_INIT);
        for (std::size_t i = 0; i < entries.size() && all.status(cfd_context_get_profile(get(), i, &entries[i])); i++) {
        }
        return all.give(std::move(entries));
    }
    void reset_profile() noexcept
    {
        cfd_context_reset_profile(get());
    }
    /** Seconds of each of n repetitions. */
    result<std::vector<double>> probe(const cfd_probe &operation, std::size_t n = 1) const
    {
        way::steps all;
        std::vector<double> seconds;
        if (all.resize(seconds, n, 1)) {
            all.status(cfd_context_probe(get(), &operation, seconds.data(), n));
        }
        return all.give(std::move(seconds));
    }
};

/** Every setting of model, training and evaluation, by key. */
class config : public detail::handle<cfd_config, cfd_config_destroy> {
public:
    /** Takes over a handle of C. */
    explicit config(cfd_config *owned) noexcept : handle(owned) {}
    static result<config> make() { return way::make<config>(cfd_config_create); }
#if CFDTBD_HPP_THROWS
    config() : config(make()) {}
#endif
    result<config> copy() const
    {
        return way::make<config>(cfd_config_copy, get());
    }
    chain<config> load_preset(const std::string &name)
    {
        return next(cfd_config_load_preset(get(), name.c_str()));
    }
    chain<config> load_ablation(const std::string &name)
    {
        return next(cfd_config_load_ablation(get(), name.c_str()));
    }
    chain<config> set(const std::string &key, const std::string &value)
    {
        return next(cfd_config_set(get(), key.c_str(), value.c_str()));
    }
    /** In this order, up to the first that fails. */
    chain<config> set(std::initializer_list<std::pair<const char *, const char *>> values)
    {
        cfd_status status = CFD_OK;
        for (const auto &[key, value] : values) {
            status = status == CFD_OK ? cfd_config_set(get(), key, value) : status;
        }
        return next(status);
    }
    result<std::string> get_value(const std::string &key) const
    {
        way::steps all;
        std::size_t length = 0;
        std::string value;
        if (all.status(cfd_config_get(get(), key.c_str(), nullptr, 0, &length))) {
            value.resize(length + 1);
            all.status(cfd_config_get(get(), key.c_str(), &value[0], value.size(), nullptr));
            value.resize(length);
        }
        return all.give(std::move(value));
    }
    /** The roles that it has values of its own for. */
    std::vector<std::string> roles() const
    {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < cfd_config_role_count(get()); i++) {
            names.emplace_back(cfd_config_role(get(), i));
        }
        return names;
    }
    /** The table of keys. */
    static result<std::vector<cfd_config_key>> keys()
    {
        way::steps all;
        std::vector<cfd_config_key> rows(cfd_config_key_count(), cfd_config_key CFD_CONFIG_KEY_INIT);
        for (std::size_t i = 0; i < rows.size() && all.status(cfd_config_get_key(i, &rows[i])); i++) {
        }
        return all.give(std::move(rows));
    }

private:
    chain<config> next(cfd_status status)
    {
        way::steps all;
        all.status(status);
        return all.go_on(*this);
    }
};

/* ---- data set ---- */

/** Users, items, interactions, modalities, names. */
class dataset : public detail::handle<cfd_dataset, cfd_dataset_destroy> {
public:
    /** Takes over a handle of C. */
    explicit dataset(cfd_dataset *owned) noexcept : handle(owned) {}
    static result<dataset> make(const context &in, int32_t n_users, int32_t n_items)
    {
        return way::make<dataset>(cfd_dataset_create, in.get(), n_users, n_items);
    }
#if CFDTBD_HPP_THROWS
    dataset(const context &in, int32_t n_users, int32_t n_items) : dataset(make(in, n_users, n_items)) {}
#endif
    static result<dataset> open(const context &in, const std::string &directory)
    {
        return way::make<dataset>(cfd_dataset_open, in.get(), directory.c_str());
    }
    result<void> add_interactions(cfd_split split, ids users, ids items)
    {
        way::steps all;
        if (all.same_size(users.size(), items.size())) {
            all.status(cfd_dataset_add_interactions(get(), split, users.data(), items.data(), users.size()));
        }
        return all.done();
    }
    /** One row per item, stride elements apart. */
    result<void> add_dense_modality(const std::string &name, const void *features, cfd_element element, int32_t columns,
                                    std::size_t stride)
    {
        return way::done(cfd_dataset_add_dense_modality(get(), name.c_str(), features, element, columns, stride));
    }
    /** One row of `columns` numbers per item, without gaps. */
    result<void> add_dense_modality(const std::string &name, numbers features, int32_t columns)
    {
        way::steps all;
        const std::size_t width = columns > 0 ? static_cast<std::size_t>(columns) : 0;
        if (all.product_is(n_items(all), width, features.size())) {
            all.status(cfd_dataset_add_dense_modality(get(), name.c_str(), features.data(), CFD_FLOAT32, columns, width));
        }
        return all.done();
    }
    /** CSR, with a value for each column id. */
    result<void> add_sparse_modality(const std::string &name, int32_t columns, offsets rows, ids column_ids, numbers values)
    {
        way::steps all;
        if (all.same_size(values.size(), column_ids.size())) {
            add_sparse(all, name, columns, rows, column_ids, values.data());
        }
        return all.done();
    }
    /** Tags, in the same form. */
    result<void> add_sparse_modality(const std::string &name, int32_t columns, offsets rows, ids column_ids)
    {
        way::steps all;
        add_sparse(all, name, columns, rows, column_ids, nullptr);
        return all.done();
    }
    result<void> set_user_names(const std::vector<std::string> &names)
    {
        return set_names(cfd_dataset_set_user_names, &cfd_dataset_info::n_users, names);
    }
    result<void> set_item_names(const std::vector<std::string> &names)
    {
        return set_names(cfd_dataset_set_item_names, &cfd_dataset_info::n_items, names);
    }
    result<cfd_dataset_info> info() const
    {
        return way::fill(cfd_dataset_info CFD_DATASET_INFO_INIT, cfd_dataset_get_info, get());
    }
    result<cfd_modality_info> modality(std::size_t index) const
    {
        return way::fill(cfd_modality_info CFD_MODALITY_INFO_INIT, cfd_dataset_get_modality, get(), index);
    }
    /** Borrowed: until the data set changes. */
    result<ids> user_items(cfd_split split, int32_t user) const
    {
        way::steps all;
        const int32_t *items = nullptr;
        std::size_t n = 0;
        all.status(cfd_dataset_user_items(get(), split, user, &items, &n));
        return all.give(ids(items, n));
    }
    /** NULL where there is none. */
    const char *user_name(int32_t user) const noexcept
    {
        return cfd_dataset_user_name(get(), user);
    }
    const char *item_name(int32_t item) const noexcept
    {
        return cfd_dataset_item_name(get(), item);
    }
    /** -1 where there is none. */
    int32_t find_user(const std::string &name) const noexcept
    {
        return cfd_dataset_find_user(get(), name.c_str());
    }
    int32_t find_item(const std::string &name) const noexcept
    {
        return cfd_dataset_find_item(get(), name.c_str());
    }

private:
    std::size_t n_items(way::steps &all) const
    {
        cfd_dataset_info filled = CFD_DATASET_INFO_INIT;
        all.status(cfd_dataset_get_info(get(), &filled));
        return static_cast<std::size_t>(filled.n_items);
    }
    void add_sparse(way::steps &all, const std::string &name, int32_t columns, offsets rows, ids column_ids,
                    const float *values)
    {
        const std::size_t n = n_items(all);
        if (all.same_size(rows.size(), n + 1) &&
            all.same_size(column_ids.size(), static_cast<std::size_t>(rows.data()[n]))) {
            all.status(
                cfd_dataset_add_sparse_modality(get(), name.c_str(), columns, rows.data(), column_ids.data(), values));
        }
    }
    result<void> set_names(cfd_status (*set)(cfd_dataset *, const char *const *), int32_t cfd_dataset_info::*count,
                           const std::vector<std::string> &names)
    {
        way::steps all;
        cfd_dataset_info filled = CFD_DATASET_INFO_INIT;
        if (all.status(cfd_dataset_get_info(get(), &filled)) &&
            all.same_size(names.size(), static_cast<std::size_t>(filled.*count))) {
            all.status(set(get(), detail::pointers(names).data()));
        }
        return all.done();
    }
};

/* ---- model ---- */

/** Parameters, optimizer state and graph: what is trained. */
class model : public detail::handle<cfd_model, cfd_model_destroy> {
public:
    /** Takes over a handle of C. */
    explicit model(cfd_model *owned) noexcept : handle(owned) {}
    static result<model> make(const context &in, const config &settings, const dataset &data)
    {
        return way::make<model>(cfd_model_create, in.get(), settings.get(), data.get());
    }
#if CFDTBD_HPP_THROWS
    model(const context &in, const config &settings, const dataset &data) : model(make(in, settings, data)) {}
#endif
    result<model> extend(const dataset &data) const
    {
        return way::make<model>(cfd_model_extend, get(), data.get());
    }

    result<cfd_train_summary> train(const cfd_train_options *options = nullptr)
    {
        return way::fill(cfd_train_summary CFD_TRAIN_SUMMARY_INIT, cfd_train, get(), options);
    }
    /** With `progress(const cfd_progress &)`, which ends training by returning true (nothing: never) or by throwing,
     * whatever the way of failing: what it throws is thrown from here, after C has returned. ks: cut-offs to report, none
     * for the default. */
    template <typename F, typename = std::enable_if_t<std::is_invocable_v<F &, const cfd_progress &>>>
    result<cfd_train_summary> train(F &&progress, ids ks = {})
    {
        way::carrier<std::remove_reference_t<F>> carried{progress};
        cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
        options.progress = carried.call;
        options.progress_user = &carried;
        options.ks = ks.size() > 0 ? ks.data() : nullptr;
        options.n_ks = ks.size();
        result<cfd_train_summary> summary = train(&options);
        carried.rethrow();
        return summary;
    }
    result<cfd_losses> train_step(const cfd_batch *batch = nullptr)
    {
        return way::fill(cfd_losses CFD_LOSSES_INIT, cfd_train_step, get(), batch);
    }
    /** Without losses, which spares a wait on a GPU: request_losses() and receive_losses() have them later. */
    result<void> step(const cfd_batch *batch = nullptr)
    {
        return way::done(cfd_train_step(get(), batch, nullptr));
    }
    result<cfd_losses> compute_gradients(const cfd_batch *batch = nullptr)
    {
        return way::fill(cfd_losses CFD_LOSSES_INIT, cfd_compute_gradients, get(), batch);
    }
    result<void> request_losses()
    {
        return way::done(cfd_model_request_losses(get()));
    }
    /** Nothing where they have not come. */
    result<std::optional<cfd_losses>> receive_losses(bool wait)
    {
        way::steps all;
        cfd_losses losses = CFD_LOSSES_INIT;
        int ready = 0;
        all.status(cfd_model_receive_losses(get(), wait, &losses, &ready));
        return all.give(ready ? std::optional<cfd_losses>(losses) : std::nullopt);
    }
    result<void> synchronise()
    {
        return way::done(cfd_model_synchronise(get()));
    }
    result<void> save(const std::string &path)
    {
        return way::done(cfd_model_save(get(), path.c_str()));
    }

    result<cfd_model_info> info() const
    {
        return way::fill(cfd_model_info CFD_MODEL_INFO_INIT, cfd_model_get_info, get());
    }
    /** NULL beyond the last. */
    const char *role(std::size_t index) const noexcept
    {
        return cfd_model_role(get(), index);
    }
    result<cfd_tensor_info> tensor(std::size_t index) const
    {
        return way::fill(cfd_tensor_info CFD_TENSOR_INFO_INIT, cfd_model_get_tensor_info, get(), index);
    }
    result<void> get_parameter(const std::string &name, numbers_out values) const
    {
        return way::done(cfd_model_get_parameter(get(), name.c_str(), values.data(), values.size()));
    }
    result<void> set_parameter(const std::string &name, numbers values)
    {
        return way::done(cfd_model_set_parameter(get(), name.c_str(), values.data(), values.size()));
    }
    result<void> get_gradient(const std::string &name, numbers_out values) const
    {
        return way::done(cfd_model_get_gradient(get(), name.c_str(), values.data(), values.size()));
    }
    result<void> get_embedding(const std::string &name, numbers_out values)
    {
        return way::done(cfd_model_get_embedding(get(), name.c_str(), values.data(), values.size()));
    }
    /** A parameter where it lies: it shows each step, and what is written through it counts. */
    result<matrix> parameter(const std::string &name)
    {
        return way::make<matrix>(cfd_model_dlpack, get(), name.c_str());
    }
};

} // namespace CFDTBD_HPP_WAY
} // namespace cfdtbd

#include "cfdtbd_serving.hpp"

#undef CFDTBD_HPP_CATCHES
#undef CFDTBD_HPP_THROWS
#undef CFDTBD_HPP_WAY

#endif /* CFDTBD_HPP */
