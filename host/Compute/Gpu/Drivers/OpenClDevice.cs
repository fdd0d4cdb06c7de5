using System.Text;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>OpenCL's devices: GPUs of any maker, and processors that a driver offers as one.</summary>
internal sealed unsafe class OpenClDevice : IDevice
{
    private const string Driver = "OpenCL";
    private const int NotFound = -1;
    private const int NoPlatform = -1001;
    private const ulong AnyType = 0xFFFFFFFF;
    private const ulong Gpu = 1 << 2;
    private const ulong Accelerator = 1 << 3;
    private const ulong Denormals = 1 << 0;
    private const ulong ExactDivision = 1 << 7;

    private readonly OpenClFunctions _functions;
    private readonly nint _id;

    private OpenClDevice(OpenClFunctions functions, nint id, int index)
    {
        (_functions, _id) = (functions, id);
        var numbers = Number(0x101B);
        Info = new("opencl", index, Text(0x102B))
        {
            Version = $"{Text(0x102F)}, driver {Text(0x102D)}",
            Memory = (long)Number(0x101F),
            LargestBuffer = (long)Number(0x1010),
            Units = (int)Number(0x1002),
            IsGpu = (Number(0x1000) & (Gpu | Accelerator)) != 0,
            HasFloat64 = Number(0x1032) != 0,
            HasSubnormals = (numbers & Denormals) != 0,
            HasExactDivision = (numbers & ExactDivision) != 0,
            IsRecentEnough = !Text(0x102F).StartsWith("OpenCL 1.0", StringComparison.Ordinal)
                && !Text(0x102F).StartsWith("OpenCL 1.1", StringComparison.Ordinal),
        };
    }

    public DeviceInfo Info { get; }

    /// <summary>Whether this is a card that CUDA offers, too.</summary>
    public bool IsNvidia => Text(0x102C).StartsWith("NVIDIA", StringComparison.Ordinal);

    /// <summary>All devices, in the order of their platforms; none is no error.</summary>
    /// <exception cref="DeviceException">The driver is missing, or too old.</exception>
    public static IReadOnlyList<OpenClDevice> All()
    {
        PoclSignals.LeaveAlone();
        var functions = new OpenClFunctions(DriverLibrary.Open(Driver, "libOpenCL.so.1", "libnvidia-opencl.so.1"));
        uint count = 0;
        var code = functions.GetPlatformIDs(0, null, &count);
        if (code is NoPlatform || count == 0)
            return [];
        Check(code, Driver, "listing its platforms");
        var platforms = stackalloc nint[(int)count];
        Check(functions.GetPlatformIDs(count, platforms, null), Driver, "listing its platforms");
        var all = new List<OpenClDevice>();
        for (var p = 0; p < count; p++)
        {
            uint found = 0;
            code = functions.GetDeviceIDs(platforms[p], AnyType, 0, null, &found);
            if (code == NotFound || found == 0)
                continue;
            Check(code, Driver, "listing its devices");
            var ids = new nint[found];
            fixed (nint* first = ids)
                Check(functions.GetDeviceIDs(platforms[p], AnyType, found, first, null), Driver, "listing its devices");
            foreach (var id in ids)
                all.Add(new(functions, id, all.Count));
        }
        return all;
    }

    public DeviceContext Open() => new OpenClContext(_functions, _id, Info);

    public static void Check(int code, string device, string doing)
    {
        if (code != 0)
            throw DeviceException.Of(OpenClErrors.Fault(code), device, doing, OpenClErrors.Text(code));
    }

    // Zero for what the device does not know.
    private ulong Number(uint what)
    {
        ulong value = 0;
        return _functions.GetDeviceInfo(_id, what, sizeof(ulong), &value, null) == 0 ? value : 0;
    }

    private string Text(uint what)
    {
        nuint bytes = 0;
        if (_functions.GetDeviceInfo(_id, what, 0, null, &bytes) != 0 || bytes == 0)
            return "";
        var text = new byte[bytes];
        fixed (byte* first = text)
            Check(_functions.GetDeviceInfo(_id, what, bytes, first, null), Driver, "asking for its name");
        return Encoding.UTF8.GetString(text).TrimEnd('\0').Trim();
    }
}
