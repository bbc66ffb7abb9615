/* SPDX-License-Identifier: Apache-2.0 */
/* The header in a second file of the same way: the program links. */
#include <cfdtbd.hpp>

#include "support.hpp"

void check_throwing_again()
{
    cfdtbd::config config;
    config.set({{"layers", "3"}, {"epochs", "2"}});
    CHECK(config.get_value("layers") == "3" && config.get_value("epochs") == "2");
    try {
        config.set({{"layers", "4"}, {"layer", "3"}, {"epochs", "9"}});
        CHECK(false);
    } catch (const cfdtbd::error &problem) {
        CHECK(problem.status() == CFD_ERROR_CONFIG && std::string(problem.name()) == "CFD_ERROR_CONFIG");
        CHECK(std::string(problem.what()).find("layer") != std::string::npos);
    }
    CHECK(config.get_value("layers") == "4" && config.get_value("epochs") == "2");
}
