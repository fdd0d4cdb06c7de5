using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Merge.Testing.Engine;

/// <summary>What methods are compared on beside the processor, or why there is none.</summary>
/// <param name="engine">Runs on it; null: there is none.</param>
/// <param name="text">What it is called, or why there is none.</param>
/// <param name="required">Whether the caller named it, so that it must be there.</param>
internal sealed class DeviceEngine(IMergeEngine? engine, string text, bool required = false) : IDisposable
{
    private GpuDevice? _device;

    public IMergeEngine? Engine => engine;

    public string Text => text;

    public bool IsRequired => required;

    /// <summary>Finds a device.</summary>
    /// <param name="named">As <c>--device</c> names it; null: the first that can be used, CUDA's, then OpenCL's, processors that
    /// OpenCL offers among them.</param>
    public static DeviceEngine Find(string? named)
    {
        DeviceChoice[] choices = [new(DeviceKind.Gpu), new(DeviceKind.OpenCl)];
        if (named is not null)
        {
            if (DeviceChoice.Parse(named) is not { } choice)
                return new(null, $"'{named}' is no device; expected {DeviceChoice.Expected}", required: true);
            choices = [choice];
        }
        var reasons = new List<string>();
        foreach (var choice in choices)
        {
            try
            {
                if (new DeviceSearch().Open(choice, null, out var remark) is { } context)
                {
                    var device = new GpuDevice(context);
                    return new(new StreamedEngine(device), $"{context.Info}") { _device = device };
                }
                return new(null, remark ?? "the processor was asked for");
            }
            catch (MergeException e)
            {
                reasons.AddRange(e.Diagnostics.Select(d => d.Found));
            }
        }
        return new(null, string.Join("; ", reasons.Distinct()), required: named is not null);
    }

    public void Dispose() => _device?.Dispose();
}
