using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Merge.Plugins;

/// <summary>What identifies the exact bytes of a plugin folder.</summary>
internal static class PluginDigest
{
    private const int DigitsShown = 8;

    /// <summary>As much of a digest as a person compares.</summary>
    public static string Short(string digest) => digest.Length > DigitsShown ? $"{digest[..DigitsShown]}…" : digest;

    /// <summary>
    /// SHA-256 over every file below <paramref name="folder"/>, ordinally by relative path with forward slashes; each
    /// as the path's length (int32) and UTF-8 bytes, the file's length (int64) and bytes, so that no two folders run
    /// together to the same input.
    /// </summary>
    public static string Of(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => (Path: path, Name: Path.GetRelativePath(folder, path).Replace('\\', '/')))
            .OrderBy(file => file.Name, StringComparer.Ordinal);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            var name = Encoding.UTF8.GetBytes(file.Name);
            var bytes = File.ReadAllBytes(file.Path);
            var lengths = new byte[12];
            BinaryPrimitives.WriteInt32LittleEndian(lengths, name.Length);
            BinaryPrimitives.WriteInt64LittleEndian(lengths.AsSpan(4), bytes.LongLength);
            hash.AppendData(lengths);
            hash.AppendData(name);
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
