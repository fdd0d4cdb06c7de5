using System.Text.RegularExpressions;
using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>
/// The plugins a user has installed, one folder each. What is being installed lies beside them under a name with a dot, which
/// nobody looks into, and takes its place by one rename; whatever interrupts it, the next command tidies up.
/// </summary>
internal sealed partial class PluginStore(string root)
{
    private readonly string _staging = Path.Combine(root, ".staging");
    private readonly string _replaced = Path.Combine(root, ".replaced");
    private readonly string _receipts = Path.Combine(root, ".receipts");

    /// <summary>Names of what is installed, ordinal order.</summary>
    public IReadOnlyList<string> Names => Directory.Exists(root)
        ? [.. Directory.GetDirectories(root).Select(f => Path.GetFileName(f)).Where(n => !n.StartsWith('.')).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>Installs a plugin from a folder or a zip of one.</summary>
    /// <param name="source">It.</param>
    /// <param name="replace">Whether it may take the place of one of its name.</param>
    /// <param name="check">Looks at the staged plugin, by its folder, before it is installed; throws where it is not to be.</param>
    /// <returns>Its receipt, and whether the very same was installed before.</returns>
    /// <exception cref="MergeException">It is no plugin, is refused, or another of its name is there.</exception>
    public (PluginReceipt Receipt, bool WasThere) Install(string source, bool replace, Func<string, PluginStatus> check)
    {
        using var alone = Lock();
        try
        {
            var staged = PluginSource.CopyTo(source, Directory.CreateDirectory(_staging).FullName);
            var name = Path.GetFileNameWithoutExtension(PluginAssembly.Find(staged));
            if (!NamePattern().IsMatch(name))
            {
                throw new MergeException(new Diagnostic($"the plugin's main assembly is called '{name}'")
                {
                    Actor = Actor.PluginAuthor,
                    Where = source,
                    Expected = "letters, digits, '.', '_', '-'",
                });
            }
            var named = Path.Combine(Directory.CreateDirectory(Path.Combine(_staging, ".named")).FullName, name);
            Directory.Move(staged, named);
            var receipt = PluginReceipt.Of(name, check(named), named);
            var isThere = Names.Contains(name) && PluginDigest.Of(FolderOf(name)) == receipt.Digest;
            if (Names.Contains(name) && !replace && !isThere)
            {
                var isAltered = ReceiptOf(name, PluginDigest.Of(FolderOf(name)))?.Differences(FolderOf(name)).Count > 0;
                throw new MergeException(new Diagnostic(isAltered
                    ? $"'{name}' is installed already, and its files were altered since"
                    : $"'{name}' is installed already, with other files")
                {
                    Where = FolderOf(name),
                    Fix = isAltered
                        ? $"`merge plugins verify {name}` says what was altered; add --replace to put this one in its place."
                        : "Add --replace to put this one in its place, or remove it first.",
                });
            }
            Write(receipt);
            if (!isThere)
                Put(named, receipt.Name);
            ForgetReceipts(receipt.Name, receipt.Digest);
            return (receipt, isThere);
        }
        finally
        {
            Delete(_staging);
        }
    }

    /// <exception cref="MergeException">There is none of this name.</exception>
    public void Remove(string name)
    {
        Require(name);
        using var alone = Lock();
        Directory.Move(FolderOf(name), Path.Combine(Directory.CreateDirectory(_staging).FullName, name));
        ForgetReceipts(name, keep: null);
        Delete(_staging);
    }

    /// <summary>What differs from what was installed, in words; empty where nothing does.</summary>
    /// <exception cref="MergeException">There is none of this name.</exception>
    public IReadOnlyList<string> Verify(string name)
    {
        Require(name);
        var folder = FolderOf(name);
        return ReceiptOf(name, PluginDigest.Of(folder)) is { } receipt
            ? receipt.Differences(folder)
            : ["it was not put here by 'merge plugins install', or its receipt is lost"];
    }

    /// <summary>The receipt of an installed plugin, where there are two that of these files; null where it is lost.</summary>
    public PluginReceipt? ReceiptOf(string name, string digest)
    {
        var receipts = ReceiptsOf(name).Select(PluginReceipt.Read).OfType<PluginReceipt>().ToArray();
        return receipts.FirstOrDefault(r => r.Digest == digest) ?? receipts.LastOrDefault();
    }

    /// <exception cref="MergeException">There is none of this name.</exception>
    public void Require(string name)
    {
        if (Names.Contains(name))
            return;
        throw new MergeException(new Diagnostic($"no plugin '{name}' is installed")
        {
            Where = root,
            Expected = Names.Count == 0 ? null : $"one of {string.Join(", ", Names)}",
            Fix = NearestMatch.Question(name, Names),
        })
        { WrongUsage = true };
    }

    public string FolderOf(string name) => Path.Combine(root, name);

    /// <summary>Whether a folder, by its full path, is one of the installed plugins'.</summary>
    public bool Holds(string folder) =>
        Path.GetDirectoryName(folder) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)) && Names.Contains(Path.GetFileName(folder));

    // Before the plugin: a receipt without its plugin means nothing, and has the digest in its name.
    private void Write(PluginReceipt receipt)
    {
        Directory.CreateDirectory(_receipts);
        var temporary = Path.Combine(_staging, "receipt");
        receipt.WriteTo(temporary);
        File.Move(temporary, Path.Combine(_receipts, $"{receipt.Name}.{receipt.Digest}.json"), overwrite: true);
    }

    private void Put(string staged, string name)
    {
        var place = FolderOf(name);
        if (Directory.Exists(place))
            Directory.Move(place, Path.Combine(Directory.CreateDirectory(_replaced).FullName, name));
        Directory.Move(staged, place);
        Delete(_replaced);
    }

    private void ForgetReceipts(string name, string? keep)
    {
        foreach (var receipt in ReceiptsOf(name).Where(r => keep is null || !r.Contains(keep)))
            File.Delete(receipt);
    }

    // The digest has 64 digits, so that one name that begins as another is not taken for it.
    private IEnumerable<string> ReceiptsOf(string name) => Directory.Exists(_receipts)
        ? Directory.GetFiles(_receipts, $"{name}.*.json").Where(r => Path.GetFileName(r).Length == name.Length + 70)
        : [];

    private FileStream Lock()
    {
        Directory.CreateDirectory(root);
        FileStream alone;
        try
        {
            alone = new(Path.Combine(root, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new MergeException(new Diagnostic("another 'merge plugins' is at work") { Where = root, Fix = "Wait for it." });
        }
        Delete(_staging);
        // Killed between the two renames of a replacement: the old plugin goes back where it was.
        if (Directory.Exists(_replaced))
        {
            foreach (var old in Directory.GetDirectories(_replaced).Where(o => !Directory.Exists(FolderOf(Path.GetFileName(o)))))
                Directory.Move(old, FolderOf(Path.GetFileName(old)));
            Delete(_replaced);
        }
        return alone;
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    private static partial Regex NamePattern();
}
