using System.Globalization;

namespace Merge.Compute.Gpu;

/// <summary>What <c>--device</c> names.</summary>
/// <param name="Kind">Which devices may be taken.</param>
/// <param name="Index">Which of them, from 0; null: the first that can be used.</param>
internal sealed record DeviceChoice(DeviceKind Kind, int? Index = null)
{
    /// <summary>What can be written, in words.</summary>
    public const string Expected = "cpu, auto, gpu, cuda or opencl, the last three also with a number, for example gpu:1";

    private static readonly (string Name, DeviceKind Kind)[] Kinds =
    [
        ("cpu", DeviceKind.Cpu), ("auto", DeviceKind.Auto), ("gpu", DeviceKind.Gpu), ("cuda", DeviceKind.Cuda),
        ("opencl", DeviceKind.OpenCl),
    ];

    /// <summary>Names without a number.</summary>
    public static string[] Names => [.. Kinds.Select(k => k.Name)];

    public static DeviceChoice? Parse(string text)
    {
        var colon = text.IndexOf(':');
        var name = colon < 0 ? text : text[..colon];
        if (Kinds.FirstOrDefault(k => k.Name == name) is not { Name: not null } known)
            return null;
        if (colon < 0)
            return new(known.Kind);
        return known.Kind is not (DeviceKind.Cpu or DeviceKind.Auto)
            && int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new(known.Kind, index)
            : null;
    }

    public override string ToString() =>
        Kinds.First(k => k.Kind == Kind).Name + (Index is { } index ? $":{index.ToString(CultureInfo.InvariantCulture)}" : "");
}

/// <summary>Which devices a choice is made of.</summary>
internal enum DeviceKind
{
    /// <summary>The processor.</summary>
    Cpu,
    /// <summary>A GPU if there is one that can be used, else the processor.</summary>
    Auto,
    /// <summary>A GPU: NVIDIA's through CUDA, others through OpenCL.</summary>
    Gpu,
    /// <summary>One of CUDA's.</summary>
    Cuda,
    /// <summary>One of OpenCL's, processors included.</summary>
    OpenCl,
}
