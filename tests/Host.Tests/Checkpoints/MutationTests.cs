using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

public sealed class MutationTests : IDisposable
{
    private const string Header = """
        {"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
        "b":{"dtype":"BF16","shape":[5],"data_offsets":[24,34]},
        "c\u00e9":{"dtype":"I8","shape":[],"data_offsets":[34,35]},
        "empty":{"dtype":"F64","shape":[0,7],"data_offsets":[35,35]}}
        """;

    private static readonly byte[][] Fragments =
        [[.. "{"u8], [.. "}"u8], [.. "\""u8], [.. "["u8], [.. "]"u8], [.. ","u8], [.. "9"u8], [.. "-"u8], [0xFF], [0],
        [.. "99999999999"u8], [.. "null"u8], [.. "\\ud800"u8], [.. "F8_E4M3"u8], [.. "shape"u8], [.. "e9"u8]];

    private readonly TemporaryFolder _folder = new();
    private uint _state = 1;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damaged_files_are_refused_or_read_correctly_in_bounded_memory()
    {
        var valid = TemporaryFolder.Bytes(Header, 35);
        Open(_folder.Write("valid.safetensors", valid));
        var (refused, read) = (0, 0);
        for (var i = 0; i < 2000; i++)
        {
            var path = _folder.Write("model.safetensors", Mutated(valid));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Open(path);
                read++;
            }
            catch (MergeException e)
            {
                Assert.NotEmpty(e.Diagnostics);
                Assert.All(e.Diagnostics, d => Assert.Contains(path, d.Where!));
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500_000);
        }
        // Both ends are reached: a flipped data byte or letter of a name leaves a valid file.
        Assert.InRange(refused, 500, 1990);
        Assert.InRange(read, 10, 1500);
    }

    private static void Open(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        var bytes = File.ReadAllBytes(path);
        foreach (var tensor in checkpoint.Tensors.Values)
        {
            var count = tensor.Shape.Aggregate(1L, (n, size) => checked(n * size));
            Assert.Equal(count * tensor.DType.Bits(), tensor.Length * 8);
            var content = new byte[tensor.Length];
            tensor.File.Read(tensor.Offset, content);
            Assert.Equal(bytes[(int)tensor.Offset..][..content.Length], content);
        }
        Assert.Equal(bytes.Length, checkpoint.Files[0].DataStart + checkpoint.Tensors.Values.Sum(t => t.Length));
    }

    private byte[] Mutated(byte[] valid)
    {
        List<byte> bytes = [.. valid];
        for (var edits = 1 + Next(3); edits > 0 && bytes.Count > 0; edits--)
        {
            var at = Next(bytes.Count);
            switch (Next(6))
            {
                case 0:
                    bytes[at] = (byte)Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Next(bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, Fragments[Next(Fragments.Length)]);
                    break;
                case 4:
                    bytes[Next(Math.Min(8, bytes.Count))] = (byte)Next(256);
                    break;
                default:
                    var fragment = Fragments[Next(Fragments.Length)];
                    for (var i = 0; i < fragment.Length && at + i < bytes.Count; i++)
                        bytes[at + i] = fragment[i];
                    break;
            }
        }
        return [.. bytes];
    }

    private int Next(int below)
    {
        _state = (_state * 1664525) + 1013904223;
        return below == 0 ? 0 : (int)((_state >> 8) % (uint)below);
    }
}
