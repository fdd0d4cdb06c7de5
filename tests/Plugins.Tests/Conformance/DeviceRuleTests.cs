using Host.Tests.Compute.Gpu;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;
using Merge.Testing;
using Merge.Testing.Engine;

namespace Plugins.Tests.Conformance;

/// <summary>The rule that a device gives the processor's bytes can fail, and never passes in silence.</summary>
public sealed class DeviceRuleTests
{
    [Fact]
    public void One_bit_of_one_element_that_differs_is_found()
    {
        var found = Assert.Single(On(new DeviceEngine(new FlipsOneBit(), "the stand-in")));
        Assert.Equal(ConformanceRule.Device, found.Rule);
        Assert.False(found.NotChecked);
        Assert.StartsWith("on the stand-in other bits come out than on the processor: element 407 of 'layers.0.weight'", found.Found);
    }

    [Fact]
    public void A_device_that_fails_is_found()
    {
        var found = Assert.Single(On(new DeviceEngine(new IsLost(), "the stand-in")));
        Assert.Equal(ConformanceRule.Device, found.Rule);
        Assert.False(found.NotChecked);
        Assert.Contains("the device is lost", found.Found);
    }

    [Fact]
    public void Without_a_device_the_rule_says_that_it_was_not_checked()
    {
        var found = Assert.Single(On(new DeviceEngine(null, "no driver")));
        Assert.True(found.NotChecked);
        Assert.StartsWith("Device: not checked: no driver.", found.ToString());
        var report = StrategyConformance.Check(new Sound(), new() { Device = "cpu" });
        Assert.True(Assert.Single(report.Findings).NotChecked);
        Assert.Null(report.Device);
        Assert.DoesNotContain(ConformanceRule.Device, report.Held);
        Assert.Contains("compared with no device", $"{report}");
    }

    [Fact]
    public void The_report_names_the_device_and_the_rules_that_hold()
    {
        var same = new DeviceEngine(new StreamedEngine(), "the stand-in");
        var report = StrategyConformance.Examine(new StreamedEngine(), same, new Sound(), new());
        Assert.Equal("the stand-in", report.Device);
        // The order of one model is nothing that was asked for.
        Assert.Equal(Enum.GetValues<ConformanceRule>().Except([ConformanceRule.Permutation]), report.Held.Order());
        Assert.Contains("with the same bytes on the stand-in", $"{report}");
    }

    [Theory]
    [InlineData("opencl:999", "there is no device opencl:999")]
    [InlineData("tpu", "'tpu' is no device; expected cpu, auto, gpu")]
    public void A_device_that_was_named_must_be_there(string named, string said)
    {
        var error = Assert.Throws<ConformanceException>(() => StrategyConformance.Check(new Sound(), new() { Device = named }));
        var found = Assert.Single(error.Findings);
        Assert.Equal(ConformanceRule.Device, found.Rule);
        Assert.Contains(said, found.Found);
    }

    [OpenClFact]
    public void Where_a_device_is_it_is_found_and_computes()
    {
        var report = StrategyConformance.Check(new Sound());
        Assert.Empty(report.Findings);
        Assert.NotNull(report.Device);
        using var device = new GpuDevice(OpenClDevice.All()[0].Open());
        Assert.Empty(On(new DeviceEngine(new StreamedEngine(device), "it")));
        Assert.NotEqual(0, device.CompiledCount);
    }

    private static IReadOnlyList<ConformanceFinding> On(DeviceEngine device) =>
        StrategyConformance.Examine(new StreamedEngine(), device, new Sound(), new()).Findings;

    private sealed class FlipsOneBit : IMergeEngine
    {
        public IReadOnlyDictionary<string, float[]> Merge(
            MergeStrategy strategy, object options, TestModels models, EngineSettings settings)
        {
            var merged = new StreamedEngine().Merge(strategy, options, models, settings);
            var values = merged["layers.0.weight"];
            values[^1] = float.BitIncrement(values[^1]);
            return merged;
        }

        public long Allocated(MergeStrategy strategy, object options, TestModels models) => throw new NotSupportedException();
    }

    private sealed class IsLost : IMergeEngine
    {
        public IReadOnlyDictionary<string, float[]> Merge(
            MergeStrategy strategy, object options, TestModels models, EngineSettings settings) =>
            throw new MergeException(new Diagnostic("the device is lost"));

        public long Allocated(MergeStrategy strategy, object options, TestModels models) => throw new NotSupportedException();
    }
}
