using System.CommandLine;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Merging;

namespace Merge.Commands;

/// <summary>What computes: the options, and what follows of them.</summary>
internal static class DeviceOptions
{
    // Enough for copies to run at the bus's speed; more would only take memory.
    private const int MostBlockBytes = 16 << 20;
    private const int LeastBlockBytes = 1 << 20;

    // One reads, one copies, one computes, one writes.
    private const int LeastThreads = 4;

    // What a block becomes on the device beside its bytes: float32 values between kernels.
    private const int ShareOfBlock = 8;

    public static Option<DeviceChoice> Device()
    {
        var option = new Option<DeviceChoice>("--device")
        {
            Description = "What computes: cpu (the default), gpu, gpu:1 …, cuda:0 …, opencl:0 …, or auto, a GPU if there is one. "
                + "Never changes the result.",
            HelpName = "DEVICE",
            CustomParser = argument =>
            {
                var text = argument.Tokens[0].Value;
                if (DeviceChoice.Parse(text) is { } choice)
                    return choice;
                argument.AddError($"--device is '{text}'; expected {DeviceChoice.Expected}");
                return null;
            },
        };
        option.CompletionSources.Add(DeviceChoice.Names);
        return option;
    }

    public static Option<long?> Memory() => new("--gpu-memory")
    {
        Description = "Memory of the GPU that may be used. Default four fifths of what is free. Never changes the result.",
        HelpName = "SIZE",
        CustomParser = ByteSize.Parse,
    };

    /// <summary>The device that was named; null: the processor. The caller disposes it.</summary>
    public static GpuDevice? Open(DeviceChoice? choice, long? memory, Terminal terminal)
    {
        if (choice is null)
            return null;
        var context = new DeviceSearch().Open(choice, memory, out var remark);
        if (context is not null)
            remark = $"{context.Info} computes, with up to {MemoryText.Of(context.Budget)} of its memory";
        if (remark is not null)
            terminal.Note(remark);
        return context is null ? null : new(context);
    }

    /// <summary>Settings with blocks and threads that suit the device; what the user said stays.</summary>
    public static RunSettings On(this RunSettings settings, GpuDevice? device, int? threads, long? memory)
    {
        if (device is null)
            return settings;
        var workers = threads ?? Math.Max(settings.Threads, LeastThreads);
        var block = (int)Math.Clamp(device.Context.Budget / workers / ShareOfBlock, LeastBlockBytes, MostBlockBytes);
        return settings with
        {
            Device = device,
            Threads = workers,
            BlockBytes = block,
            Memory = memory ?? Math.Max(settings.Memory, 2L * block * workers),
        };
    }
}
