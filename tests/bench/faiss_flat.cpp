/* SPDX-License-Identifier: Apache-2.0 */
/* The yardstick for top-K: a flat inner-product index of a widely used similarity search library, beside the bare float32
 * product of the same matrices. A program for people, never part of the build. On Debian:
 *
 *     apt-get install libfaiss-dev libdnnl-dev g++
 *     g++ -O2 -fopenmp tests/bench/faiss_flat.cpp -o faiss_flat -lfaiss -lopenblas -llapack -ldnnl
 *     OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 ./faiss_flat [USERS ITEMS WIDTH K]     (15576 8678 576 20)
 *
 * The index multiplies with the machine's BLAS, so which one stands behind libblas.so.3 decides (update-alternatives). Every
 * figure is the median of several rounds, in which the two take turns. */
#include <faiss/IndexFlat.h>
#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

static double now()
{
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

/* Rows of independent normal numbers, of lengths that differ as in bench/top_k.c. */
static std::vector<float> make_rows(size_t n, size_t width, std::mt19937 &generator)
{
    std::normal_distribution<float> normal;
    std::vector<float> rows(n * width);
    for (size_t i = 0; i < n; i++) {
        float length = std::exp(0.3f * normal(generator));
        for (size_t c = 0; c < width; c++) {
            rows[i * width + c] = length * normal(generator);
        }
    }
    return rows;
}

static double median(std::vector<double> times)
{
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

int main(int argc, char **argv)
{
    size_t numbers[4] = {15576, 8678, 576, 20};
    for (int i = 1; i < argc && i <= 4; i++) {
        numbers[i - 1] = std::strtoul(argv[i], nullptr, 10);
    }
    const size_t users = numbers[0], items = numbers[1], width = numbers[2], k = numbers[3];
    const size_t chunk = 1024;
    std::mt19937 generator(1);
    const std::vector<float> queries = make_rows(users, width, generator);
    const std::vector<float> keys = make_rows(items, width, generator);
    std::vector<float> scores(chunk * items), distances(users * k);
    std::vector<faiss::Index::idx_t> labels(users * k);
    faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(width));
    index.add(static_cast<faiss::Index::idx_t>(items), keys.data());

    std::vector<double> bare, lists, one, vector;
    for (int round = 0; round < 5; round++) {
        double begin = now();
        for (size_t first = 0; first < users; first += chunk) {
            const size_t n = std::min(chunk, users - first);
            dnnl_sgemm('N', 'T', n, items, width, 1.0f, queries.data() + first * width, width, keys.data(), width, 0.0f,
                       scores.data(), items);
        }
        bare.push_back(now() - begin);
        begin = now();
        index.search(static_cast<faiss::Index::idx_t>(users), queries.data(), static_cast<faiss::Index::idx_t>(k),
                     distances.data(), labels.data());
        lists.push_back(now() - begin);
    }
    for (int round = 0; round < 101; round++) {
        const float *query = queries.data() + static_cast<size_t>(round) * 37 % users * width;
        double begin = now();
        dnnl_sgemm('N', 'T', 1, items, width, 1.0f, query, width, keys.data(), width, 0.0f, scores.data(), items);
        vector.push_back(now() - begin);
        begin = now();
        index.search(1, query, static_cast<faiss::Index::idx_t>(k), distances.data(), labels.data());
        one.push_back(now() - begin);
    }
    std::printf("bare product %.3f s\n", median(bare));
    std::printf("top-%zu, flat index: %.3f s, %.3f of it\n", k, median(lists), median(lists) / median(bare));
    std::printf("one user: bare product %.0f us, flat index %.0f us, %.3f of it\n", 1e6 * median(vector), 1e6 * median(one),
                median(one) / median(vector));
    return 0;
}
