using Host.Tests.Checkpoints.PyTorch;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints.Distributed;

/// <summary>Folders of distributed training with random damage to a file: refused in words, or read.</summary>
public sealed class DistributedMutationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private uint _state = 7;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("dcp")]
    [InlineData("zero2/global_step7")]
    [InlineData("zero3")]
    [InlineData("universal/flat")]
    public void Damaged_folders_are_refused_or_read_in_bounded_memory(string name)
    {
        var rounds = Environment.GetEnvironmentVariable("MERGE_NIGHTLY") == "1" ? 25_000 : 250;
        var copy = DistributedFixture.Copy(_folder, name);
        string[] paths = [.. Directory.GetFiles(copy, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        var refused = 0;
        for (var i = 0; i < rounds; i++)
        {
            var path = paths[Next() % (uint)paths.Length];
            var valid = File.ReadAllBytes(path);
            // With checksums, which catch nearly all damage to a pickle, and without.
            File.WriteAllBytes(path, Mutated(i % 2 == 0 ? valid : PyTorchMutationTests.Unchecked(valid)));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var checkpoint = Checkpoint.Open(copy);
                foreach (var tensor in checkpoint.Tensors.Values.Concat(checkpoint.State.Values).Where(t => t.Length < 1 << 16))
                    PyTorchFixture.Bytes(tensor);
            }
            catch (MergeException e)
            {
                Assert.All(e.Diagnostics, d => Assert.Contains(copy, d.Where!));
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000);
            File.WriteAllBytes(path, valid);
        }
        Assert.InRange(refused, rounds / 8, rounds);
        using var whole = Checkpoint.Open(copy);
    }

    private byte[] Mutated(byte[] valid)
    {
        var bytes = (byte[])valid.Clone();
        // Where the pickles are: most of a small file's bytes are the archive's padding.
        var most = (uint)Math.Min(bytes.Length, 3000);
        for (var n = 1 + (Next() % 3); n > 0; n--)
        {
            var at = (int)(Next() % most);
            switch (Next() % 4)
            {
                case 0:
                    bytes[at] ^= (byte)(1 << (int)(Next() % 8));
                    break;
                case 1:
                    bytes[at] = (byte)Next();
                    break;
                case 2 when Next() % 4 == 0:
                    bytes = bytes[..Math.Max(at, 1)];
                    most = (uint)bytes.Length;
                    break;
                default:
                    bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill((byte)(Next() % 2 == 0 ? 0xFF : 0x00));
                    break;
            }
        }
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
