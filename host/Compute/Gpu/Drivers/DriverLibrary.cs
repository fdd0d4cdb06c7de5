using System.Runtime.InteropServices;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>Where a driver's functions come from: a library of the system, or what stands in for it in a test.</summary>
/// <param name="device">What messages call the driver.</param>
/// <param name="resolve">Gives a function's address, 0 if there is none.</param>
internal sealed class DriverLibrary(string device, Func<string, nint> resolve)
{
    /// <summary>The first of the libraries that is there.</summary>
    /// <exception cref="DeviceException">None is.</exception>
    public static DriverLibrary Open(string device, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (NativeLibrary.TryLoad(name, out var library))
                return new(device, function => NativeLibrary.TryGetExport(library, function, out var address) ? address : 0);
        }
        throw DeviceException.Of(
            DeviceFault.DriverMissing, device, "loading it", $"no {string.Join(", no ", names.ToArray())}");
    }

    /// <exception cref="DeviceException">The library lacks it.</exception>
    public nint Function(string name) => resolve(name) is not 0 and var address
        ? address
        : throw DeviceException.Of(DeviceFault.DriverTooOld, device, "looking up its functions", $"it lacks {name}");
}
