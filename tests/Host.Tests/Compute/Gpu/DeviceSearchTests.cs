using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Host.Tests.Compute.Gpu;

public sealed class DeviceSearchTests
{
    private static readonly DeviceInfo Card = new("cuda", 0, "Card")
    {
        Memory = 8L << 30,
        IsGpu = true,
        HasFloat64 = true,
        HasSubnormals = true,
        HasExactDivision = true,
    };

    private static readonly DeviceInfo Radeon = Card with { Driver = "opencl", Index = 1, Name = "Other maker's" };

    private static readonly DeviceInfo Processor = Card with { Driver = "opencl", Index = 0, Name = "Processor", IsGpu = false };

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("gpu:3", "gpu:3")]
    [InlineData("cuda", "cuda")]
    [InlineData("opencl:0", "opencl:0")]
    [InlineData("auto", "auto")]
    [InlineData("auto:0", null)]
    [InlineData("cpu:0", null)]
    [InlineData("gpu:", null)]
    [InlineData("gpu:-1", null)]
    [InlineData("gpu:1.5", null)]
    [InlineData("GPU", null)]
    [InlineData("", null)]
    public void A_choice_is_read_as_written(string text, string? read) =>
        Assert.Equal(read, DeviceChoice.Parse(text)?.ToString());

    [Theory]
    [InlineData("gpu", "Card")]
    [InlineData("auto", "Card")]
    [InlineData("gpu:1", "Other maker's")]
    [InlineData("cuda:0", "Card")]
    [InlineData("opencl", "Processor")]
    [InlineData("opencl:1", "Other maker's")]
    public void Cards_come_first_and_a_processor_only_where_OpenCL_is_named(string choice, string name) =>
        Assert.Equal(name, Opened(Search([Card], [Processor, Radeon]), choice)!.Info.Name);

    [Fact]
    public void A_card_that_both_drivers_offer_is_CUDAs()
    {
        var twice = Card with { Driver = "opencl", Index = 0, Name = "Card through OpenCL" };
        var search = new DeviceSearch(() => [new Listed(Card)], () => [(new Listed(twice), true)]);
        Assert.Equal("Card", Opened(search, "gpu:0")!.Info.Name);
        Assert.Contains("no device gpu:1", Assert.Throws<MergeException>(() => Opened(search, "gpu:1")).Message);
        var without = new DeviceSearch(() => [], () => [(new Listed(twice), true)]);
        Assert.Equal("Card through OpenCL", Opened(without, "gpu")!.Info.Name);
    }

    [Fact]
    public void Without_a_driver_auto_takes_the_processor_and_says_so_in_one_line()
    {
        var search = new DeviceSearch(() => throw NoDriver("CUDA"), () => throw NoDriver("OpenCL"));
        Assert.Null(search.Open(new(DeviceKind.Auto), null, out var remark));
        Assert.StartsWith("The processor computes: there is no device auto", remark);
        Assert.Contains("the driver of CUDA is not installed", remark);
        Assert.DoesNotContain('\n', remark!);
    }

    [Fact]
    public void Without_a_driver_gpu_is_an_error_that_names_every_driver()
    {
        var search = new DeviceSearch(() => throw NoDriver("CUDA"), () => throw NoDriver("OpenCL"));
        var fault = Assert.Throws<MergeException>(() => Opened(search, "gpu"));
        Assert.Equal(3, fault.Diagnostics.Count);
        Assert.All(fault.Diagnostics, d => Assert.Contains("--device cpu", d.Fix));
    }

    [Fact]
    public void The_processor_needs_no_driver()
    {
        var search = new DeviceSearch(() => throw NoDriver("CUDA"), () => throw NoDriver("OpenCL"));
        Assert.Null(search.Open(new(DeviceKind.Cpu), null, out var remark));
        Assert.Null(remark);
    }

    [Fact]
    public void A_number_beyond_the_devices_lists_them()
    {
        var fault = Assert.Throws<MergeException>(() => Opened(Search([Card], [Radeon]), "gpu:2"));
        Assert.Equal("gpu:0 (Card), gpu:1 (Other maker's)", Assert.Single(fault.Diagnostics).Expected);
        Assert.True(fault.WrongUsage);
    }

    public static TheoryData<string, string> Lacks => new()
    {
        { "float64", "has no float64 arithmetic" },
        { "subnormals", "flushes subnormal float32 numbers" },
        { "division", "does not round float32 division" },
        { "memory", "has only 200 MiB of memory" },
    };

    [Theory]
    [MemberData(nameof(Lacks))]
    public void A_device_that_would_give_other_results_is_refused_by_name(string what, string says)
    {
        var weak = what switch
        {
            "float64" => Card with { HasFloat64 = false },
            "subnormals" => Card with { HasSubnormals = false },
            "division" => Card with { HasExactDivision = false },
            _ => Card with { Memory = 200 << 20 },
        };
        var found = Assert.Single(Assert.Throws<MergeException>(() => Opened(Search([weak], []), "gpu")).Diagnostics).Found;
        Assert.Contains("Card (cuda:0)", found);
        Assert.Contains(says, found);
        Assert.Equal("Other maker's", Opened(Search([weak], [Radeon]), "gpu")!.Info.Name);
        Assert.Throws<MergeException>(() => Opened(Search([weak], [Radeon]), "gpu:0"));
    }

    [Fact]
    public void A_device_that_cannot_be_opened_is_left_by_auto_alone()
    {
        var search = new DeviceSearch(() => [new Listed(Card, true)], () => []);
        Assert.Null(search.Open(new(DeviceKind.Auto), null, out var remark));
        Assert.Contains("lost", remark);
        Assert.Throws<DeviceException>(() => Opened(search, "gpu"));
    }

    [OpenClFact]
    public void What_may_be_used_is_what_was_said_and_else_a_share_of_what_is_free()
    {
        using var all = new DeviceSearch().Open(new(DeviceKind.OpenCl, 0), null, out _)!;
        Assert.Equal((long)(all.FreeMemory() * 0.8), all.Budget);
        using var little = new DeviceSearch().Open(new(DeviceKind.OpenCl, 0), 300 << 20, out _)!;
        using var first = little.Allocate(200 << 20);
        var fault = Assert.Throws<DeviceException>(() => little.Allocate((100 << 20) + 1));
        Assert.Equal(DeviceFault.OutOfMemory, fault.Fault);
        Assert.Contains("is allowed 300 MiB of its memory, 200 MiB are in use", fault.Message);
        Assert.Contains("Raise --gpu-memory", fault.Message);
        first.Dispose();
        using var second = little.Allocate(300 << 20);
        Assert.Equal(300 << 20, little.Allocated);
    }

    [Fact]
    public void Too_little_memory_is_a_wrong_command_line_even_where_auto_would_leave_the_device()
    {
        var search = Search([Card], []);
        var fault = Assert.Throws<MergeException>(() => search.Open(new(DeviceKind.Auto), 1 << 20, out _));
        Assert.True(fault.WrongUsage);
        Assert.Contains("--gpu-memory is 1 MiB; expected at least 256 MiB", fault.Message);
    }

    private static DeviceSearch Search(DeviceInfo[] cuda, DeviceInfo[] openCl) => new(
        () => [.. cuda.Select(i => new Listed(i))], () => [.. openCl.Select(i => ((IDevice)new Listed(i), false))]);

    private static Opening? Opened(DeviceSearch search, string choice) =>
        (Opening?)search.Open(DeviceChoice.Parse(choice)!, 1 << 30, out _);

    private static DeviceException NoDriver(string name) =>
        DeviceException.Of(DeviceFault.DriverMissing, name, "loading it", "no library");

    private sealed class Listed(DeviceInfo info, bool isLost = false) : IDevice
    {
        public DeviceInfo Info => info;

        public DeviceContext Open() => isLost
            ? throw DeviceException.Of(DeviceFault.DeviceLost, info.ToString(), "opening it", "no answer")
            : new Opening(info);
    }

    private sealed class Opening(DeviceInfo info) : DeviceContext(info)
    {
        public override ProgramLanguage Language => ProgramLanguage.Ptx;

        public override long FreeMemory() => Info.Memory;

        public override DeviceStream CreateStream() => throw new NotSupportedException();

        public override DeviceModule Load(string name, string text) => throw new NotSupportedException();

        public override void Dispose()
        {
        }

        protected override DeviceBuffer AllocateChecked(long bytes) => throw new NotSupportedException();

        protected override PinnedBuffer AllocatePinnedChecked(long bytes) => throw new NotSupportedException();
    }
}
