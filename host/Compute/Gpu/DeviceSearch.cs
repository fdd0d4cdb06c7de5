using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>Finds the device that a choice means.</summary>
/// <param name="cuda">Lists CUDA's devices.</param>
/// <param name="openCl">Lists OpenCL's devices; with each whether it is a card that CUDA has, too.</param>
internal sealed class DeviceSearch(Func<IReadOnlyList<IDevice>> cuda, Func<IReadOnlyList<(IDevice Device, bool IsNvidia)>> openCl)
{
    // The rest is for what the driver needs itself, and for other programs.
    private const double ShareOfFree = 0.8;

    /// <summary>Of this machine.</summary>
    public DeviceSearch()
        : this(() => CudaDevice.All(), () => [.. OpenClDevice.All().Select(d => ((IDevice)d, d.IsNvidia))])
    {
    }

    /// <summary>Opens it; null where the processor is to compute.</summary>
    /// <param name="choice">Which.</param>
    /// <param name="memory">Bytes of its memory that may be used; null: most of what is free.</param>
    /// <param name="remark">What a person should know of the choice; null: nothing.</param>
    /// <exception cref="MergeException">There is none, or it cannot be used, and the processor was not allowed for.</exception>
    public DeviceContext? Open(DeviceChoice choice, long? memory, out string? remark)
    {
        remark = null;
        if (choice.Kind == DeviceKind.Cpu)
            return null;
        if (memory < DeviceInfo.LeastMemory)
            throw TooLittle(memory.Value);
        try
        {
            var context = Find(choice).Open();
            try
            {
                context.Budget = memory ?? (long)(context.FreeMemory() * ShareOfFree);
                return context;
            }
            catch
            {
                context.Dispose();
                throw;
            }
        }
        catch (MergeException fault) when (choice.Kind == DeviceKind.Auto)
        {
            remark = $"The processor computes: {string.Join("; ", fault.Diagnostics.Select(d => d.Found))}";
            return null;
        }
    }

    private IDevice Find(DeviceChoice choice)
    {
        var faults = new List<Diagnostic>();
        IDevice[] all = [.. Candidates(choice.Kind, faults)];
        if (choice.Index is { } index)
        {
            if (index >= all.Length)
                throw Missing(choice, all, faults);
            return all[index].Info.Refusals() is { Count: > 0 } refusals ? throw new MergeException(refusals) : all[index];
        }
        foreach (var device in all)
        {
            if (device.Info.Refusals() is not { Count: > 0 } refusals)
                return device;
            faults.AddRange(refusals);
        }
        throw all.Length == 0 ? Missing(choice, all, faults) : new MergeException(faults);
    }

    private IEnumerable<IDevice> Candidates(DeviceKind kind, List<Diagnostic> faults)
    {
        var ofCuda = kind == DeviceKind.OpenCl ? [] : List(cuda, faults);
        if (kind == DeviceKind.Cuda)
            return ofCuda;
        var ofOpenCl = List(openCl, faults);
        return kind == DeviceKind.OpenCl
            ? ofOpenCl.Select(d => d.Device)
            : ofCuda.Concat(ofOpenCl.Where(d => d.Device.Info.IsGpu && !(d.IsNvidia && ofCuda.Count > 0)).Select(d => d.Device));
    }

    private static IReadOnlyList<T> List<T>(Func<IReadOnlyList<T>> list, List<Diagnostic> faults)
    {
        try
        {
            return list();
        }
        catch (DeviceException fault)
        {
            faults.AddRange(fault.Diagnostics);
            return [];
        }
    }

    private static MergeException TooLittle(long memory) => new(
        new Diagnostic($"--gpu-memory is {MemoryText.Of(memory)}")
        {
            Expected = $"at least {MemoryText.Of(DeviceInfo.LeastMemory)}",
            Fix = "Raise it, or leave it out: then most of what is free is used.",
        })
    {
        WrongUsage = true,
    };

    private static MergeException Missing(DeviceChoice choice, IDevice[] all, List<Diagnostic> faults) => new(
    [
        new($"there is no device {choice}")
        {
            Expected = all.Length == 0
                ? "a GPU that a driver offers"
                : string.Join(", ", all.Select((d, i) => $"{choice with { Index = i }} ({d.Info.Name})")),
            Fix = "--device cpu does the same merge on the processor",
        },
        .. faults,
    ])
    {
        WrongUsage = all.Length > 0,
    };
}
