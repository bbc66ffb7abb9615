/* SPDX-License-Identifier: Apache-2.0 */
/* Marks inline functions that a CUDA compiler is to compile for the device as well, so that both draw and round alike. */
#ifndef CFD_BASE_DEVICE_CODE_H
#define CFD_BASE_DEVICE_CODE_H

#ifdef __CUDACC__
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif

#endif
