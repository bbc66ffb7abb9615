/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around a fragment of C++ from the documentation: the handles that it may use, made from the folder's DATA. */
#include <cfdtbd.hpp>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

static cfdtbd::context context;
static cfdtbd::config config;
static cfdtbd::dataset dataset = cfdtbd::dataset::open(context, "DATA");
static cfdtbd::model model(context,
                           config.set("keep.history", "yes")
                               .set("epochs", "4")
                               .set("select", "none")
                               .set("modalities", "visual=photo,textual=title"),
                           dataset); /* trained by frame_run for four epochs */
static cfdtbd::scorer scorer(model);

static int frame_run(int (*fragment)(), int must_fail)
{
    std::string failure;
    try {
        model.train();
        scorer = cfdtbd::scorer(model);
        if (fragment() != 0) {
            failure = "it does not return 0";
        }
    } catch (const std::exception &problem) {
        failure = problem.what();
    }
    if (failure.empty() == (must_fail != 0)) {
        std::cerr << "in the fragment: " << (failure.empty() ? "nothing failed" : failure) << "\n";
        return 1;
    }
    return 0;
}
