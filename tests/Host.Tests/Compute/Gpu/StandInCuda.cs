using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Merge.Compute.Gpu.Drivers;

namespace Host.Tests.Compute.Gpu;

/// <summary>
/// Stands in for libcuda: memory of the device is memory of the host, work runs as late as the rules allow (when
/// something waits for it), and every call is checked: a context current on the thread, handles and memory that are
/// alive, copies within an allocation, launches as the PTX declares them. Any call can be told to fail. One at a time.
/// </summary>
internal static unsafe partial class StandInCuda
{
    public const long FreeMemory = 6L << 30;

    private const nint Context = 0xC0;
    private const int InvalidValue = 1;

    private static readonly nuint TotalMemory = nuint.CreateChecked(FreeMemory + (2L << 30));
    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, nint> ErrorNames = [];
    private static readonly Dictionary<string, (int Code, int After)> Failures = [];
    private static readonly Dictionary<nint, long> Device = [];
    private static readonly Dictionary<nint, long> Host = [];
    private static readonly Dictionary<nint, Queue<Action>> Streams = [];
    private static readonly Dictionary<nint, Marker> Events = [];
    private static readonly Dictionary<nint, string> Modules = [];
    private static readonly Dictionary<nint, (string Name, int[] Sizes, bool[] Pointers)> Functions = [];
    private static nint _next;
    private static int _retained;

    [ThreadStatic]
    private static nint _current;

    /// <summary>What was called against the rules.</summary>
    public static List<string> Violations { get; } = [];

    /// <summary>Names of the kernels that were run.</summary>
    public static List<string> Launched { get; } = [];

    /// <summary>What a kernel does, by its name; it gets the arguments' bits, and how many threads there are.</summary>
    public static Dictionary<string, Action<ulong[], long>> Kernels { get; } = [];

    public static int DeviceCount { get; set; }

    public static int Version { get; set; }

    public static int Capability { get; set; }

    /// <summary>What is alive, in words; empty after everything was given back.</summary>
    public static string Alive
    {
        get
        {
            lock (Gate)
            {
                (string What, int Count)[] all =
                [
                    ("device buffers", Device.Count), ("pinned buffers", Host.Count), ("streams", Streams.Count),
                    ("events", Events.Count), ("modules", Modules.Count), ("contexts", _retained),
                ];
                return string.Join(", ", all.Where(a => a.Count != 0).Select(a => $"{a.Count} {a.What}"));
            }
        }
    }

    /// <summary>The driver, as new.</summary>
    public static DriverLibrary Library()
    {
        lock (Gate)
        {
            foreach (var memory in Device.Keys.Concat(Host.Keys))
                NativeMemory.AlignedFree((void*)memory);
            Failures.Clear();
            Device.Clear();
            Host.Clear();
            Streams.Clear();
            Events.Clear();
            Modules.Clear();
            Functions.Clear();
            Violations.Clear();
            Launched.Clear();
            Kernels.Clear();
            (_next, _retained, DeviceCount, Version, Capability) = (0x1000, 0, 1, 12040, 90);
        }
        return new("CUDA", name => Table.GetValueOrDefault(name));
    }

    /// <summary>A call fails with a code, after some that do not.</summary>
    public static void Fail(string function, int code, int after = 0) => Failures[function] = (code, after);

    private static int Call(Func<int> body, bool needsContext = true, [CallerMemberName] string name = "")
    {
        lock (Gate)
        {
            if (Failures.TryGetValue(name, out var failure))
            {
                Failures[name] = (failure.Code, failure.After - 1);
                if (failure.After <= 0)
                    return failure.Code;
            }
            if (needsContext && _current != Context)
            {
                Violations.Add($"{name}: no current context on this thread");
                return 201;
            }
            return body();
        }
    }

    private static int Violation(string what, [CallerMemberName] string name = "")
    {
        Violations.Add($"{name}: {what}");
        return InvalidValue;
    }

    private static bool IsInside(Dictionary<nint, long> memory, nint address, long bytes) =>
        memory.Any(m => address >= m.Key && address + bytes <= m.Key + m.Value);

    private static int Allocate(Dictionary<nint, long> memory, nint* address, nuint bytes)
    {
        if (bytes == 0)
            return Violation("nothing is allocated");
        if (memory == Device && Device.Values.Sum() + (long)bytes > FreeMemory)
            return 2;
        *address = (nint)NativeMemory.AlignedAlloc(bytes, 256);
        memory.Add(*address, (long)bytes);
        return 0;
    }

    private static int Free(Dictionary<nint, long> memory, nint address)
    {
        if (!memory.Remove(address))
            return Violation($"{address:x} is not allocated");
        NativeMemory.AlignedFree((void*)address);
        return 0;
    }

    private static int Queue(nint stream, Action work, [CallerMemberName] string name = "")
    {
        if (!Streams.TryGetValue(stream, out var queue))
            return Violation("an unknown stream", name);
        queue.Enqueue(work);
        return 0;
    }

    private static void Run(nint stream, Marker? until = null)
    {
        while (Streams.TryGetValue(stream, out var queue) && until is not { IsDone: true } && queue.TryDequeue(out var work))
            work();
    }

    private static int Copy(nint stream, nint from, nint to, nuint bytes, nint device, [CallerMemberName] string name = "")
    {
        if (!IsInside(Device, device, (long)bytes))
            return Violation($"{bytes} bytes at {device:x} are not of one buffer", name);
        var host = device == from ? to : from;
        var isPinned = IsInside(Host, host, (long)bytes);
        return Queue(
            stream,
            () =>
            {
                if (IsInside(Device, device, (long)bytes) && (!isPinned || IsInside(Host, host, (long)bytes)))
                    Buffer.MemoryCopy((void*)from, (void*)to, bytes, bytes);
                else
                    Violation("memory was freed before the copy was done", name);
            },
            name);
    }

    private static int Launch(nint function, long threads, nint stream, void** arguments)
    {
        if (!Functions.TryGetValue(function, out var kernel))
            return Violation("an unknown kernel");
        var bits = new ulong[kernel.Sizes.Length];
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = kernel.Sizes[i] == 8 ? *(ulong*)arguments[i] : *(uint*)arguments[i];
            if (kernel.Pointers[i] && !IsInside(Device, (nint)bits[i], 1))
                return Violation($"argument {i} of {kernel.Name} is no device memory");
        }
        Launched.Add(kernel.Name);
        return Queue(stream, () => Kernels[kernel.Name](bits, threads));
    }

    private static int Load(nint* module, byte* image, byte** values)
    {
        var text = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(image));
        if (!text.Contains(".version") || !text.Contains(".address_size 64"))
        {
            "ptxas: no version\0"u8.CopyTo(new(values[0], 64));
            return 218;
        }
        *module = _next++;
        Modules.Add(*module, text);
        return 0;
    }

    private static int Find(nint* function, nint module, string name)
    {
        if (!Modules.TryGetValue(module, out var text))
            return Violation("an unknown module");
        if (Regex.Match(text, @$"\.entry {Regex.Escape(name)}\((?<parameters>[^)]*)\)") is not { Success: true } entry)
            return 500;
        string[] parameters = [.. Parameter().Matches(entry.Groups["parameters"].Value).Select(p => p.Value)];
        *function = _next++;
        Functions.Add(
            *function,
            (name, [.. parameters.Select(p => p.Contains("64") ? 8 : 4)], [.. parameters.Select(p => p.Contains(".ptr"))]));
        return 0;
    }

    [GeneratedRegex(@"\.param \.[a-z]\d+( \.ptr)?")]
    private static partial Regex Parameter();

    /// <summary>A place in a stream; without one it is done.</summary>
    private sealed class Marker
    {
        public nint Stream { get; set; }

        public bool IsDone { get; set; } = true;
    }
}
