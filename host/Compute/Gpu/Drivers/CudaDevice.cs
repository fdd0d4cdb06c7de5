using System.Runtime.InteropServices;
using System.Text;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>NVIDIA's cards, through the driver's own interface.</summary>
internal sealed unsafe class CudaDevice : IDevice
{
    private const string Driver = "CUDA";
    private const int LeastVersion = 11000;
    private const int LeastCapability = 70;
    private const int NoDevice = 100;

    private readonly CudaFunctions _functions;
    private readonly int _device;

    private CudaDevice(CudaFunctions functions, int device, int index, int version)
    {
        (_functions, _device) = (functions, device);
        var name = stackalloc byte[256];
        Check(functions, functions.DeviceGetName(name, 255, device), Driver, "asking for a device's name");
        nuint memory;
        Check(functions, functions.DeviceTotalMem(&memory, device), Driver, "asking for a device's memory");
        var capability = (10 * Attribute(75)) + Attribute(76);
        Info = new("cuda", index, Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)))
        {
            Version = $"compute capability {capability / 10}.{capability % 10}, "
                + $"driver for CUDA {version / 1000}.{version % 1000 / 10}",
            Memory = (long)memory,
            LargestBuffer = (long)memory,
            Units = Attribute(16),
            IsGpu = true,
            // Every card that is recent enough has them.
            HasFloat64 = true,
            HasSubnormals = true,
            HasExactDivision = true,
            IsRecentEnough = capability >= LeastCapability,
        };
    }

    public DeviceInfo Info { get; }

    /// <summary>All devices; none is no error.</summary>
    /// <exception cref="DeviceException">The driver is missing, or too old.</exception>
    public static IReadOnlyList<CudaDevice> All() => All(DriverLibrary.Open(Driver, "libcuda.so.1"));

    public static IReadOnlyList<CudaDevice> All(DriverLibrary library)
    {
        var functions = new CudaFunctions(library);
        var code = functions.Init(0);
        if (code == NoDevice)
            return [];
        Check(functions, code, Driver, "starting the driver");
        int version, count;
        Check(functions, functions.DriverGetVersion(&version), Driver, "asking for the driver's version");
        if (version < LeastVersion)
        {
            throw DeviceException.Of(
                DeviceFault.DriverTooOld, Driver, "asking for the driver's version",
                $"it is for CUDA {version / 1000}.{version % 1000 / 10}");
        }
        Check(functions, functions.DeviceGetCount(&count), Driver, "listing its devices");
        var all = new List<CudaDevice>();
        for (var i = 0; i < count; i++)
        {
            int device;
            Check(functions, functions.DeviceGet(&device, i), Driver, "listing its devices");
            all.Add(new(functions, device, i, version));
        }
        return all;
    }

    public DeviceContext Open() => new CudaContext(_functions, _device, Info);

    public static void Check(CudaFunctions functions, int code, string device, string doing)
    {
        if (code != 0)
            throw DeviceException.Of(CudaErrors.Fault(code), device, doing, Text(functions, code));
    }

    public static string Text(CudaFunctions functions, int code)
    {
        byte* name;
        return functions.GetErrorName(code, &name) == 0 && name != null
            ? $"{Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name))}, {code}"
            : $"CUDA error {code}";
    }

    private int Attribute(int what)
    {
        int value;
        Check(_functions, _functions.DeviceGetAttribute(&value, what, _device), Driver, "asking what a device can do");
        return value;
    }
}
