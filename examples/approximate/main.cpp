/* SPDX-License-Identifier: Apache-2.0 */
/* approximate: an approximate index over the keys of a trained model, and what it costs in answers and gains in time.
 *
 * An exact list takes the inner product of a user's query row with every key row. With millions of items that is too much
 * for one request, and an index that follows links between near keys (HNSW, here FAISS's) looks at a few thousand of them.
 * It finds most of the best 20, not all. How many, and how fast, this program counts, so that you can choose:
 *
 *     apt-get install libfaiss-dev                  # Debian 12; then cmake builds this program
 *     cfdtbd train DATA --out model.safetensors
 *     mkdir vectors && cfdtbd export model.safetensors vectors
 *     approximate vectors/query.npy vectors/key.npy
 *
 * It prints a line for each breadth of the search (efSearch): recall@20, the share of the exact best 20 that were found, and
 * the time of a query, one after the other on one thread as a service would ask them. A service builds the index once, keeps
 * it in a file (faiss::write_index), asks for more than it shows, and leaves out what the user has. */
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int best = 20;                 /* of the lists */
constexpr std::size_t most_asked = 1000; /* users, spread over all */
constexpr int links = 32;                /* of a key; more: better lists, more memory, a slower construction */
constexpr int breadth_at_construction = 200;

struct Matrix {
    std::size_t rows = 0, columns = 0;
    std::vector<float> values;

    const float *row(std::size_t r) const { return values.data() + r * columns; }
};

/* A file as cfdtbd export writes it: version 1.0, float32, C order. */
Matrix read_npy(const std::string &path)
{
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    const auto size = static_cast<std::uint64_t>(file.tellg());
    unsigned char preamble[10];
    file.seekg(0);
    if (!file.read(reinterpret_cast<char *>(preamble), sizeof preamble) ||
        std::memcmp(preamble, "\x93NUMPY\x01\x00", 8) != 0) {
        throw std::runtime_error(path + " is not a .npy file of version 1.0");
    }
    std::string header(preamble[8] + 256u * preamble[9], ' ');
    file.read(&header[0], static_cast<std::streamsize>(header.size()));
    const std::size_t shape = header.find("'shape': (");
    unsigned long long rows = 0, columns = 0;
    if (!file || header.find("'descr': '<f4'") == std::string::npos ||
        header.find("'fortran_order': False") == std::string::npos || shape == std::string::npos ||
        std::sscanf(header.c_str() + shape, "'shape': (%llu, %llu)", &rows, &columns) != 2) {
        throw std::runtime_error(path + " does not hold a float32 matrix in C order");
    }
    const std::uint64_t data = size - sizeof preamble - header.size();
    if (rows < 1 || columns < 1 || rows > INT32_MAX || columns > INT32_MAX || data / sizeof(float) / columns != rows ||
        data != rows * columns * sizeof(float)) {
        throw std::runtime_error(path + " has not as many numbers as its header says");
    }
    Matrix m;
    m.rows = rows;
    m.columns = columns;
    m.values.resize(rows * columns);
    if (!file.read(reinterpret_cast<char *>(m.values.data()), static_cast<std::streamsize>(data))) {
        throw std::runtime_error("cannot read " + path);
    }
    return m;
}

double seconds_since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Answers {
    std::vector<std::int64_t> items; /* k of each query, best first; -1 where an index found fewer */
    double seconds_each;
};

/* One query after the other, as requests come. */
Answers ask(const faiss::Index &index, const Matrix &queries, const std::vector<std::size_t> &users, int k)
{
    Answers answers{std::vector<std::int64_t>(users.size() * static_cast<std::size_t>(k)), 0.0};
    std::vector<float> scores(static_cast<std::size_t>(k));
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < users.size(); i++) {
        index.search(1, queries.row(users[i]), k, scores.data(), answers.items.data() + i * static_cast<std::size_t>(k));
    }
    answers.seconds_each = seconds_since(begin) / static_cast<double>(users.size());
    return answers;
}

/* The share of the exact lists' items that the others hold. */
double recall(const Answers &exact, const Answers &found, int k)
{
    std::size_t hits = 0;
    for (std::size_t at = 0; at < exact.items.size(); at += static_cast<std::size_t>(k)) {
        const auto first = found.items.begin() + static_cast<std::ptrdiff_t>(at);
        for (int i = 0; i < k; i++) {
            hits += std::find(first, first + k, exact.items[at + static_cast<std::size_t>(i)]) != first + k;
        }
    }
    return static_cast<double>(hits) / static_cast<double>(exact.items.size());
}

std::vector<std::size_t> choose_users(std::size_t users)
{
    const std::size_t n = std::min(users, most_asked);
    std::vector<std::size_t> chosen(n);
    for (std::size_t i = 0; i < n; i++) {
        chosen[i] = i * users / n;
    }
    return chosen;
}

void compare(const Matrix &queries, const Matrix &keys)
{
    if (queries.columns != keys.columns) {
        throw std::runtime_error("query rows have " + std::to_string(queries.columns) + " columns, key rows " +
                                 std::to_string(keys.columns) + ": they are not of one model");
    }
    const int width = static_cast<int>(keys.columns);
    const auto n_keys = static_cast<std::int64_t>(keys.rows);
    const int k = static_cast<int>(std::min<std::size_t>(best, keys.rows));
    const std::vector<std::size_t> users = choose_users(queries.rows);
    std::printf("%zu users, %zu items, width %d; %zu users are asked for the best %d\n", queries.rows, keys.rows, width,
                users.size(), k);

    faiss::IndexFlatIP all(width);
    all.add(n_keys, keys.values.data());
    const Answers exact = ask(all, queries, users, k);
    std::printf("exact             recall@%d 1.0000  %8.3f ms a query\n", k, 1e3 * exact.seconds_each);

    faiss::IndexHNSWFlat index(width, links, faiss::METRIC_INNER_PRODUCT);
    index.hnsw.efConstruction = breadth_at_construction;
    const auto begin = std::chrono::steady_clock::now();
    index.add(n_keys, keys.values.data());
    std::printf("HNSW of %d links, built in %.2f s\n", links, seconds_since(begin));
    for (const int breadth : {20, 40, 80, 160, 320, 640}) {
        index.hnsw.efSearch = breadth;
        const Answers found = ask(index, queries, users, k);
        std::printf("  efSearch %-5d  recall@%d %.4f  %8.3f ms a query, %.1f times as fast\n", breadth, k,
                    recall(exact, found, k), 1e3 * found.seconds_each, exact.seconds_each / found.seconds_each);
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: approximate QUERY.npy KEY.npy (of cfdtbd export)\n");
        return 2;
    }
    try {
        omp_set_num_threads(1);
        compare(read_npy(argv[1]), read_npy(argv[2]));
    } catch (const std::exception &error) {
        std::fprintf(stderr, "approximate: %s\n", error.what());
        return 1;
    }
    return 0;
}
