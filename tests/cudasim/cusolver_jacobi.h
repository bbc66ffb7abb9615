/* SPDX-License-Identifier: Apache-2.0 */
/* Jacobi's method for the eigenvalues of a symmetric matrix, in double. */
#ifndef CUDASIM_CUSOLVER_JACOBI_H
#define CUDASIM_CUSOLVER_JACOBI_H

#include <vector>

namespace cudasim {

struct jacobi_settings {
    double tolerance = 0; /* of the norm beside the diagonal, in relation to the whole; 0: the type's precision */
    int most_sweeps = 100;
    bool sort = true; /* ascending */
};

/* a is n x n and is destroyed; column j of `vectors`, row-major, belongs to values[j]. False: it did not converge. */
bool jacobi(int n, std::vector<double> &a, const jacobi_settings &settings, std::vector<double> &values,
            std::vector<double> &vectors);

} /* namespace cudasim */

#endif
