#!/usr/bin/env bash
# Makes kernels.ptx from the OpenCL C beside it. clang 14, no other: its output is committed and compared. Gives it into
# the folder named, or here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Compiled in a folder of its own, so that no path gets into the text.
cp "$here/kernels.cl" "$work"
cd "$work"
clang-14 -x cl -cl-std=CL1.2 -target nvptx64-nvidia-cuda -Xclang -target-cpu -Xclang sm_70 -O3 -ffp-contract=off \
    -cl-fp32-correctly-rounded-divide-sqrt -S -o kernels.ptx kernels.cl
{
    echo "// SHA-256 of the source: $(sha256sum kernels.cl | cut -d ' ' -f 1)"
    cat kernels.ptx
} >"$to/kernels.ptx"
