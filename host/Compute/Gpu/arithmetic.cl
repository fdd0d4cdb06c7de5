// The operations that hardware has not, conversions of stored numbers, and random numbers: what Compute/Cpu defines in
// Arithmetic, Conversions, ScoreKey and Philox, operation by operation, so that the bits are the same. OpenCL C 1.2.
// Multiplying and adding is fused only where written so.
#pragma OPENCL FP_CONTRACT OFF
#pragma OPENCL EXTENSION cl_khr_fp64 : enable

#ifdef __NVPTX__
// Compiled without a library of built-in functions.
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define FMA64(a, b, c) __builtin_fma(a, b, c)
#define SQRT(a) __builtin_sqrtf(a)
#else
#define FMA(a, b, c) fma(a, b, c)
#define FMA64(a, b, c) fma(a, b, c)
#define SQRT(a) sqrt(a)
#endif

// Functions are inlined, unless the includer wants them as functions.
#ifndef DEVICE
#define DEVICE static inline
#endif

#define NOT_A_NUMBER as_float(0x7fc00000u)

DEVICE float canonical(float x)
{
    return x == x ? x : NOT_A_NUMBER;
}

DEVICE float arithmetic_sign(float x)
{
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x + 0.0f;
}

// IEEE 754 minimum: NaN if either is, -0 below +0.
DEVICE float arithmetic_min(float a, float b)
{
    if (a != a || b != b)
        return NOT_A_NUMBER;
    if (a == b)
        return as_float(as_uint(a) | as_uint(b));
    return a < b ? a : b;
}

DEVICE float arithmetic_max(float a, float b)
{
    if (a != a || b != b)
        return NOT_A_NUMBER;
    if (a == b)
        return as_float(as_uint(a) & as_uint(b));
    return a > b ? a : b;
}

// Whether a score is kept by a cut that is a number. NaN scores are.
DEVICE int arithmetic_kept_by_number(float score, float value, int below_limit)
{
    return !(score <= value) || (score == value && below_limit);
}

// Whether a score is kept by a cut at NaN: only some of the NaN are.
DEVICE int arithmetic_kept_by_nan(float score, int below_limit)
{
    return score != score && below_limit;
}

static inline float power_of_two(int exponent)
{
    return as_float((uint)(exponent + 127) << 23);
}

// e to the sum of a number and a small correction of it.
static inline float exp_corrected(float x, float correction)
{
    const float rounder = 12582912.0f;
    x = arithmetic_min(arithmetic_max(x, -150.0f), 150.0f);
    if (x != x)
        return NOT_A_NUMBER;
    const float shifted = FMA(x, 1.44269504f, rounder);
    const float n = shifted - rounder;
    float r = FMA(n, -0.693359375f, x);
    r = FMA(n, 2.12194440e-4f, r);
    r = r + correction;
    float p = 1.9875691500e-4f;
    p = FMA(p, r, 1.3981999507e-3f);
    p = FMA(p, r, 8.3334519073e-3f);
    p = FMA(p, r, 4.1665795894e-2f);
    p = FMA(p, r, 1.6666665459e-1f);
    p = FMA(p, r, 5.0000001201e-1f);
    p = FMA(p * r, r, r) + 1.0f;
    const int exponent = as_int(shifted) - as_int(rounder);
    const int half_of_it = exponent >> 1;
    return p * power_of_two(half_of_it) * power_of_two(exponent - half_of_it);
}

// ln x as a float32, and what it lacks.
static inline float log_parts(float x, float *low)
{
    const int subnormal = x < 1.17549435e-38f;
    const float scaled = subnormal ? x * 8388608.0f : x;
    const uint bits = as_uint(scaled);
    const int exponent = as_int(bits - 0x3f3504f3u) >> 23;
    const float m = as_float(bits - ((uint)exponent << 23));
    const float e = (float)exponent - (subnormal ? 23.0f : 0.0f);
    const float f = m - 1.0f;
    const float g = m + 1.0f;
    const float g_low = m - (g - 1.0f);
    const float s = f / g;
    const float residue = FMA(-s, g_low, FMA(-s, g, f));
    const float s_low = residue / g;
    const float z = s * s;
    float p = 1.0f / 11.0f;
    p = FMA(p, z, 1.0f / 9.0f);
    p = FMA(p, z, 1.0f / 7.0f);
    p = FMA(p, z, 1.0f / 5.0f);
    p = FMA(p, z, 1.0f / 3.0f);
    const float tail = FMA(s * z, p, s_low);
    const float h = s + s;
    float l = tail + tail;
    const float whole = e * 0.693359375f;
    const float sum = whole + h;
    const float lost = h - (sum - whole);
    l = FMA(e, -2.12194440e-4f, lost + l);
    float high = sum + l;
    *low = l - (high - sum);
    high = x == INFINITY ? INFINITY : high;
    high = x == 0.0f ? -INFINITY : high;
    return x >= 0.0f ? high : NOT_A_NUMBER;
}

DEVICE float arithmetic_exp(float x)
{
    return exp_corrected(x, 0.0f);
}

DEVICE float arithmetic_log(float x)
{
    float low;
    return log_parts(x, &low);
}

DEVICE float arithmetic_pow(float x, float y)
{
    float low;
    const float high = log_parts(x, &low);
    const float product = y * high;
    const float rest = FMA(y, low, FMA(y, high, -product));
    const float size = as_float(as_uint(product) & 0x7fffffffu);
    float power = exp_corrected(product, size < 150.0f ? rest : 0.0f);
    power = y == 0.5f ? SQRT(x) : power;
    power = y == 1.0f && x >= 0.0f ? x : power;
    return y == 0.0f || x == 1.0f ? 1.0f : power;
}

DEVICE float decode_bf16(ushort stored)
{
    return as_float((uint)stored << 16);
}

DEVICE float decode_f16(ushort stored)
{
    const uint magnitude = (uint)(stored & 0x7fff) << 13;
    const uint sign = (uint)(stored & 0x8000) << 16;
    const uint finite = as_uint(as_float(magnitude) * 5.192296858534828e33f);
    return as_float(sign | (magnitude < 0x0f800000u ? finite : magnitude | 0x7f800000u));
}

DEVICE ushort encode_bf16(float x)
{
    const uint bits = as_uint(x);
    return x == x ? (ushort)((bits + ((bits >> 16) & 1) + 0x7fff) >> 16) : (ushort)0x7fc0;
}

DEVICE ushort encode_f16(float x)
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
DEVICE uint score_key(float score)
{
    const uint bits = as_uint(score + 0.0f);
    return score != score ? 0xffffffffu : bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// Philox4x32-10: four words for a counter and a key.
static inline uint4 philox(ulong counter, uint stream, ulong key)
{
    uint x = (uint)counter, y = (uint)(counter >> 32), z = stream, w = 0;
    uint a = (uint)key, b = (uint)(key >> 32);
    for (int round = 0; round < 10; round++)
    {
        const ulong p = (ulong)0xD2511F53u * x;
        const ulong q = (ulong)0xCD9E8D57u * z;
        x = (uint)(q >> 32) ^ y ^ a;
        y = (uint)q;
        z = (uint)(p >> 32) ^ w ^ b;
        w = (uint)p;
        a += 0x9E3779B9u;
        b += 0xBB67AE85u;
    }
    return (uint4)(x, y, z, w);
}

// A uniform number in [0, 1) of an element.
DEVICE float uniform_at(ulong key, int stream, long element)
{
    const uint4 words = philox((ulong)element >> 2, (uint)stream, key);
    const int word = (int)(element & 3);
    const uint bits = word == 0 ? words.x : word == 1 ? words.y : word == 2 ? words.z : words.w;
    return (float)(bits >> 8) * 5.9604644775390625e-8f;
}
