using Host.Tests.Compute.Gpu;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Merging;
using Merge.Sdk;

namespace Plugins.Tests.Engine;

/// <summary>Every strategy on an OpenCL device gives the processor's bytes.</summary>
public sealed class DeviceTests(DeviceTests.OneDevice one) : IClassFixture<DeviceTests.OneDevice>
{
    private static readonly DType[] _dtypes = [DType.BF16, DType.F32, DType.F16, DType.F64];

    /// <summary>Every method of every plugin, a later one too, the stored types in turn.</summary>
    public static TheoryData<string, DType> Methods()
    {
        var all = new TheoryData<string, DType>();
        foreach (var (k, method) in Workload.Methods.Concat(ConformanceWorkload.Methods).Index())
            all.Add(method, _dtypes[k % _dtypes.Length]);
        return all;
    }

    [Fact]
    public void Every_strategy_of_every_plugin_is_among_them() => Assert.Empty(
        PluginStrategies.Ids.Except(Methods().Select(row => Of((string)row[0], DType.F32).Strategy.Info.Id)));

    [OpenClTheory]
    [MemberData(nameof(Methods))]
    public void Bytes_are_the_processors_however_the_device_is_used(string method, DType dtype)
    {
        var (strategy, options, inputs) = Of(method, dtype);
        var expected = new MergeOnEngine(new(dtype, null, new RunSettings { Threads = 2 })).Bytes(strategy, options, inputs);
        foreach (var (threads, blockBytes) in new[] { (1, 1 << 20), (4, 64) })
        {
            var merged = new MergeOnEngine(new(dtype, null, new RunSettings
            {
                Threads = threads,
                BlockBytes = blockBytes,
                Device = one.Device,
                SmallestOnDevice = 0,
            })).Bytes(strategy, options, inputs);
            foreach (var (name, bytes) in expected)
            {
                Assert.True(
                    bytes.AsSpan().SequenceEqual(merged[name]),
                    $"{name}: {threads} threads and blocks of {blockBytes} bytes give other bits");
            }
        }
        Assert.NotEqual(0, one.Device.CompiledCount);
    }

    private static (MergeStrategy Strategy, object Options, MergeInputs Inputs) Of(string method, DType dtype)
    {
        if (!Workload.Methods.Contains(method))
            return ConformanceWorkload.Of(method);
        var (strategy, options, _, _) = Workload.Of(method);
        return (strategy, options, Workload.Inputs(method, dtype));
    }

    /// <summary>What one method compiled another need not.</summary>
    public sealed class OneDevice : IDisposable
    {
        private readonly Lazy<GpuDevice> _device = new(() => new GpuDevice(OpenClDevice.All()[0].Open()));

        internal GpuDevice Device => _device.Value;

        public void Dispose()
        {
            if (_device.IsValueCreated)
                _device.Value.Dispose();
        }
    }
}
