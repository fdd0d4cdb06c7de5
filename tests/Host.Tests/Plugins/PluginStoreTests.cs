using System.IO.Compression;
using System.Security.Cryptography;
using Merge.Plugins;
using Merge.Sdk;

namespace Host.Tests.Plugins;

/// <summary>What is installed is whole and nothing else than what was given; what is hostile lands nowhere.</summary>
public sealed class PluginStoreTests : IDisposable
{
    private readonly TestPluginFolders _folders = new();
    private readonly string _root;
    private readonly PluginStore _store;

    public PluginStoreTests()
    {
        _root = Path.Combine(_folders.Root, "store");
        _store = new PluginStore(_root);
    }

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void A_folder_is_installed_under_its_assemblys_name_and_verified()
    {
        var receipt = Install(_folders.Copy("PrivateA", "net10.0"));
        Assert.Equal(("PrivateA", "0.1.0"), (receipt.Name, receipt.Version));
        Assert.Equal(["PrivateA"], _store.Names);
        Assert.Contains("Shared.Library.dll", receipt.Files.Keys);
        Assert.Equal(["method private-a"], receipt.Offers);
        Assert.Equal(receipt.Offers, _store.ReceiptOf("PrivateA", receipt.Digest)!.Offers);
        Assert.Empty(_store.Verify("PrivateA"));
        using var catalog = PluginCatalog.Load(PluginFolders.At(_root));
        Assert.Equal(["private-a"], Assert.Single(catalog.Plugins).Methods);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PrivateA/")]
    public void A_zip_of_the_folder_or_of_its_content_is_installed_alike(string prefix)
    {
        var folder = _folders.Copy("PrivateA");
        var zip = Zip([.. Directory.GetFiles(folder).Select(f => (prefix + Path.GetFileName(f), File.ReadAllBytes(f)))]);
        Assert.Equal(PluginDigest.Of(folder), Install(zip).Digest);
    }

    [Theory]
    [InlineData("../out.dll")]
    [InlineData("/out.dll")]
    [InlineData("a/../../out.dll")]
    [InlineData("..\\out.dll")]
    [InlineData("C:/out.dll")]
    public void A_name_that_leads_outside_is_refused(string name)
    {
        Refused(Zip((name, [1])), "may lead outside");
        Assert.False(File.Exists(Path.Combine(_folders.Root, "out.dll")));
    }

    [Fact]
    public void A_zip_that_swells_is_refused_before_it_is_unpacked() =>
        Refused(Zip(("big.dll", new byte[80 << 20])), "unpacks to more than 64 MiB");

    [Fact]
    public void Links_are_refused_in_zips_and_folders()
    {
        var zip = Zip(("link.dll", "/etc/passwd"u8.ToArray()));
        using (var archive = ZipFile.Open(zip, ZipArchiveMode.Update))
            archive.Entries[0].ExternalAttributes = unchecked((int)0xA1FF0000);
        Refused(zip, "'link.dll' in it is a link");
        var folder = _folders.Copy("PrivateA");
        File.CreateSymbolicLink(Path.Combine(folder, "other.dll"), "/etc/passwd");
        Refused(folder, "'other.dll' is a link");
    }

    [Fact]
    public void What_is_no_zip_or_a_damaged_one_is_refused()
    {
        Refused(Path.Combine(_folders.WithFile("text", "a.zip", "hello"u8.ToArray()), "a.zip"), "neither a folder nor a zip");
        Refused(Path.Combine(_folders.WithFile("cut", "b.zip", "PK\x3\x4 and so on"u8.ToArray()), "b.zip"), "no zip that can be read");
        Refused(Path.Combine(_folders.Root, "none"), "does not exist");
    }

    [Fact]
    public void Another_of_the_same_name_needs_replace()
    {
        var folder = _folders.Copy("PrivateA");
        Assert.False(_store.Install(folder, replace: false, Loaded).WasThere);
        Assert.True(_store.Install(folder, replace: false, Loaded).WasThere);
        Assert.Empty(_store.Verify("PrivateA"));
        File.WriteAllText(Path.Combine(folder, "more.txt"), "more");
        Refused(folder, "installed already, with other files");
        Assert.False(File.Exists(Path.Combine(_store.FolderOf("PrivateA"), "more.txt")));
        Assert.False(_store.Install(folder, replace: true, Loaded).WasThere);
        Assert.True(File.Exists(Path.Combine(_store.FolderOf("PrivateA"), "more.txt")));
        Assert.Empty(_store.Verify("PrivateA"));
    }

    [Fact]
    public void A_folder_some_levels_too_high_is_the_users_to_correct_and_the_right_one_is_named()
    {
        var folder = _folders.Copy("PrivateA", "Foo/bin/Release/net10.0");
        var given = Path.Combine(_folders.Root, "Foo");

        var diagnostic = Refusal(given);

        Assert.Equal($"'{given}' holds no plugin itself", diagnostic.Found);
        Assert.Equal((Actor.User, given), (diagnostic.Actor, diagnostic.Where));
        Assert.Equal($"Did you mean '{folder}'?", diagnostic.Fix);
        Assert.Equal(Actor.User, Refusal(_folders.Empty("nothing")).Actor);
    }

    [Theory]
    [InlineData("Foo/bin/Release/net10.0/")]
    [InlineData("bin/Release/net10.0/")]
    public void A_zip_of_a_whole_project_names_what_to_install_of_it(string prefix)
    {
        var zip = Zip([
            .. Directory.GetFiles(_folders.Copy("PrivateA")).Select(f => (prefix + Path.GetFileName(f), File.ReadAllBytes(f))),
            ($"{prefix.Split('/')[0]}/Foo.csproj", []),
        ]);

        var diagnostic = Refusal(zip);

        Assert.Equal((Actor.User, zip), (diagnostic.Actor, diagnostic.Where));
        Assert.Equal($"Unpack it, and install '{prefix.TrimEnd('/')}' of it.", diagnostic.Fix);
    }

    [Fact]
    public void What_cannot_be_told_apart_is_the_authors_where_it_was_given()
    {
        var folder = _folders.Copy("PrivateA", "unclear", "PrivateA.deps.json");
        var zip = Zip([.. Directory.GetFiles(folder).Select(f => (Path.GetFileName(f), File.ReadAllBytes(f)))]);

        Assert.All([Refusal(folder), Refusal(zip)], d => Assert.Equal(Actor.PluginAuthor, d.Actor));
        Assert.Equal([folder, zip], new[] { Refusal(folder), Refusal(zip) }.Select(d => d.Where));
    }

    [Fact]
    public void A_refused_plugin_leaves_nothing()
    {
        Assert.Throws<InvalidOperationException>(() => _store.Install(
            _folders.Copy("PrivateA"), replace: false, _ => throw new InvalidOperationException("refused")));
        Assert.Empty(_store.Names);
        Assert.Equal([".lock"], Directory.GetFileSystemEntries(_root).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void An_interrupted_install_is_tidied_up_and_an_interrupted_replacement_taken_back()
    {
        Install(_folders.Copy("PrivateA"));
        Directory.CreateDirectory(Path.Combine(_root, ".replaced"));
        Directory.Move(_store.FolderOf("PrivateA"), Path.Combine(_root, ".replaced", "PrivateA"));
        Directory.CreateDirectory(Path.Combine(_root, ".staging", "Half"));
        Install(_folders.Copy("PrivateB"));
        Assert.Equal(["PrivateA", "PrivateB"], _store.Names);
        Assert.Empty(_store.Verify("PrivateA"));
        Assert.False(Directory.Exists(Path.Combine(_root, ".staging")));
    }

    [Fact]
    public void Verify_names_the_files_that_are_not_as_installed()
    {
        var source = _folders.Copy("PrivateA");
        Install(source);
        var folder = _store.FolderOf("PrivateA");
        File.AppendAllText(Path.Combine(folder, "PrivateA.dll"), "x");
        File.Delete(Path.Combine(folder, "Shared.Library.dll"));
        File.WriteAllText(Path.Combine(folder, "new.txt"), "x");
        var (now, then) = (Sha256(Path.Combine(folder, "PrivateA.dll")), Sha256(Path.Combine(source, "PrivateA.dll")));
        Assert.Equal(
            ["Shared.Library.dll is missing", $"PrivateA.dll is changed (SHA-256 {now[..8]}…, installed as {then[..8]}…)", "new.txt was added"],
            _store.Verify("PrivateA").Where(f => !f.Contains(".pdb")));
    }

    [Fact]
    public void That_an_installed_plugin_was_altered_is_told_to_whoever_installs_it_again()
    {
        var source = _folders.Copy("PrivateA");
        Install(source);
        File.AppendAllText(Path.Combine(_store.FolderOf("PrivateA"), "PrivateA.dll"), "x");

        var refusal = Refusal(source);

        Assert.Equal("'PrivateA' is installed already, and its files were altered since", refusal.Found);
        Assert.Contains("`merge plugins verify PrivateA`", refusal.Fix, StringComparison.Ordinal);
        Assert.Contains("--replace", refusal.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_removed_plugin_is_gone_with_its_receipt_and_an_unknown_one_is_named()
    {
        Install(_folders.Copy("PrivateA"));
        var error = Assert.Throws<MergeException>(() => _store.Remove("PrivatA"));
        Assert.Contains("Did you mean 'PrivateA'?", error.Diagnostics[0].Fix);
        _store.Remove("PrivateA");
        Assert.Empty(_store.Names);
        Assert.Empty(Directory.GetFiles(Path.Combine(_root, ".receipts")));
    }

    private static string Sha256(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

    private PluginReceipt Install(string source) => _store.Install(source, replace: false, Loaded).Receipt;

    private static PluginStatus Loaded(string folder)
    {
        using var catalog = PluginCatalog.Load(PluginFolders.At(folder));
        return Assert.Single(catalog.Plugins);
    }

    private Diagnostic Refusal(string source) =>
        Assert.Single(Assert.Throws<MergeException>(() => Install(source)).Diagnostics);

    private void Refused(string source, string found)
    {
        Assert.Contains(found, Assert.Throws<MergeException>(() => Install(source)).Message);
        Assert.DoesNotContain(_store.Names, name => name is not "PrivateA");
    }

    private string Zip(params (string Name, byte[] Bytes)[] entries)
    {
        var path = Path.Combine(_folders.Empty("zips"), "plugin.zip");
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, bytes) in entries)
        {
            using var to = zip.CreateEntry(name).Open();
            to.Write(bytes);
        }
        return path;
    }
}
