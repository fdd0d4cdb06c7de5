using System.Numerics;
using System.Text;
using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>A file of <c>torch.save</c>: what was saved, and where the bytes of its tensors lie. None of those are read.</summary>
internal sealed class PyTorchFile
{
    /// <summary>What precedes everything in a file of <c>torch.save</c> before 1.6, or with its old format.</summary>
    private static readonly BigInteger LegacyMagic = BigInteger.Parse("119547037146038801333356");

    private static readonly byte[] LegacyStart = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    private const int LegacyProtocol = 1001;

    /// <summary>A pickle holds names and shapes, a few hundred bytes a tensor.</summary>
    private const long LongestPickle = 128L << 20;

    private readonly CheckpointFile _file;
    private readonly IReadOnlyDictionary<string, ZipMember> _storages;

    private PyTorchFile(CheckpointFile file, object? root, IReadOnlyDictionary<string, ZipMember> storages)
    {
        _file = file;
        Root = root;
        _storages = storages;
    }

    /// <summary>What was saved.</summary>
    public object? Root { get; }

    /// <summary>Whether a file begins as one of these does, tar archives and plain pickles included, which are refused.</summary>
    public static bool Begins(CheckpointFile file)
    {
        var bytes = FirstBytes(file, 0, 16);
        return ZipDirectory.Begins(bytes) || bytes.StartsWith(LegacyStart) || IsTar(file);
    }

    /// <summary>Reads a file, or an archive within one.</summary>
    /// <param name="file">The file.</param>
    /// <param name="start">Where what was saved begins.</param>
    /// <param name="length">Its bytes; null: to the end of the file.</param>
    /// <exception cref="MergeException">It is malformed, or holds what is not allowed.</exception>
    public static PyTorchFile Read(CheckpointFile file, long start = 0, long? length = null)
    {
        var bytes = FirstBytes(file, start, 16);
        var end = length ?? (file.Size - start);
        if (ZipDirectory.Begins(bytes))
            return ReadZip(file, start, end);
        if (bytes.StartsWith(LegacyStart))
            return ReadLegacy(file, start, end);
        throw Refused(file, bytes);
    }

    /// <summary>A tensor of this file as one that can be read.</summary>
    /// <exception cref="MergeException">Its type has no place in a checkpoint, or its bytes are not there.</exception>
    public TensorSource Tensor(string name, PickleTensor tensor)
    {
        var storage = tensor.Storage;
        if (tensor.Type.DType is not { } dtype)
        {
            throw Problem(
                $"its elements are {tensor.Type.Name}", name, "a type that safetensors has",
                "Convert it in Python, or leave it out of the state dict.");
        }
        if (!_storages.TryGetValue(storage.Key, out var member))
            throw Problem($"its storage '{PickleText.Shown(storage.Key)}' is not in the file", name, null, null);
        var size = (Int128)storage.Type.Bytes;
        if ((storage.Start + storage.Count) * size > member.Length)
        {
            throw Problem(
                $"its storage '{PickleText.Shown(storage.Key)}' has {member.Length} bytes", name,
                $"{(storage.Start + storage.Count) * size}", null);
        }
        var at = checked((long)(member.Start + (storage.Start * size) + (tensor.Offset * (Int128)tensor.Type.Bytes)));
        return StridedTensor.Of(name, dtype, tensor.Shape, tensor.Strides, _file, at);
    }

    private static PyTorchFile ReadZip(CheckpointFile file, long start, long length)
    {
        var members = ZipDirectory.Read(file, start, length).Members;
        ZipMember[] pickles =
        [
            .. members.Values.Where(m => m.Name == "data.pkl" || (m.Name.EndsWith("/data.pkl") && m.Name.Count(c => c == '/') == 1)),
        ];
        if (pickles.Length != 1)
        {
            throw Problem(file, $"the archive holds {pickles.Length} data.pkl", "one, as torch.save writes",
                "Give a file that torch.save wrote.");
        }
        var pickle = pickles[0];
        var folder = pickle.Name[..^"data.pkl".Length];
        if (members.ContainsKey(folder + "constants.pkl"))
            throw TorchScript.Refused(file.Path);
        if (members.TryGetValue(folder + "byteorder", out var order) && Text(file, order) is not "little" and var other)
        {
            throw Problem(file, $"its numbers are stored in the byte order '{PickleText.Shown(other)}'", "little",
                "Save it again on a machine of today.");
        }
        var stream = Limited(file, pickle.Start, pickle.Length);
        // Of the pickle alone: tensors are read in blocks in any order, and torch.load does not check them either.
        if (pickle.Crc != 0 && ZipChecksum.Of(file, pickle) is var crc && crc != pickle.Crc)
        {
            throw Problem(file, $"its data.pkl has the CRC-32 {crc:x8}", $"{pickle.Crc:x8}, as the archive says",
                "The file is damaged: download or write it again.");
        }
        var root = PickleReader.Read(stream);
        var data = folder + "data/";
        return new(file, root, members.Values.Where(m => m.Name.StartsWith(data, StringComparison.Ordinal))
            .ToDictionary(m => m.Name[data.Length..], StringComparer.Ordinal));
    }

    private static PyTorchFile ReadLegacy(CheckpointFile file, long start, long length)
    {
        var stream = new PickleStream(file, start, Math.Min(length, LongestPickle));
        if (PickleReader.Read(stream) is not BigInteger magic || magic != LegacyMagic)
            throw stream.Problem("the file does not begin as torch.save's do", null, start);
        if (PickleReader.Read(stream) is not (long and LegacyProtocol))
            throw stream.Problem("the file is of another version of the old format", $"{LegacyProtocol}", stream.Position);
        if (PickleReader.Read(stream) is not PickleDict system || system.Find("little_endian") is false)
            throw stream.Problem("its numbers are stored in the byte order 'big'", "little", stream.Position);
        var known = new Dictionary<string, PickleStorage>(StringComparer.Ordinal);
        var root = PickleReader.Read(stream, known);
        if (PickleReader.Read(stream) is not List<object?> keys)
            throw stream.Problem("the list of storages is missing", null, stream.Position);
        return new(file, root, LegacyStorages(stream, start + length, known, keys));
    }

    /// <summary>The storages follow the pickles one after another: how many elements, then the elements.</summary>
    private static Dictionary<string, ZipMember> LegacyStorages(
        PickleStream stream, long end, Dictionary<string, PickleStorage> known, List<object?> keys)
    {
        var storages = new Dictionary<string, ZipMember>(StringComparer.Ordinal);
        var at = stream.Position;
        Span<byte> prefix = stackalloc byte[8];
        foreach (var key in keys)
        {
            if (key is not string name || storages.ContainsKey(name))
                throw stream.Problem("the list of storages is not one of different texts", null, at);
            if (!known.TryGetValue(name, out var storage))
                throw stream.Problem($"storage '{PickleText.Shown(name)}' is of no tensor, so its size is not known", null, at);
            if (at > end - 8)
                throw stream.Problem("the file is cut off before its storages end", null, at);
            stream.File.Read(at, prefix);
            var count = BitConverter.ToInt64(prefix);
            if (count < 0 || count > (end - at - 8) / storage.Type.Bytes)
            {
                throw stream.Problem(
                    $"storage '{PickleText.Shown(name)}' claims {count} elements of {storage.Type.Bytes} bytes, past the end of the file",
                    null, at);
            }
            storages.Add(name, new ZipMember(name, at + 8, count * storage.Type.Bytes, 0));
            at += 8 + (count * storage.Type.Bytes);
        }
        return storages;
    }

    private static MergeException Refused(CheckpointFile file, byte[] first)
    {
        if (IsTar(file))
        {
            return Problem(file, "it is a tar archive: the format of PyTorch before 0.1.10, which is not read", null,
                "Load it with torch.load and save it again with torch.save.");
        }
        if (first.AsSpan().StartsWith("version https://"u8))
            return Problem(file, "it is a pointer of Git LFS, not the file itself", null, "Fetch the file: git lfs pull.");
        if (first.Length > 2 && first[0] == 0x80 && first[1] <= 5)
        {
            return Problem(file, "it is a plain pickle, not a file of torch.save", null,
                "Load it in Python and save its tensors with torch.save.");
        }
        return Problem(file, first.Length == 0 ? "the file is empty" : "it is no file of torch.save", "a zip archive or a pickle",
            "Download or write it again.");
    }

    // A tar header keeps this word at byte 257.
    private static bool IsTar(CheckpointFile file) =>
        FirstBytes(file, 0, 262) is { Length: 262 } bytes && bytes.AsSpan(257).SequenceEqual("ustar"u8);

    private static PickleStream Limited(CheckpointFile file, long start, long length) => length <= LongestPickle
        ? new(file, start, length)
        : throw Problem(file, $"its pickle takes {DiskSpace.Text(length)}", $"at most {DiskSpace.Text(LongestPickle)}",
            "Load the file in Python and save the state dict alone: torch.save(model.state_dict(), …).");

    private static string Text(CheckpointFile file, ZipMember member)
    {
        var bytes = new byte[Math.Min(member.Length, 16)];
        file.Read(member.Start, bytes);
        return Encoding.Latin1.GetString(bytes).Trim();
    }

    private static byte[] FirstBytes(CheckpointFile file, long start, int most)
    {
        var bytes = new byte[Math.Clamp(file.Size - start, 0, most)];
        file.Read(start, bytes);
        return bytes;
    }

    private MergeException Problem(string found, string tensor, string? expected, string? fix) => new(new Diagnostic(found)
    {
        Where = $"{_file.Path}, tensor '{PickleText.Shown(tensor)}'",
        Expected = expected,
        Fix = fix ?? "The file is damaged or is no file of torch.save: download or write it again.",
    });

    private static MergeException Problem(CheckpointFile file, string found, string? expected, string fix) =>
        new(new Diagnostic(found) { Where = file.Path, Expected = expected, Fix = fix });
}
