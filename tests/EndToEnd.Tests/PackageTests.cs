using System.IO.Compression;
using System.Xml.Linq;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>What a package says of itself where it is found.</summary>
[Collection(PackedSdk.Collection)]
public sealed class PackageTests(PackedSdk sdk)
{
    [Theory]
    [InlineData("Merge.Sdk")]
    [InlineData("Merge.Testing")]
    [InlineData("Merge.Templates")]
    public void A_package_has_a_description_tags_and_a_readme(string name)
    {
        using var package = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(sdk.Feed, name + ".*.nupkg")));
        using var nuspec = package.GetEntry(name + ".nuspec")!.Open();
        var said = XDocument.Load(nuspec).Descendants().ToLookup(e => e.Name.LocalName, e => e.Value);
        Assert.NotEqual("Package Description", Assert.Single(said["description"]));
        Assert.Contains("model-merging", Assert.Single(said["tags"]));
        using var readme = new StreamReader(package.GetEntry(Assert.Single(said["readme"]))!.Open());
        Assert.StartsWith($"# {name}\n", readme.ReadToEnd());
    }
}
