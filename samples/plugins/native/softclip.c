/* x / (1 + |x| / limit): near x for small changes, never beyond the limit.
   cc -O2 -fPIC -shared -ffp-contract=off -nostdlib -o linux-x64/libsoftclip.so softclip.c */
void softclip(const float *x, float *y, long count, float limit)
{
    for (long i = 0; i < count; i++) {
        float size = x[i] < 0 ? -x[i] : x[i];
        y[i] = x[i] / (1 + size / limit);
    }
}
