using System.Runtime.InteropServices;
using Merge.Compute.Gpu.Drivers;

namespace Host.Tests.Compute.Gpu;

/// <summary>What the driver interface promises, on an OpenCL device.</summary>
public sealed class OpenClDriverTests
{
    private const string Scale = """
        #pragma OPENCL FP_CONTRACT OFF
        __kernel void scale(__global const float *x, __global float *y, float factor, long count)
        {
            for (long i = get_global_id(0); i < count; i += get_global_size(0))
                y[i] = factor * x[i];
        }
        """;

    [OpenClFact]
    public void An_integer_division_by_zero_is_still_an_exception()
    {
        using var context = Open();
        var zero = OpenClDevice.All().Count - OpenClDevice.All().Count;
        Assert.Throws<DivideByZeroException>(() => 1 / zero);
    }

    [OpenClFact]
    public void A_program_computes_what_was_copied_in()
    {
        using var context = Open();
        using var stream = context.CreateStream();
        using var module = context.Load("scale", Scale);
        using var kernel = module.Kernel("scale");
        const int count = 1001;
        using var host = context.AllocatePinned(count * sizeof(float));
        using var x = context.Allocate(count * sizeof(float));
        using var y = context.Allocate(count * sizeof(float));
        var values = MemoryMarshal.Cast<byte, float>(host.Span);
        for (var i = 0; i < count; i++)
            values[i] = i - 500;
        stream.CopyIn(host.Address, x, 0, host.Length);
        stream.Launch(kernel, LaunchShape.Over(count), x, y, 3f, (long)count);
        stream.CopyOut(y, 0, host.Address, host.Length);
        stream.Synchronise();
        Assert.Equal([.. Enumerable.Range(0, count).Select(i => 3f * (i - 500))], values.ToArray());
    }

    [OpenClFact]
    public void Memory_is_filled_and_copied_at_offsets()
    {
        using var context = Open();
        using var stream = context.CreateStream();
        using var a = context.Allocate(64);
        using var b = context.Allocate(64);
        stream.Fill(a, 0, 64, 0x04030201);
        stream.Fill(b, 0, 64, 0);
        stream.Copy(a, 1, b, 10, 5);
        var bytes = new byte[20];
        stream.Read(b, 0, bytes);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 4, 1, 2, 0, 0, 0, 0, 0], bytes);
    }

    [OpenClFact]
    public void A_stream_waits_for_the_event_of_another()
    {
        using var context = Open();
        using var first = context.CreateStream();
        using var second = context.CreateStream();
        using var module = context.Load("scale", Scale);
        using var kernel = module.Kernel("scale");
        const long count = 1 << 22;
        using var x = context.Allocate(count * sizeof(float));
        using var y = context.Allocate(count * sizeof(float));
        using var begin = first.Record();
        first.Fill(x, 0, x.Length, BitConverter.SingleToUInt32Bits(2f));
        first.Launch(kernel, LaunchShape.Over(count), x, y, 5f, count);
        using var done = first.Record();
        second.WaitFor(done);
        var last = new byte[sizeof(float)];
        second.Read(y, y.Length - sizeof(float), last);
        Assert.Equal(10f, BitConverter.ToSingle(last));
        done.Wait();
        Assert.True(done.IsDone);
        Assert.True(done.MillisecondsSince(begin) > 0);
    }

    [OpenClFact]
    public void A_wrong_program_is_refused_with_the_compilers_words()
    {
        using var context = Open();
        var fault = Assert.Throws<DeviceException>(() => context.Load("a slip", "__kernel void f() { undeclared = 1; }"));
        Assert.Equal(DeviceFault.BadProgram, fault.Fault);
        Assert.Contains("compiling a slip", fault.Message);
        Assert.Contains("undeclared", fault.Message);
    }

    [OpenClFact]
    public void A_missing_kernel_is_a_fault_of_the_program()
    {
        using var context = Open();
        using var module = context.Load("scale", Scale);
        var fault = Assert.Throws<DeviceException>(() => module.Kernel("sacle"));
        Assert.Equal(DeviceFault.BadProgram, fault.Fault);
        Assert.Contains("sacle", fault.Message);
    }

    [OpenClFact]
    public void More_memory_than_there_is_is_out_of_memory()
    {
        using var context = Open();
        var fault = Assert.Throws<DeviceException>(() => context.Allocate(context.Info.LargestBuffer + (1L << 40)));
        Assert.Equal(DeviceFault.OutOfMemory, fault.Fault);
        Assert.Contains("--gpu-memory", fault.Message);
    }

    [OpenClFact]
    public void A_copy_beyond_a_buffer_is_stopped_before_the_driver_sees_it()
    {
        using var context = Open();
        using var stream = context.CreateStream();
        using var buffer = context.Allocate(16);
        var bytes = new byte[8];
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Read(buffer, 9, bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Write(bytes, buffer, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Fill(buffer, 0, 20, 0));
        Assert.Throws<ArgumentException>(() => stream.Fill(buffer, 2, 4, 0));
    }

    [OpenClFact]
    public void A_launch_without_an_argument_is_a_wrong_call()
    {
        using var context = Open();
        using var stream = context.CreateStream();
        using var module = context.Load("scale", Scale);
        using var kernel = module.Kernel("scale");
        using var x = context.Allocate(16);
        var fault = Assert.Throws<DeviceException>(() => stream.Launch(kernel, LaunchShape.Over(1), x, x));
        Assert.Equal(DeviceFault.BadArgument, fault.Fault);
        Assert.Contains("scale", fault.Message);
    }

    private static DeviceContext Open() => OpenClDevice.All()[0].Open();
}
