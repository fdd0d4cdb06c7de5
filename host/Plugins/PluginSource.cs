using System.IO.Compression;
using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>
/// What a plugin is installed from, a folder or a zip of one, copied file by file. Nothing lands outside the target: links,
/// names that lead elsewhere and archives that swell are refused.
/// </summary>
internal static class PluginSource
{
    private const int MostFiles = 10_000;
    private const long MostBytes = 4L << 30;
    private const long AlwaysAllowed = 64L << 20;
    // Assemblies shrink to a third or so; an archive made to fill a disk shrinks a thousandfold.
    private const int MostSwelling = 100;

    /// <summary>Copies into a new folder below <paramref name="staging"/> that is called as the source; gives its path.</summary>
    /// <exception cref="MergeException">There is no such source, or something in it is refused.</exception>
    public static string CopyTo(string source, string staging)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(source));
        if (Directory.Exists(full))
        {
            RequirePlugin(full, source);
            var target = Directory.CreateDirectory(Path.Combine(staging, Path.GetFileName(full))).FullName;
            CopyFolder(full, target);
            return target;
        }
        if (!File.Exists(full))
            throw Refused(source, "it does not exist", "Give the folder a plugin was built into, or a zip of it.", wrongUsage: true);
        if (!IsZip(full))
        {
            throw Refused(
                source, "it is neither a folder nor a zip", "Give the folder a plugin was built into, or a zip of it.", wrongUsage: true);
        }
        var unpacked = Directory.CreateDirectory(Path.Combine(staging, Path.GetFileNameWithoutExtension(full))).FullName;
        Unpack(full, unpacked);
        // A zip of the folder itself rather than of what is in it.
        var top = Directory.GetFiles(unpacked).Length == 0 && Directory.GetDirectories(unpacked) is [var only] ? only : unpacked;
        RequirePlugin(top, source, InZip);
        return top;

        string InZip(IReadOnlyList<string> below)
        {
            var inner = below.Select(b => Path.GetRelativePath(unpacked, Path.Combine(top, b)).Replace('\\', '/'));
            return $"Unpack it, and install {PluginsBelow.Either(inner)} of it.";
        }
    }

    /// <summary>Refuses a folder that is no plugin's, in the words of who named it; what further down is one, is named.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="named">What the user called it.</param>
    /// <param name="fix">What to do about plugins below it, given as relative paths; null: a question.</param>
    /// <exception cref="MergeException">It has no main assembly.</exception>
    public static void RequirePlugin(string folder, string named, Func<IReadOnlyList<string>, string>? fix = null)
    {
        try
        {
            PluginAssembly.Find(folder);
        }
        catch (MergeException none)
        {
            var (below, where) = (PluginsBelow.Of(folder), Path.GetFullPath(named));
            if (below.Count == 0)
            {
                throw new MergeException([.. none.Diagnostics.Select(d => d with { Found = $"'{named}' cannot be used: {d.Found}", Where = where })])
                {
                    WrongUsage = none.Diagnostics.All(d => d.Actor == Actor.User),
                };
            }
            throw new MergeException(new Diagnostic($"'{named}' holds no plugin itself")
            {
                Where = where,
                Expected = "the folder a plugin was built into",
                Fix = fix?.Invoke(below) ?? PluginsBelow.Question(folder, named),
            })
            { WrongUsage = true };
        }
    }

    private static bool IsZip(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> start = stackalloc byte[2];
        return file.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start.SequenceEqual("PK"u8);
    }

    private static void CopyFolder(string source, string target)
    {
        var (files, bytes) = (0, 0L);
        var entries = new DirectoryInfo(source).EnumerateFileSystemInfos("*", new EnumerationOptions
        {
            RecurseSubdirectories = true,
            AttributesToSkip = FileAttributes.None,
            ReturnSpecialDirectories = false,
        });
        foreach (var entry in entries)
        {
            var name = Path.GetRelativePath(source, entry.FullName);
            if (entry.LinkTarget is not null)
                throw Refused(source, $"'{name}' is a link", "Copy what it points to in its place.");
            var place = Path.Combine(target, name);
            if (entry is DirectoryInfo)
            {
                Directory.CreateDirectory(place);
                continue;
            }
            Count(source, ref files, ref bytes, ((FileInfo)entry).Length, MostBytes);
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            using var from = File.OpenRead(entry.FullName);
            using var to = File.Create(place);
            from.CopyTo(to);
            to.Flush(flushToDisk: true);
        }
    }

    private static void Unpack(string source, string target)
    {
        try
        {
            using var zip = ZipFile.OpenRead(source);
            var most = Math.Min(MostBytes, Math.Max(AlwaysAllowed, MostSwelling * new FileInfo(source).Length));
            var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var (files, bytes) = (0, 0L);
            foreach (var entry in zip.Entries)
            {
                Check(source, entry, names);
                var place = Path.Combine(target, entry.FullName);
                if (entry.FullName.EndsWith('/'))
                {
                    Directory.CreateDirectory(place);
                    continue;
                }
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                using var from = entry.Open();
                using var to = File.Create(place);
                var buffer = new byte[1 << 16];
                Count(source, ref files, ref bytes, 0, most);
                // Counted as they come: what the archive says of its sizes is not to be believed.
                for (int read; (read = from.Read(buffer)) > 0;)
                {
                    files--;
                    Count(source, ref files, ref bytes, read, most);
                    to.Write(buffer, 0, read);
                }
                to.Flush(flushToDisk: true);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Refused(source, $"it is no zip that can be read: {e.Message.TrimEnd('.')}", "Make or download it again.");
        }
    }

    private static void Check(string source, ZipArchiveEntry entry, HashSet<string> names)
    {
        var name = entry.FullName;
        var parts = name.TrimEnd('/').Split('/');
        if (name.Contains('\\') || name.Contains(':') || name.Any(char.IsControl) || parts.Any(p => p is "" or "." or ".."))
            throw Refused(source, $"the name '{name}' in it may lead outside the plugin's folder", "Do not install it.");
        var kind = (entry.ExternalAttributes >> 16) & 0xF000;
        if (kind is not (0 or 0x8000 or 0x4000))
            throw Refused(source, $"'{name}' in it is a link or no plain file", "Zip the files themselves.");
        if (!names.Add(name.TrimEnd('/')))
            throw Refused(source, $"'{name}' is in it twice", "Make it again.");
    }

    private static void Count(string source, ref int files, ref long bytes, long more, long most)
    {
        bytes += more;
        if (++files > MostFiles)
            throw Refused(source, $"it holds more than {MostFiles} files", "Give the output folder of the plugin alone.");
        if (bytes > most)
            throw Refused(source, $"it unpacks to more than {most >> 20} MiB", "Give the output folder of the plugin alone.");
    }

    private static MergeException Refused(string source, string found, string fix, bool wrongUsage = false) =>
        new(new Diagnostic($"'{source}' cannot be installed: {found}") { Where = Path.GetFullPath(source), Fix = fix })
        {
            WrongUsage = wrongUsage,
        };
}
