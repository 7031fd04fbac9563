// The table of one instruction set.
#pragma once
#include "attention.inc.h"
#include "convert.inc.h"

namespace labdesk {

extern const Kernels ISA_TABLE;
const Kernels ISA_TABLE = {
    ISA_NAME,  MR,         NR,          gemm,         rmsNorm,     rmsNormGrad, rmsNormWeightGrad, glu,
    gluGrad,   rope,       scaleLogits, crossEntropy, distil,      attention,   attentionGrad,     add,
    addScaled, sumSquares, adamw,       f16ToFloat,   bf16ToFloat, q8ToFloat,
};

}  // namespace labdesk
