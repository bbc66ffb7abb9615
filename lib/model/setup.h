/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of model_create, one file each. */
#ifndef CFD_MODEL_SETUP_H
#define CFD_MODEL_SETUP_H

#include "model/model.h"

/* setup_graphs.c: structure and values of the graphs of SPEC 2 on the device. */
cfd_status setup_graphs(model *m, const bipartite *train);
/* setup_sampler.c: what batches are drawn from (SPEC 6), and room for one. */
cfd_status setup_sampler(model *m, const bipartite *train);
/* parameters.c: the tensors under their names, freshly drawn (SPEC 3). */
cfd_status setup_parameters(model *m);
/* setup_presence.c: which items have a modality, on the device, counted as constant; *present stays as it is where all do.
 */
cfd_status setup_presence(model *m, const ops_feature_source *features, uint8_t **present);

/* setup.c: count x size bytes on the device, counted as workspace, named in the message of a failure. */
cfd_status setup_allocate(model *m, size_t count, size_t size, const char *what, void *out);
/* The same, filled from host memory and counted as constant. */
cfd_status setup_upload(model *m, const void *host, size_t count, size_t size, const char *what, void *out);

#endif
