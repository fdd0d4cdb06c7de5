#!/usr/bin/env bash
# Makes arithmetic.ptx (functions, for kernels that are made at run time) and kernels.ptx (the fixed kernels) from the
# OpenCL C beside it. clang 14, no other: its output is committed and compared. Gives them into the folder named, or here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {
    local name=$1
    shift
    # Compiled where it is, so that no path gets into the text.
    (cd "$work" && clang-14 -x cl -cl-std=CL1.2 -target nvptx64-nvidia-cuda -Xclang -target-cpu -Xclang sm_70 -O3 \
        -ffp-contract=off -cl-fp32-correctly-rounded-divide-sqrt "$@" -S -o "$name.ptx" "$name.cl")
    {
        echo "// SHA-256 of the source: $(sha256sum "$work/$name.cl" | cut -d ' ' -f 1)"
        cat "$work/$name.ptx"
    } >"$to/$name.ptx"
}

cp "$here/arithmetic.cl" "$work/arithmetic.cl"
cat "$here/arithmetic.cl" "$here/kernels.cl" >"$work/kernels.cl"
compile arithmetic -DDEVICE=
compile kernels
