using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Plugins.Tests.Golden;

/// <summary>A reader of float32 (and, for masks, byte) safetensors that trusts its file: its independence is the point.</summary>
internal static class GoldenFile
{
    public static Dictionary<string, ArrayTensor> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        var tensors = new Dictionary<string, ArrayTensor>();
        foreach (var entry in header.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            var dtype = entry.Value.GetProperty("dtype").GetString();
            long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())];
            int[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt32())];
            var data = bytes.AsSpan(8 + headerLength)[offsets[0]..offsets[1]];
            tensors.Add(entry.Name, new ArrayTensor(shape, dtype switch
            {
                "F32" => MemoryMarshal.Cast<byte, float>(data).ToArray(),
                "U8" => [.. data.ToArray().Select(b => (float)b)],
                _ => throw new NotSupportedException(dtype),
            }));
        }
        return tensors;
    }
}
