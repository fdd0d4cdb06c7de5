using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>Files of PyTorch with random damage: refused in words, or read; never a crash, a hang or much memory.</summary>
public sealed class PyTorchMutationTests : IDisposable
{
    private static readonly string[] Names =
        ["dtypes.pt", "dtypes_legacy.pt", "dtypes_protocol4.pt", "views.pt", "views_legacy.pt", "training.pt", "optimizer_named.pt"];

    private readonly TemporaryFolder _folder = new();
    private uint _state = 1;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damaged_files_are_refused_or_read_in_bounded_memory()
    {
        var rounds = Environment.GetEnvironmentVariable("MERGE_NIGHTLY") == "1" ? 100_000 : 2_000;
        // With checksums, which catch nearly all damage to a pickle, and without.
        byte[][] valid = [.. Names.Select(n => File.ReadAllBytes(PyTorchFixture.Path(n))).SelectMany(b => new[] { b, Unchecked(b) })];
        var (refused, read) = (0, 0);
        for (var i = 0; i < rounds; i++)
        {
            var path = _folder.Write("model.pt", Mutated(valid[i % valid.Length]));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var checkpoint = Checkpoint.Open(path);
                foreach (var tensor in checkpoint.Tensors.Values.Where(t => t.Length < 1 << 16))
                    PyTorchFixture.Bytes(tensor);
                read++;
            }
            catch (MergeException e)
            {
                Assert.NotEmpty(e.Diagnostics);
                Assert.All(e.Diagnostics, d => Assert.Contains(path, d.Where!));
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
        }
        Assert.InRange(refused, rounds / 4, rounds);
        Assert.InRange(read, rounds / 100, rounds);
    }

    private byte[] Mutated(byte[] valid)
    {
        var bytes = (byte[])valid.Clone();
        for (var n = 1 + (Next() % 4); n > 0; n--)
        {
            var at = (int)(Next() % (uint)bytes.Length);
            switch (Next() % 5)
            {
                case 0:
                    bytes[at] ^= (byte)(1 << (int)(Next() % 8));
                    break;
                case 1:
                    bytes[at] = (byte)Next();
                    break;
                case 2:
                    bytes = bytes[..Math.Max(at, 1)];
                    break;
                case 3:
                    bytes = [.. bytes[..at], (byte)Next(), .. bytes[at..]];
                    break;
                default:
                    bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill((byte)(Next() % 2 == 0 ? 0xFF : 0x7F));
                    break;
            }
        }
        return bytes;
    }

    public static byte[] Unchecked(byte[] valid)
    {
        var bytes = (byte[])valid.Clone();
        for (int at = 0, next; (next = bytes.AsSpan(at).IndexOf("PK\u0001\u0002"u8)) >= 0; at += next + 4)
            bytes.AsSpan(at + next + 16, 4).Clear();
        return bytes;
    }

    // xorshift: the same damage in every run.
    private uint Next()
    {
        _state ^= _state << 13;
        _state ^= _state >> 17;
        return _state ^= _state << 5;
    }
}
