using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Cpu = Merge.Compute.Cpu.Arithmetic<Merge.Compute.Cpu.Lanes1, float, int>;

namespace Host.Tests.Compute.Gpu;

/// <summary>The device's functions against the processor's, bit for bit.</summary>
public sealed class ArithmeticKernelTests(DeviceUnderTest device) : IClassFixture<DeviceUnderTest>
{
    private const string Apply = """
        __kernel void apply(int function, __global const float *x, __global const float *y, __global float *to, int count)
        {
            for (int i = get_global_id(0); i < count; i += get_global_size(0))
            {
                float value = 0.0f;
                switch (function)
                {
                    case 0: value = arithmetic_exp(x[i]); break;
                    case 1: value = arithmetic_log(x[i]); break;
                    case 2: value = arithmetic_pow(x[i], y[i]); break;
                    case 3: value = arithmetic_sign(x[i]); break;
                    case 4: value = arithmetic_min(x[i], y[i]); break;
                    case 5: value = arithmetic_max(x[i], y[i]); break;
                    case 6: value = arithmetic_kept_by_number(x[i], y[i], i & 1) ? 1.0f : 0.0f; break;
                    case 7: value = arithmetic_kept_by_nan(x[i], i & 1) ? 1.0f : 0.0f; break;
                    case 8: value = x[i] / y[i]; break;
                    case 9: value = SQRT(x[i]); break;
                    case 10: value = x[i] * y[i] + y[i]; break;
                    case 11: value = as_float(score_key(x[i]) >> 1); break;
                    default: value = uniform_at(0x123456789abcdef0UL, 5, (long)i * 1234567891); break;
                }
                to[i] = canonical(value);
            }
        }
        """;

    private static readonly (string Name, Func<float, float, int, float> Of)[] Functions =
    [
        ("exp", (x, _, _) => Cpu.Exp(x)),
        ("log", (x, _, _) => Cpu.Log(x)),
        ("pow", (x, y, _) => Cpu.Pow(x, y)),
        ("sign", (x, _, _) => Cpu.Sign(x)),
        ("min", (x, y, _) => MathF.Min(x, y)),
        ("max", (x, y, _) => MathF.Max(x, y)),
        ("kept by a number", (x, y, i) => IsSet(Cpu.KeptByNumber(x, y, Mask(i)))),
        ("kept by NaN", (x, _, i) => IsSet(Cpu.KeptByNaN(x, Mask(i)))),
        ("division", (x, y, _) => x / y),
        ("square root", (x, _, _) => MathF.Sqrt(x)),
        ("a product and a sum", (x, y, _) => (x * y) + y),
        ("score key", (x, _, _) => BitConverter.UInt32BitsToSingle(Merge.Compute.ScoreKey.Of(x) >> 1)),
        ("uniform", (_, _, i) => Uniform(i * 1234567891L)),
    ];

    public static TheoryData<int> Numbered => [.. Enumerable.Range(0, 13)];

    [OpenClTheory]
    [MemberData(nameof(Numbered))]
    public void A_function_gives_the_processors_bits(int function)
    {
        const int count = 60_001;
        // Any bits; and numbers where exp, log and pow are neither 0 nor infinite.
        var any = Numbers.Any(count);
        float[] x = [.. any, .. Numbers.Any(count, 3).Select(v => v % 90f)];
        float[] y = [.. Numbers.Any(count, 2), .. Numbers.Any(count, 4).Select((v, i) => i % 4 == 0 ? x[count + i] : v % 3f)];
        using var module = device.Context.Load("functions", FixedKernels.Arithmetic + Apply);
        using var kernel = module.Kernel("apply");
        using var bufferX = device.Buffer<float>(x);
        using var bufferY = device.Buffer<float>(y);
        using var to = device.Context.Allocate(x.Length * sizeof(float));
        device.Stream.Launch(kernel, new LaunchShape(3), function, bufferX, bufferY, to, x.Length);
        var made = Numbers.Bits(device.Read<float>(to, x.Length));
        var (name, of) = Functions[function];
        var expected = Numbers.Bits(x.Select((v, i) => of(v, y[i], i)));
        if (Enumerable.Range(0, x.Length).FirstOrDefault(i => expected[i] != made[i], -1) is >= 0 and var wrong)
            Assert.Fail($"{name} of {x[wrong]:R} and {y[wrong]:R}: {made[wrong]:x8}, not {expected[wrong]:x8}");
    }

    private static unsafe float Uniform(long element)
    {
        float value;
        Merge.Compute.Cpu.Philox.Fill(0x123456789abcdef0UL, 5, element, 1, &value);
        return value;
    }

    private static float Mask(int i) => BitConverter.Int32BitsToSingle(-(i & 1));

    private static float IsSet(float mask) => BitConverter.SingleToInt32Bits(mask) != 0 ? 1f : 0f;
}
