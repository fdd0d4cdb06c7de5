using System.Runtime.InteropServices;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Host.Tests.Compute.Gpu;

/// <summary>The host's side of CUDA, against a stand-in for the driver.</summary>
public sealed class CudaDriverTests : IDisposable
{
    private const string Scale = """
        .version 6.0
        .target sm_70
        .address_size 64
        .visible .entry scale(
            .param .u64 .ptr .global .align 4 scale_param_0,
            .param .u64 .ptr .global .align 4 scale_param_1,
            .param .f32 scale_param_2,
            .param .u64 scale_param_3
        )
        {
            ret;
        }
        """;

    private readonly DriverLibrary _library = StandInCuda.Library();

    public static TheoryData<string, int, string, Actor> Faults => new()
    {
        { "cuMemAlloc", 2, nameof(DeviceFault.OutOfMemory), Actor.User },
        { "cuMemHostAlloc", 2, nameof(DeviceFault.OutOfMemory), Actor.User },
        { "cuDevicePrimaryCtxRetain", 101, nameof(DeviceFault.NoDevice), Actor.User },
        { "cuDevicePrimaryCtxRetain", 46, nameof(DeviceFault.DeviceLost), Actor.User },
        { "cuInit", 803, nameof(DeviceFault.DriverTooOld), Actor.User },
        { "cuInit", 35, nameof(DeviceFault.DriverTooOld), Actor.User },
        { "cuDeviceGetCount", 100, nameof(DeviceFault.NoDevice), Actor.User },
        { "cuModuleLoadDataEx", 218, nameof(DeviceFault.BadProgram), Actor.Developers },
        { "cuModuleLoadDataEx", 222, nameof(DeviceFault.DriverTooOld), Actor.User },
        { "cuModuleGetFunction", 500, nameof(DeviceFault.BadProgram), Actor.Developers },
        { "cuStreamCreate", 1, nameof(DeviceFault.BadArgument), Actor.Developers },
        { "cuMemcpyHtoDAsync", 1, nameof(DeviceFault.BadArgument), Actor.Developers },
        { "cuMemcpyDtoHAsync", 716, nameof(DeviceFault.LaunchFailed), Actor.Developers },
        { "cuMemsetD32Async", 400, nameof(DeviceFault.BadArgument), Actor.Developers },
        { "cuLaunchKernel", 701, nameof(DeviceFault.LaunchFailed), Actor.Developers },
        { "cuStreamSynchronize", 700, nameof(DeviceFault.LaunchFailed), Actor.Developers },
        { "cuStreamSynchronize", 719, nameof(DeviceFault.LaunchFailed), Actor.Developers },
        { "cuStreamSynchronize", 214, nameof(DeviceFault.DeviceLost), Actor.User },
        { "cuStreamSynchronize", 999, nameof(DeviceFault.DeviceLost), Actor.User },
        { "cuEventSynchronize", 709, nameof(DeviceFault.DeviceLost), Actor.User },
        { "cuEventRecord", 400, nameof(DeviceFault.BadArgument), Actor.Developers },
        { "cuCtxSetCurrent", 201, nameof(DeviceFault.DeviceLost), Actor.User },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_says_what_it_is_and_who_must_act(string function, int code, string expected, Actor actor)
    {
        StandInCuda.Fail(function, code);
        var fault = Assert.Throws<DeviceException>(RunOnce);
        Assert.Equal(expected, fault.Fault.ToString());
        Assert.Equal(actor, Assert.Single(fault.Diagnostics).Actor);
        Assert.Contains($"CUDA_ERROR_OF_CODE_{code}", fault.Message);
        Assert.Contains("--device cpu", fault.Message);
        StandInCuda.Library();
        RunOnce();
    }

    [Fact]
    public void Nothing_is_alive_after_a_run()
    {
        RunOnce();
        Assert.Equal("", StandInCuda.Alive);
        Assert.Equal(["scale"], StandInCuda.Launched);
        Assert.Empty(StandInCuda.Violations);
    }

    [Theory]
    [InlineData("cuMemAlloc", 1)]
    [InlineData("cuMemHostAlloc", 0)]
    [InlineData("cuModuleGetFunction", 0)]
    [InlineData("cuLaunchKernel", 0)]
    [InlineData("cuMemcpyDtoHAsync", 0)]
    [InlineData("cuEventRecord", 0)]
    [InlineData("cuStreamSynchronize", 0)]
    public void Nothing_is_alive_after_a_run_that_failed(string function, int after)
    {
        StandInCuda.Fail(function, 1, after);
        Assert.Throws<DeviceException>(RunOnce);
        // What is given back must not fail, too.
        Assert.Equal("", StandInCuda.Alive);
        Assert.Empty(StandInCuda.Violations);
    }

    [Fact]
    public void Memory_that_a_queued_copy_needs_is_missed_when_it_is_freed_first()
    {
        using var context = CudaDevice.All(_library)[0].Open();
        using var stream = context.CreateStream();
        using var buffer = context.Allocate(16);
        using (var host = context.AllocatePinned(16))
            stream.CopyIn(host.Address, buffer, 0, 16);
        stream.Synchronise();
        Assert.Contains("freed before", Assert.Single(StandInCuda.Violations));
    }

    [Fact]
    public void The_context_is_current_on_every_thread_that_calls()
    {
        using var context = CudaDevice.All(_library)[0].Open();
        DeviceStream? stream = null;
        DeviceBuffer? buffer = null;
        OnThread(() => (stream, buffer) = (context.CreateStream(), context.Allocate(16)));
        OnThread(() => stream!.Fill(buffer!, 0, 16, 7));
        var bytes = new byte[16];
        OnThread(() => stream!.Read(buffer!, 0, bytes));
        OnThread(stream!.Dispose);
        OnThread(buffer!.Dispose);
        Assert.All(MemoryMarshal.Cast<byte, uint>(bytes).ToArray(), word => Assert.Equal(7u, word));
        Assert.Empty(StandInCuda.Violations);
    }

    [Fact]
    public void What_is_queued_is_done_when_something_waits_for_it_and_not_before()
    {
        using var context = CudaDevice.All(_library)[0].Open();
        using var first = context.CreateStream();
        using var second = context.CreateStream();
        using var buffer = context.Allocate(4);
        using var host = context.AllocatePinned(4);
        host.Span.Clear();
        first.Fill(buffer, 0, 4, 9);
        using var filled = first.Record();
        second.WaitFor(filled);
        second.CopyOut(buffer, 0, host.Address, 4);
        Assert.False(filled.IsDone);
        Assert.Equal(0, host.Span[0]);
        second.Synchronise();
        Assert.True(filled.IsDone);
        Assert.Equal(9, host.Span[0]);
    }

    [Fact]
    public void A_freed_buffer_is_not_used()
    {
        using var context = CudaDevice.All(_library)[0].Open();
        using var stream = context.CreateStream();
        var buffer = context.Allocate(16);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stream.Fill(buffer, 0, 16, 0));
        Assert.Empty(StandInCuda.Violations);
    }

    [Fact]
    public void An_old_driver_is_refused_by_its_version()
    {
        StandInCuda.Version = 10020;
        var fault = Assert.Throws<DeviceException>(() => CudaDevice.All(_library));
        Assert.Equal(DeviceFault.DriverTooOld, fault.Fault);
        Assert.Contains("CUDA 10.2", fault.Message);
    }

    [Fact]
    public void A_driver_that_lacks_a_function_is_too_old()
    {
        var fault = Assert.Throws<DeviceException>(() => CudaDevice.All(new("CUDA", _ => 0)));
        Assert.Equal(DeviceFault.DriverTooOld, fault.Fault);
        Assert.Contains("cuInit", fault.Message);
    }

    [Fact]
    public void An_old_card_is_refused_by_name()
    {
        StandInCuda.Capability = 61;
        var refusal = Assert.Single(CudaDevice.All(_library)[0].Info.Refusals());
        Assert.Contains("Stand-in (cuda:0)", refusal.Found);
        Assert.Contains("7.0", refusal.Expected);
    }

    [Fact]
    public void No_card_is_an_empty_list()
    {
        StandInCuda.Fail("cuInit", 100);
        Assert.Empty(CudaDevice.All(_library));
    }

    [Fact]
    public void The_fixed_kernels_have_the_parameters_that_the_ptx_declares()
    {
        using var context = CudaDevice.All(_library)[0].Open();
        using var module = FixedKernels.Load(context);
        using var buffer = context.Allocate(64);
        using var kernel = module.Kernel("gather_keys");
        using var stream = context.CreateStream();
        ulong[]? seen = null;
        StandInCuda.Kernels["gather_keys"] = (bits, _) => seen = bits;
        stream.Launch(kernel, LaunchShape.Over(9), buffer, 1L << 40, -9L, 7u, 0xfffffff0u, buffer, 5L, 6L, 3u);
        stream.Synchronise();
        Assert.Equal([1UL << 40, 0xfffffffffffffff7UL, 7UL, 0xfffffff0UL], seen![1..5]);
        Assert.Equal([5UL, 6UL, 3UL], seen[6..]);
    }

    public void Dispose() => StandInCuda.Library();

    // What one block of a merge does.
    private void RunOnce()
    {
        const int count = 700;
        StandInCuda.Kernels["scale"] = ScaleAll;
        using var context = CudaDevice.All(_library)[0].Open();
        using var module = context.Load("scale", Scale);
        using var kernel = module.Kernel("scale");
        using var x = context.Allocate(count * sizeof(float));
        using var y = context.Allocate(count * sizeof(float));
        using var host = context.AllocatePinned(count * sizeof(float));
        using var stream = context.CreateStream();
        MemoryMarshal.Cast<byte, float>(host.Span).Fill(2f);
        stream.CopyIn(host.Address, x, 0, host.Length);
        stream.Fill(y, 0, y.Length, 0);
        stream.Launch(kernel, LaunchShape.Over(count), x, y, 1.5f, (long)count);
        stream.CopyOut(y, 0, host.Address, host.Length);
        using var done = stream.Record();
        done.Wait();
        stream.Synchronise();
        Assert.All(MemoryMarshal.Cast<byte, float>(host.Span).ToArray(), v => Assert.Equal(3f, v));
    }

    private static unsafe void ScaleAll(ulong[] bits, long threads)
    {
        Assert.True(threads >= 700);
        for (var i = 0; i < (int)bits[3]; i++)
            ((float*)bits[1])[i] = BitConverter.UInt32BitsToSingle((uint)bits[2]) * ((float*)bits[0])[i];
    }

    private static void OnThread(Action action)
    {
        Exception? fault = null;
        var thread = new Thread(() => fault = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(fault);
    }
}
