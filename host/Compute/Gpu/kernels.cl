// The fixed kernels: what every strategy needs beside its own expression. OpenCL C 1.2; ptx.sh makes PTX of it. What
// Compute/Cpu computes, operation by operation, so that the bits are the same: multiplying and adding is fused only where
// written so. Work groups have 256 threads; counts are 64 bits, kernels stride over what exceeds the launch. Buffers are
// aligned to 16 bytes at least; places in them are given in elements, except where they are said to be bytes.
#pragma OPENCL FP_CONTRACT OFF
#pragma OPENCL EXTENSION cl_khr_fp64 : enable

#define NOT_A_NUMBER as_float(0x7fc00000u)

static inline float canonical(float x)
{
    return x == x ? x : NOT_A_NUMBER;
}

// IEEE 754 minimum: NaN if either is, -0 below +0.
static inline float ieee_min(float a, float b)
{
    if (a != a || b != b)
        return NOT_A_NUMBER;
    if (a == b)
        return as_float(as_uint(a) | as_uint(b));
    return a < b ? a : b;
}

static inline float ieee_max(float a, float b)
{
    if (a != a || b != b)
        return NOT_A_NUMBER;
    if (a == b)
        return as_float(as_uint(a) & as_uint(b));
    return a > b ? a : b;
}

static inline float decode_bf16(ushort stored)
{
    return as_float((uint)stored << 16);
}

static inline float decode_f16(ushort stored)
{
    const uint magnitude = (uint)(stored & 0x7fff) << 13;
    const uint sign = (uint)(stored & 0x8000) << 16;
    const uint finite = as_uint(as_float(magnitude) * 5.192296858534828e33f);
    return as_float(sign | (magnitude < 0x0f800000u ? finite : magnitude | 0x7f800000u));
}

static inline ushort encode_bf16(float x)
{
    const uint bits = as_uint(x);
    return x == x ? (ushort)((bits + ((bits >> 16) & 1) + 0x7fff) >> 16) : (ushort)0x7fc0;
}

static inline ushort encode_f16(float x)
{
    const uint sign = (as_uint(x) >> 16) & 0x8000;
    const float magnitude = as_float(as_uint(x) & 0x7fffffffu);
    if (x != x)
        return (ushort)0x7e00;
    if (magnitude < 6.103515625e-5f)
        return (ushort)(sign | (as_uint(magnitude + 0.5f) - as_uint(0.5f)));
    const uint bits = as_uint(magnitude < 65536.0f ? magnitude : 65536.0f);
    return (ushort)(sign | ((bits + ((bits >> 13) & 1) + 0xc8000fffu) >> 13));
}

// A score as an unsigned integer of the same order: -0 equal to +0, every NaN equal and above all.
static inline uint score_key(float score)
{
    const uint bits = as_uint(score + 0.0f);
    return score != score ? 0xffffffffu : bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

#define GROUP 256

// Compiled to PTX without a library of built-in functions.
#ifdef __NVPTX__
#define GROUP_ID ((long)__nvvm_read_ptx_sreg_ctaid_x())
#define GROUPS ((long)__nvvm_read_ptx_sreg_nctaid_x())
#define LOCAL_ID ((int)__nvvm_read_ptx_sreg_tid_x())
#define BARRIER() __syncthreads()
#define ATOMIC_ADD(place, value) __sync_fetch_and_add(place, value)
#define ATOMIC_CAS(place, expected, value) __sync_val_compare_and_swap(place, expected, value)
#define FMA64(a, b, c) __builtin_fma(a, b, c)
#else
#define GROUP_ID ((long)get_group_id(0))
#define GROUPS ((long)get_num_groups(0))
#define LOCAL_ID ((int)get_local_id(0))
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#define ATOMIC_ADD(place, value) atomic_add(place, value)
#define ATOMIC_CAS(place, expected, value) atomic_cmpxchg(place, expected, value)
#define FMA64(a, b, c) fma(a, b, c)
#endif

#define THREAD (GROUP_ID * GROUP + LOCAL_ID)
#define THREADS (GROUPS * GROUP)
#define LEAST(a, b) ((a) < (b) ? (a) : (b))

// How stored numbers are told apart.
#define F32 0
#define BF16 1
#define F16 2
#define F64 3

static inline float8 bf16_of_words(uint4 w)
{
    return (float8)(
        as_float(w.x << 16), as_float(w.x & 0xffff0000u), as_float(w.y << 16), as_float(w.y & 0xffff0000u),
        as_float(w.z << 16), as_float(w.z & 0xffff0000u), as_float(w.w << 16), as_float(w.w & 0xffff0000u));
}

static inline float8 f16_of_words(uint4 w)
{
    return (float8)(
        decode_f16((ushort)w.x), decode_f16((ushort)(w.x >> 16)), decode_f16((ushort)w.y), decode_f16((ushort)(w.y >> 16)),
        decode_f16((ushort)w.z), decode_f16((ushort)(w.z >> 16)), decode_f16((ushort)w.w), decode_f16((ushort)(w.w >> 16)));
}

// A stored element, as float32.
static inline float load_1(__global const uchar *stored, int type, long i)
{
    switch (type)
    {
        case BF16: return decode_bf16(((__global const ushort *)stored)[i]);
        case F16: return decode_f16(((__global const ushort *)stored)[i]);
        case F64: return (float)((__global const double *)stored)[i];
        default: return ((__global const float *)stored)[i];
    }
}

// Eight of them, the first at a multiple of 16 bytes.
static inline float8 load_8(__global const uchar *stored, int type, long i)
{
    if (type == BF16)
        return bf16_of_words(*(__global const uint4 *)(stored + i * 2));
    if (type == F16)
        return f16_of_words(*(__global const uint4 *)(stored + i * 2));
    if (type == F64)
    {
        __global const double2 *d = (__global const double2 *)(stored + i * 8);
        const double2 a = d[0], b = d[1], c = d[2], e = d[3];
        return (float8)(
            (float)a.x, (float)a.y, (float)b.x, (float)b.y, (float)c.x, (float)c.y, (float)e.x, (float)e.y);
    }
    __global const uint4 *w = (__global const uint4 *)(stored + i * 4);
    const uint4 a = w[0], b = w[1];
    return (float8)(
        as_float(a.x), as_float(a.y), as_float(a.z), as_float(a.w),
        as_float(b.x), as_float(b.y), as_float(b.z), as_float(b.w));
}

static inline uint bf16_pair(float a, float b)
{
    return encode_bf16(a) | ((uint)encode_bf16(b) << 16);
}

static inline uint f16_pair(float a, float b)
{
    return encode_f16(a) | ((uint)encode_f16(b) << 16);
}

static inline void store_1(__global uchar *stored, int type, long i, float x)
{
    switch (type)
    {
        case BF16: ((__global ushort *)stored)[i] = encode_bf16(x); break;
        case F16: ((__global ushort *)stored)[i] = encode_f16(x); break;
        case F64: ((__global double *)stored)[i] = x == x ? (double)x : as_double(0x7ff8000000000000UL); break;
        default: ((__global float *)stored)[i] = canonical(x); break;
    }
}

static inline void store_8(__global uchar *stored, int type, long i, float8 x)
{
    if (type == BF16)
    {
        *(__global uint4 *)(stored + i * 2) =
            (uint4)(bf16_pair(x.s0, x.s1), bf16_pair(x.s2, x.s3), bf16_pair(x.s4, x.s5), bf16_pair(x.s6, x.s7));
        return;
    }
    if (type == F16)
    {
        *(__global uint4 *)(stored + i * 2) =
            (uint4)(f16_pair(x.s0, x.s1), f16_pair(x.s2, x.s3), f16_pair(x.s4, x.s5), f16_pair(x.s6, x.s7));
        return;
    }
    if (type == F32)
    {
        __global float4 *place = (__global float4 *)(stored + i * 4);
        place[0] = (float4)(canonical(x.s0), canonical(x.s1), canonical(x.s2), canonical(x.s3));
        place[1] = (float4)(canonical(x.s4), canonical(x.s5), canonical(x.s6), canonical(x.s7));
        return;
    }
    store_1(stored, F64, i, x.s0);
    store_1(stored, F64, i + 1, x.s1);
    store_1(stored, F64, i + 2, x.s2);
    store_1(stored, F64, i + 3, x.s3);
    store_1(stored, F64, i + 4, x.s4);
    store_1(stored, F64, i + 5, x.s5);
    store_1(stored, F64, i + 6, x.s6);
    store_1(stored, F64, i + 7, x.s7);
}

// Stored elements to stored elements of another type, by way of float32. Both places are bytes.
__kernel void convert(
    __global const uchar *from, long from_at, int from_type, __global uchar *to, long to_at, int to_type, long count)
{
    from += from_at;
    to += to_at;
    const long eights = ((from_at | to_at) & 15) == 0 ? count / 8 : 0;
    for (long i = THREAD; i < eights; i += THREADS)
        store_8(to, to_type, i * 8, load_8(from, from_type, i * 8));
    for (long i = eights * 8 + THREAD; i < count; i += THREADS)
        store_1(to, to_type, i, load_1(from, from_type, i));
}

// Linear combinations, as Compute/Cpu/CombinationKernel: groups of up to four rows that combine the same terms. Tables
// say what they are, one after the other, from a byte on that is a multiple of 8:
// values: of each value the byte its element 0 lies at in the slab, and that of what is subtracted (-1: nothing);
// types: of each value, and of what is subtracted;
// groups: of each the place of its terms, their number, what is added last (-1: nothing), how many rows, the place of
// its coefficients (four a term), the rows' numbers; terms; coefficients.
// A row's element first + i goes to element i of what begins at to_at + row * to_stride bytes.
#define COMBINE(NUMBER, WIDE, i) \
    for (int g = 0; g < group_count; g++) \
    { \
        __global const int *group = groups + g * 9; \
        __global const int *term = terms + group[0]; \
        __global const float *c = coefficients + group[4]; \
        NUMBER x = value_##WIDE(slab, values, types, term[0], first + i); \
        NUMBER s0 = c[0] * x, s1 = c[1] * x, s2 = c[2] * x, s3 = c[3] * x; \
        for (int t = 1; t < group[1]; t++) \
        { \
            c += 4; \
            x = value_##WIDE(slab, values, types, term[t], first + i); \
            s0 = s0 + c[0] * x; \
            s1 = s1 + c[1] * x; \
            s2 = s2 + c[2] * x; \
            s3 = s3 + c[3] * x; \
        } \
        if (group[2] >= 0) \
        { \
            x = value_##WIDE(slab, values, types, group[2], first + i); \
            s0 = x + s0; \
            s1 = x + s1; \
            s2 = x + s2; \
            s3 = x + s3; \
        } \
        store_##WIDE(to + to_at + group[5] * to_stride, to_type, i, s0); \
        if (group[3] > 1) \
            store_##WIDE(to + to_at + group[6] * to_stride, to_type, i, s1); \
        if (group[3] > 2) \
            store_##WIDE(to + to_at + group[7] * to_stride, to_type, i, s2); \
        if (group[3] > 3) \
            store_##WIDE(to + to_at + group[8] * to_stride, to_type, i, s3); \
    }

static inline float value_1(
    __global const uchar *slab, __global const long *values, __global const int *types, int v, long i)
{
    const float x = load_1(slab + values[2 * v], types[2 * v], i);
    return values[2 * v + 1] < 0 ? x : x - load_1(slab + values[2 * v + 1], types[2 * v + 1], i);
}

static inline float8 value_8(
    __global const uchar *slab, __global const long *values, __global const int *types, int v, long i)
{
    const float8 x = load_8(slab + values[2 * v], types[2 * v], i);
    return values[2 * v + 1] < 0 ? x : x - load_8(slab + values[2 * v + 1], types[2 * v + 1], i);
}

// One kernel an output type, so that what it is does not cost registers.
#define COMBINATIONS(NAME, TYPE) \
__kernel void NAME( \
    __global const uchar *slab, __global const uchar *tables, long tables_at, int value_count, int group_count, \
    int term_count, int is_aligned, long first, long count, __global uchar *to, long to_at, long to_stride) \
{ \
    __global const long *values = (__global const long *)(tables + tables_at); \
    __global const int *types = (__global const int *)(values + 2 * value_count); \
    __global const int *groups = types + 2 * value_count; \
    __global const int *terms = groups + 9 * group_count; \
    __global const float *coefficients = (__global const float *)(terms + term_count); \
    const int to_type = TYPE; \
    const long eights = is_aligned ? count / 8 : 0; \
    for (long e = THREAD; e < eights; e += THREADS) \
    { \
        const long i = e * 8; \
        COMBINE(float8, 8, i) \
    } \
    for (long i = eights * 8 + THREAD; i < count; i += THREADS) \
    { \
        COMBINE(float, 1, i) \
    } \
}

COMBINATIONS(combine_f32, F32)
COMBINATIONS(combine_bf16, BF16)
COMBINATIONS(combine_f16, F16)
COMBINATIONS(combine_f64, F64)

// Float64 sums of pieces (grains, or rows) of float32 numbers, or of their products (exact in float64): element i of a
// piece goes to lane i mod 64, in order; lanes are added halves to halves. As Compute/Cpu/LaneSums.
__kernel void lane_sums(
    __global const float *x, long x_at, __global const float *y, long y_at, int has_products, long count, long piece,
    __global double *sums, long sums_at)
{
    __local double lanes[GROUP];
    const int lane = LOCAL_ID & 63;
    const long pieces = (count + piece - 1) / piece;
    for (long turn = GROUP_ID * (GROUP / 64); turn < pieces; turn += GROUPS * (GROUP / 64))
    {
        const long p = turn + (LOCAL_ID >> 6);
        const long start = p * piece;
        const long end = p < pieces ? LEAST(start + piece, count) : start;
        double sum = 0.0;
        if (has_products)
        {
            for (long i = start + lane; i < end; i += 64)
                sum = sum + (double)x[x_at + i] * (double)y[y_at + i];
        }
        else
        {
            for (long i = start + lane; i < end; i += 64)
                sum = sum + (double)x[x_at + i];
        }
        lanes[LOCAL_ID] = sum;
        BARRIER();
        for (int width = 32; width > 0; width /= 2)
        {
            if (lane < width)
                lanes[LOCAL_ID] = lanes[LOCAL_ID] + lanes[LOCAL_ID + width];
            BARRIER();
        }
        if (lane == 0 && p < pieces)
            sums[sums_at + p] = lanes[LOCAL_ID];
        BARRIER();
    }
}

// Smallest and largest number of pieces; NaN if there is one.
__kernel void ranges(__global const float *x, long x_at, long count, long piece, __global float *to)
{
    __local float least[GROUP];
    __local float most[GROUP];
    const long pieces = (count + piece - 1) / piece;
    for (long p = GROUP_ID; p < pieces; p += GROUPS)
    {
        const long end = LEAST((p + 1) * piece, count);
        float low = INFINITY, high = -INFINITY;
        for (long i = p * piece + LOCAL_ID; i < end; i += GROUP)
        {
            low = ieee_min(low, x[x_at + i]);
            high = ieee_max(high, x[x_at + i]);
        }
        least[LOCAL_ID] = low;
        most[LOCAL_ID] = high;
        BARRIER();
        for (int width = GROUP / 2; width > 0; width /= 2)
        {
            if (LOCAL_ID < width)
            {
                least[LOCAL_ID] = ieee_min(least[LOCAL_ID], least[LOCAL_ID + width]);
                most[LOCAL_ID] = ieee_max(most[LOCAL_ID], most[LOCAL_ID + width]);
            }
            BARRIER();
        }
        if (LOCAL_ID == 0)
        {
            to[2 * p] = least[0];
            to[2 * p + 1] = most[0];
        }
        BARRIER();
    }
}

// Sums of columns over rows in order, to go on with: one thread a column.
__kernel void column_sums(
    __global const float *x, long x_at, long rows, long row_length, __global double *sums, long sums_at)
{
    for (long j = THREAD; j < row_length; j += THREADS)
    {
        double sum = sums[sums_at + j];
        for (long i = 0; i < rows; i++)
            sum = sum + (double)x[x_at + i * row_length + j];
        sums[sums_at + j] = sum;
    }
}

// A work group counts what it meets often by itself: the first key that comes to a place has it to the end. Others go
// straight to the table. Without this, the many equal scores of 16-bit checkpoints would wait for one another.
#define OWN 1024
#define NOBODY 0xffffffffu

static inline void count_key(
    uint key, volatile __local uint *owners, volatile __local uint *counts, volatile __global uint *table)
{
    const uint place = key & (OWN - 1);
    uint owner = owners[place];
    if (owner == NOBODY)
    {
        owner = ATOMIC_CAS(&owners[place], NOBODY, key);
        owner = owner == NOBODY ? key : owner;
    }
    if (owner == key)
        ATOMIC_ADD(&counts[place], 1u);
    else
        ATOMIC_ADD(&table[key], 1u);
}

#define BEGIN_COUNTS() \
    __local uint owners[OWN]; \
    __local uint counts[OWN]; \
    for (int i = LOCAL_ID; i < OWN; i += GROUP) \
    { \
        owners[i] = NOBODY; \
        counts[i] = 0; \
    } \
    BARRIER();

#define END_COUNTS() \
    BARRIER(); \
    for (int i = LOCAL_ID; i < OWN; i += GROUP) \
    { \
        if (counts[i] > 0) \
            ATOMIC_ADD(&table[owners[i]], counts[i]); \
    }

// How often each upper half of a key occurs: as Compute/ScoreBins. Adds to 65536 counts.
__kernel void count_upper(__global const float *x, long x_at, long count, volatile __global uint *table)
{
    BEGIN_COUNTS()
    for (long i = THREAD; i < count; i += THREADS)
        count_key(score_key(x[x_at + i]) >> 16, owners, counts, table);
    END_COUNTS()
}

// How often each lower half occurs in some bins: as Compute/LowerCounts. Adds to 65536 counts a bin.
__kernel void count_lower(
    __global const float *x, long x_at, long count, __global const int *bins, long bins_at, int bin_count,
    volatile __global uint *table)
{
    BEGIN_COUNTS()
    for (long i = THREAD; i < count; i += THREADS)
    {
        const uint key = score_key(x[x_at + i]);
        for (int slot = 0; slot < bin_count; slot++)
        {
            if (key >> 16 == (uint)bins[bins_at + slot])
                count_key((uint)slot << 16 | (key & 0xffff), owners, counts, table);
        }
    }
    END_COUNTS()
}

// Keys in [low, high] and which elements have them, in no order. Word 0 counts them, also those without room.
__kernel void gather_keys(
    __global const float *x, long x_at, long count, uint low, uint high, volatile __global uint *words, long keys_at,
    long places_at, uint room)
{
    for (long i = THREAD; i < count; i += THREADS)
    {
        const uint key = score_key(x[x_at + i]);
        if (key < low || key > high)
            continue;
        const uint at = ATOMIC_ADD(&words[0], 1u);
        if (at < room)
        {
            words[keys_at + at] = key;
            words[places_at + at] = (uint)i;
        }
    }
}

// X·R and Xᵀ·L of a float32 value in float64, as Compute/ProductReductions: every element is one chain of fused
// multiply-adds over the inner index in order, so tiles do not change it. A work group makes 16x16 elements; sums go on
// from what is there.
#define TILE 16
#define MATRIX_PRODUCT(NAME, LEFT_AT) \
__kernel void NAME( \
    __global const float *left, long left_at, __global const double *right, long right_at, __global double *to, \
    long to_at, long rows, long inner, long columns) \
{ \
    __local double a[TILE][TILE + 1]; \
    __local double b[TILE][TILE + 1]; \
    const int tx = LOCAL_ID & (TILE - 1), ty = LOCAL_ID / TILE; \
    const long across = (columns + TILE - 1) / TILE; \
    const long tiles = across * ((rows + TILE - 1) / TILE); \
    for (long tile = GROUP_ID; tile < tiles; tile += GROUPS) \
    { \
        const long top = tile / across * TILE, side = tile % across * TILE; \
        const long row = top + ty, column = side + tx; \
        const int is_inside = row < rows && column < columns; \
        double sum = is_inside ? to[to_at + row * columns + column] : 0.0; \
        for (long k = 0; k < inner; k += TILE) \
        { \
            const int length = (int)LEAST((long)TILE, inner - k); \
            if (row < rows && tx < length) \
                a[ty][tx] = (double)left[left_at + LEFT_AT(row, k + tx)]; \
            if (column < columns && ty < length) \
                b[ty][tx] = right[right_at + (k + ty) * columns + column]; \
            BARRIER(); \
            if (is_inside) \
            { \
                for (int i = 0; i < length; i++) \
                    sum = FMA64(a[ty][i], b[i][tx], sum); \
            } \
            BARRIER(); \
        } \
        if (is_inside) \
            to[to_at + row * columns + column] = sum; \
    } \
}

#define ROW_BY_ROW(i, k) ((i) * inner + (k))
#define COLUMN_BY_COLUMN(i, k) ((k) * rows + (i))
MATRIX_PRODUCT(product, ROW_BY_ROW)
MATRIX_PRODUCT(transposed_product, COLUMN_BY_COLUMN)

// Sums of fibers whose elements lie a stride apart, or of their products, from the first to the last: one thread a
// fiber. As Compute/Cpu/Barriers; fibers are numbered as in Compute/Cpu/Fibers. Float32, rounded once.
__kernel void fiber_sums(
    __global const float *x, long x_at, __global const float *y, long y_at, int has_products, long fibers, long length,
    long stride, __global float *to, long to_at)
{
    for (long f = THREAD; f < fibers; f += THREADS)
    {
        const long first = f / stride * length * stride + f % stride;
        double sum = 0.0;
        for (long i = first; i < first + length * stride; i += stride)
            sum = sum + (has_products ? (double)x[x_at + i] * (double)y[y_at + i] : (double)x[x_at + i]);
        to[to_at + f] = canonical((float)sum);
    }
}

// The largest number of fibers whose elements lie a stride apart, NaN if there is one: one thread a fiber.
__kernel void fiber_maxima(
    __global const float *x, long x_at, long fibers, long length, long stride, __global float *to, long to_at)
{
    for (long f = THREAD; f < fibers; f += THREADS)
    {
        const long first = f / stride * length * stride + f % stride;
        float most = -INFINITY;
        for (long i = first; i < first + length * stride; i += stride)
            most = ieee_max(most, x[x_at + i]);
        to[to_at + f] = canonical(most);
    }
}

// The same of fibers that lie one after the other: one group a fiber.
__kernel void row_maxima(__global const float *x, long x_at, long fibers, long length, __global float *to, long to_at)
{
    __local float largest[GROUP];
    for (long f = GROUP_ID; f < fibers; f += GROUPS)
    {
        float most = -INFINITY;
        for (long i = f * length + LOCAL_ID; i < (f + 1) * length; i += GROUP)
            most = ieee_max(most, x[x_at + i]);
        largest[LOCAL_ID] = most;
        BARRIER();
        for (int width = GROUP / 2; width > 0; width /= 2)
        {
            if (LOCAL_ID < width)
                largest[LOCAL_ID] = ieee_max(largest[LOCAL_ID], largest[LOCAL_ID + width]);
            BARRIER();
        }
        if (LOCAL_ID == 0)
            to[to_at + f] = canonical(largest[0]);
        BARRIER();
    }
}

// Elements of B·A from one on, summed in float64 over the rank in order, products rounded: as Compute/Cpu/Leaves. B's
// rows begin with the first element's, whose column is given.
__kernel void low_rank(
    __global const double *b, long b_at, __global const double *a, long a_at, long rank, long columns, long column,
    long count, __global float *to, long to_at)
{
    for (long e = THREAD; e < count; e += THREADS)
    {
        const long i = (column + e) / columns, j = (column + e) % columns;
        double sum = 0.0;
        for (long k = 0; k < rank; k++)
            sum = sum + b[b_at + i * rank + k] * a[a_at + k * columns + j];
        to[to_at + e] = (float)sum;
    }
}

// The keys inside [low, high] but the middle one, in no order: as Compute/ScoreBracket counts them. Of every 4096
// elements four numbers tell where their keys begin, how many there are, how many keys are the middle one, how many
// are above.
#define KEY_TILE 4096
__kernel void keys_inside(
    __global const float *x, long x_at, long count, uint low, uint middle, uint high, __global uint *tiles, long tiles_at,
    __global uint *keys, long keys_at, volatile __global uint *total, long total_at)
{
    __local uint found, equals, above, place;
    for (long tile = GROUP_ID; tile * KEY_TILE < count; tile += GROUPS)
    {
        const long end = LEAST((tile + 1) * KEY_TILE, count);
        if (LOCAL_ID == 0)
        {
            found = 0;
            equals = 0;
            above = 0;
        }
        BARRIER();
        uint inside = 0, same = 0, over = 0;
        for (long i = tile * KEY_TILE + LOCAL_ID; i < end; i += GROUP)
        {
            const uint key = score_key(x[x_at + i]);
            inside += key - low <= high - low && key != middle;
            same += key == middle;
            over += key > high;
        }
        const uint at = ATOMIC_ADD(&found, inside);
        ATOMIC_ADD(&equals, same);
        ATOMIC_ADD(&above, over);
        BARRIER();
        if (LOCAL_ID == 0)
        {
            place = ATOMIC_ADD(&total[total_at], found);
            tiles[tiles_at + 4 * tile] = place;
            tiles[tiles_at + 4 * tile + 1] = found;
            tiles[tiles_at + 4 * tile + 2] = equals;
            tiles[tiles_at + 4 * tile + 3] = above;
        }
        BARRIER();
        long to = keys_at + place + at;
        for (long i = tile * KEY_TILE + LOCAL_ID; i < end; i += GROUP)
        {
            const uint key = score_key(x[x_at + i]);
            if (key - low <= high - low && key != middle)
                keys[to++] = key;
        }
        BARRIER();
    }
}
