/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of cfdtbd.hpp share, whatever way failures go: checks, and a small world in plain numbers. */
#ifndef TEST_WRAPPER_SUPPORT_HPP
#define TEST_WRAPPER_SUPPORT_HPP

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

extern int failures;

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                                          \
        }                                                                        \
    } while (0)

using list = std::vector<int32_t>;

/* Four users, six items, a picture and words of each item. */
struct small_world {
    list users{0, 0, 1, 1, 2, 2, 3, 3}, items{0, 2, 1, 3, 2, 4, 3, 5};
    list test_users{0, 1}, test_items{4, 5};
    std::vector<float> pictures{1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1};
    std::vector<int64_t> offsets{0, 1, 2, 3, 4, 5, 6};
    list words{0, 1, 0, 1, 2, 2};
};

/* Each in a file of its own. path: of a file that may be written. */
void check_throwing(const std::string &path);
void check_throwing_again();
void check_expecting(const std::string &path);
void check_expecting_std(const std::string &path);

#endif
